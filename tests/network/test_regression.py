"""Numbers are learned as classes are: the records, the score, and what is refused at the door."""

import numpy as np
import pytest

from network import (
    SGD,
    Dense,
    HuberLoss,
    MeanSquaredError,
    Sequential,
    SoftmaxCrossEntropy,
    Tanh,
    evaluate,
    fit,
    mlp,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
WEIGHTS = np.array([[1.0, -1.0], [2.0, 0.5], [-0.5, 0.0]])
LINEAR = X @ WEIGHTS + np.array([0.3, -0.7])


def regression(outputs, seed=0):
    return Sequential([Dense(3, outputs, rng=np.random.default_rng(seed))])


def learn(model, y, **options):
    settings = {"loss": MeanSquaredError(), "epochs": 30, "progress": False}
    return fit(model, X, y, optimizer=SGD(0.1, momentum=0.9), **(settings | options))


@pytest.mark.parametrize("loss", [MeanSquaredError(), HuberLoss(2.0)])
def test_linear_map_is_found_exactly(loss):
    model = regression(2)

    records = learn(model, LINEAR, loss=loss)

    np.testing.assert_allclose(model.params["0.W"], WEIGHTS, atol=1e-6)
    assert records[-1]["train_loss"] < 1e-10


def test_one_output_takes_a_row_or_a_column_of_numbers():
    row, column = regression(1), regression(1)

    assert learn(row, LINEAR[:, 0], epochs=2)[-1]["train_loss"] == pytest.approx(
        learn(column, LINEAR[:, :1], epochs=2)[-1]["train_loss"]
    )


def test_records_hold_the_share_of_variance_and_no_accuracy():
    records = learn(regression(2), LINEAR, validation=(X[:50], LINEAR[:50]), epochs=2)

    assert set(records[-1]) == {
        "epoch", "train_loss", "learning_rate", "val_loss", "val_r2", "seconds",
    }  # fmt: skip


def test_score_is_the_share_of_variance_that_is_predicted():
    model = Sequential([Dense(3, 16), Tanh(), Dense(16, 1)])
    y = np.sin(X[:, :1])

    learn(model, y, epochs=20)

    loss, score = evaluate(model, X, y, loss=MeanSquaredError())
    assert score == pytest.approx(1 - loss / y.var())
    assert score > 0.9


def test_constant_target_has_no_variance_to_predict():
    _, score = evaluate(regression(1), X, np.ones(len(X)), loss=MeanSquaredError())

    assert score == 0


def test_labels_with_the_squared_error_are_still_classes():
    labels = (X[:, 0] > 0).astype(int)

    records = fit(mlp([3, 8, 2]), X, labels, loss=MeanSquaredError(), epochs=3, progress=False)

    assert records[-1]["train_accuracy"] > 0.5


def test_interrupted_regression_goes_on_as_if_it_had_not_been(tmp_path):
    whole, parts = regression(2), regression(2)
    learn(whole, LINEAR, epochs=4)
    learn(parts, LINEAR, epochs=2, folder=tmp_path)

    learn(parts := regression(2), LINEAR, epochs=4, folder=tmp_path, resume=True)

    np.testing.assert_array_equal(parts.params["0.W"], whole.params["0.W"])


def test_target_of_the_training_is_left_as_it_was():
    y = LINEAR.copy()

    learn(regression(2), y, epochs=1)

    np.testing.assert_array_equal(y, LINEAR)


SPOILED = LINEAR.copy()
SPOILED[7, 1] = np.nan


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (LINEAR[:, :1], r"y has shape \(400, 1\); expected \(400, 2\): a number for each of the 2"),
        (LINEAR[:, 0], r"y has shape \(400,\); expected \(400, 2\)"),
        (LINEAR[:10], r"y has shape \(10, 2\); expected \(400, 2\)"),
        (LINEAR.astype(str), "y has dtype <U"),
        (SPOILED, "y holds 1 values that are not finite .* row 7, column 1: nan"),
    ],
)
def test_numbers_that_do_not_fit_are_refused_by_name(y, message):
    with pytest.raises((TypeError, ValueError), match=message):
        learn(regression(2), y)


def test_numbers_for_a_loss_of_classes_are_told_the_loss_that_takes_them():
    with pytest.raises(ValueError, match=r"y has dtype float64; .*loss=MeanSquaredError\(\)"):
        learn(regression(1), LINEAR[:, 0], loss=SoftmaxCrossEntropy())
