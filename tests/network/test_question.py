"""The network of the question does what the question describes, and each fault mends by itself."""

import numpy as np
import pytest

from network import QuestionNetwork, load_mnist
from network.question import guarded_cross_entropy, naive_cross_entropy, row_softmax

DIGITS = load_mnist()
X, Y = DIGITS.X_train[::3], DIGITS.y_train[::3]
X_VAL, Y_VAL = DIGITS.X_test[::2], DIGITS.y_test[::2]


def test_reported_loss_climbs_while_accuracy_does_and_the_same_weights_are_fine_row_by_row():
    network = QuestionNetwork()
    reported, accuracies, true = [], [], []
    for _ in range(4):
        network.train(X, Y)
        loss, accuracy = network.evaluate(X_VAL, Y_VAL)
        reported.append(loss)
        accuracies.append(accuracy)
        p = network.predict(X_VAL)
        rows = p / p.sum(axis=1, keepdims=True)
        true.append(guarded_cross_entropy(rows, np.eye(10)[Y_VAL]))

    assert 8 < reported[0] < 10
    assert reported[-1] > 11
    assert accuracies[0] < 0.75
    assert accuracies[-1] > 0.85
    assert 0.9 < true[0] < 1.2
    assert true[-1] < 0.5


def test_one_call_on_one_batch_is_one_step_of_the_documented_formula():
    network = QuestionNetwork((784, 10), mend={"softmax", "bias", "output_error"})
    before = {name: value.copy() for name, value in network.params.items()}
    p = row_softmax(X[:32] @ before["W1"] + before["b1"])
    delta = p - np.eye(10)[Y[:32]]

    network.train(X[:32], Y[:32])

    step = 0.5 * X[:32].T @ delta / 32
    np.testing.assert_allclose(network.params["W1"], before["W1"] - step, atol=1e-14)
    np.testing.assert_allclose(
        network.params["b1"], before["b1"] - 0.5 * delta.mean(axis=0), atol=1e-14
    )


def test_softmax_mended_alone_normalises_rows():
    assert QuestionNetwork().predict(X[:4]).sum() == pytest.approx(1)
    assert np.allclose(QuestionNetwork(mend={"softmax"}).predict(X[:4]).sum(axis=1), 1)


def test_bias_mended_alone_gives_units_their_own_change():
    def changes(mend):
        network = QuestionNetwork(mend=mend)
        network.train(X[:8], Y[:8])
        return network.params["b1"]

    assert np.ptp(changes(())) == 0
    assert np.ptp(changes({"bias"})) > 0


def test_output_error_mended_alone_changes_the_weights_more():
    def changes(mend):
        network = QuestionNetwork(mend=mend)
        before = network.params["W3"].copy()
        network.train(X[:8], Y[:8])
        return np.linalg.norm(network.params["W3"] - before)

    assert changes({"output_error"}) > 2 * changes(())


def test_loss_mended_alone_survives_zero_and_a_single_row():
    p, t = np.array([0.0, 1.0]), np.array([1.0, 0.0])

    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.isnan(naive_cross_entropy(p, t)) or np.isinf(naive_cross_entropy(p, t))
    assert np.isfinite(guarded_cross_entropy(p, t))
    half = np.array([0.5, 0.5])
    assert naive_cross_entropy(half, t) == pytest.approx(np.log(2) / 2)
    assert guarded_cross_entropy(half, t) == pytest.approx(np.log(2))


def test_an_unknown_fault_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="output_error"):
        QuestionNetwork(mend={"weights"})
