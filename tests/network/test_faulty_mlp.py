"""The faulty perceptron does what is described, and each of its faults mends by itself."""

import numpy as np
import pytest

from network import QuestionNetwork, load_mnist, softmax
from network.faulty_mlp import FAULTS, guarded_cross_entropy, matrix_softmax, naive_cross_entropy
from network.functional import one_hot

DIGITS = load_mnist()
X, Y = DIGITS.X_train[::3], DIGITS.y_train[::3]
X_VAL, Y_VAL = DIGITS.X_test[::2], DIGITS.y_test[::2]

RNG = np.random.default_rng(0)
SMALL = (5, 4, 3)
X_SMALL, T_SMALL = RNG.normal(size=(6, 5)), np.eye(3)[[0, 2, 1, 1, 0, 2]]


def cross_entropy(p):
    return -np.sum(T_SMALL * np.log(p))


def squared_error(p):
    return 0.5 * np.sum((T_SMALL - p) ** 2)


def descended(mend):
    """Return the gradient that one step over the small batch implies, by parameter."""
    network = QuestionNetwork(SMALL, mend=mend, learning_rate=0.25, batch_size=len(X_SMALL))
    before = {name: value.copy() for name, value in network.params.items()}
    network.train(X_SMALL, T_SMALL)
    # the step is -learning_rate * (sum of gradients) / samples
    return {
        name: (before[name] - after) * len(X_SMALL) / 0.25 for name, after in network.params.items()
    }


@pytest.fixture(scope="module")
def history():
    """Reported loss, accuracy, and loss of the same weights row by row, over four epochs."""
    network = QuestionNetwork()
    epochs = []
    for _ in range(4):
        network.train(X, Y)
        loss, accuracy = network.evaluate(X_VAL, Y_VAL)
        p = network.predict(X_VAL)
        rows = p / p.sum(axis=1, keepdims=True)
        epochs.append((loss, accuracy, guarded_cross_entropy(rows, one_hot(Y_VAL, 10))))
    return np.array(epochs)


def test_reported_loss_climbs_while_accuracy_does(history):
    loss, accuracy, _ = history.T

    assert 8 < loss[0] < 10
    assert loss[-1] > 11
    assert accuracy[0] < 0.75
    assert accuracy[-1] > 0.85


def test_the_same_weights_are_fine_row_by_row(history):
    true = history[:, 2]

    assert 0.9 < true[0] < 1.2
    assert true[-1] < 0.5


def test_the_mended_network_learns_with_both_curves_turning_the_right_way():
    network = QuestionNetwork(mend=FAULTS, learning_rate=0.1)
    before, _ = network.evaluate(X_VAL, Y_VAL)

    network.train(X, Y)

    loss, accuracy = network.evaluate(X_VAL, Y_VAL)
    assert loss < before / 2
    assert accuracy > 0.75


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize(
    ("mend", "objective"),
    [({"bias"}, squared_error), ({"bias", "output_error"}, cross_entropy)],
    ids=["faulty", "mended"],
)
def test_output_error_decides_which_loss_is_descended(mend, objective, name, differenced):
    network = QuestionNetwork(SMALL, mend={"softmax"})

    expected = differenced(lambda: objective(network.predict(X_SMALL)), network.params[name])

    np.testing.assert_allclose(descended(mend)[name], expected, rtol=1e-7, atol=1e-8)


def test_bias_unmended_is_one_number_from_the_last_sample_alone():
    W1, W2 = (QuestionNetwork(SMALL).params[name] for name in ("W1", "W2"))
    hidden = np.maximum(X_SMALL[-1] @ W1, 0)
    p = matrix_softmax(hidden @ W2)
    delta = (W2 @ (np.diag(p) - np.outer(p, p)) @ (p - T_SMALL[-1])) * (hidden > 0)

    np.testing.assert_allclose(descended(())["b1"], np.full(4, delta.sum()), rtol=1e-12)
    assert np.ptp(descended({"bias"})["b1"]) > 0


def test_bias_and_output_error_leave_each_other_alone():
    np.testing.assert_array_equal(descended({"bias"})["W2"], descended(())["W2"])
    assert np.ptp(descended({"output_error"})["b1"]) == 0


def test_softmax_mended_alone_normalises_rows():
    assert QuestionNetwork().predict(X[:4]).sum() == pytest.approx(1)
    assert QuestionNetwork(mend={"softmax"}).predict(X[:4]).sum(axis=1) == pytest.approx(np.ones(4))


def test_softmax_fault_is_invisible_to_training():
    faulty, mended = descended(()), descended({"softmax"})

    for name, gradient in faulty.items():
        np.testing.assert_allclose(gradient, mended[name], rtol=1e-12, atol=1e-14)


def test_loss_mended_alone_survives_zero():
    p, t = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])

    with np.errstate(divide="ignore", invalid="ignore"):
        assert not np.isfinite(QuestionNetwork().loss(p, t))
    assert QuestionNetwork(mend={"loss"}).loss(p, t) == -np.log(np.finfo(float).tiny)


def test_loss_mended_alone_takes_one_row_as_a_batch_of_one():
    p, t = np.array([0.5, 0.5]), np.array([1.0, 0.0])

    assert naive_cross_entropy(p, t) == pytest.approx(np.log(2) / 2)
    assert guarded_cross_entropy(p, t) == pytest.approx(np.log(2))


def test_labels_and_one_hot_rows_are_the_same():
    network = QuestionNetwork()
    p = softmax(RNG.normal(size=(4, 10)))

    assert network.loss(p, Y[:4]) == network.loss(p, one_hot(Y[:4], 10))
    assert network.loss(p[0], Y[0]) == network.loss(p[0], one_hot(Y[:1], 10)[0])
    assert network.accuracy(p, p.argmax(axis=1)) == 1
    with pytest.raises(ValueError, match="y has shape"):
        network.train(X[:4], Y[:3])


def test_training_is_deterministic_and_a_batch_is_one_step():
    first, second = QuestionNetwork(), QuestionNetwork()

    first.train(X[:64], Y[:64])
    second.train(X[:32], Y[:32])
    second.train(X[32:64], Y[32:64])

    assert all(np.array_equal(first.params[name], second.params[name]) for name in first.params)


def test_what_cannot_be_mended_or_built_is_refused():
    with pytest.raises(ValueError, match="'softmax', 'bias', 'output_error', 'loss'"):
        QuestionNetwork(mend={"weights"})
    with pytest.raises(ValueError, match="sizes"):
        QuestionNetwork((784,))
