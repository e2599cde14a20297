"""Training: it learns, records every epoch, is reproducible, and stops at nonsense."""

import numpy as np
import pytest

from network import SGD, evaluate, fit, load_mnist, mlp

DIGITS = load_mnist()


def test_the_packaged_digits_are_learned_in_three_epochs():
    model = mlp([784, 64, 10], seed=1)

    records = fit(
        model,
        DIGITS.X_train,
        DIGITS.y_train,
        validation=(DIGITS.X_test, DIGITS.y_test),
        epochs=3,
        progress=False,
    )

    assert [record["epoch"] for record in records] == [1, 2, 3]
    assert records[-1]["val_accuracy"] > 0.9
    assert records[-1]["train_loss"] < records[0]["train_loss"]
    assert evaluate(model, DIGITS.X_test, DIGITS.y_test) == pytest.approx(
        (records[-1]["val_loss"], records[-1]["val_accuracy"])
    )


def test_the_same_seed_gives_the_same_weights():
    def train():
        model = mlp([784, 16, 10], seed=2)
        fit(model, DIGITS.X_train[:500], DIGITS.y_train[:500], epochs=2, seed=5, progress=False)
        return model.params

    first, second = train(), train()

    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_momentum_and_plain_descent_follow_their_formulas():
    params = {"w": np.array([1.0])}
    momentum = SGD(0.1, momentum=0.5)
    for _ in range(2):
        momentum.step(params, {"w": np.array([2.0])})

    assert params["w"] == pytest.approx(1 - 0.2 - (0.1 + 0.2))


def test_a_loss_that_is_not_finite_stops_with_place_and_cause():
    model = mlp([784, 16, 10])
    model.layers[0].params["W"][0, 0] = np.nan

    with pytest.raises(FloatingPointError, match=r"epoch 1, step 1: W of layer 0"):
        fit(model, DIGITS.X_train[:64], DIGITS.y_train[:64], epochs=1, progress=False)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (DIGITS.X_train[:5, :700], DIGITS.y_train[:5], "700 features"),
        (DIGITS.X_train[:0], DIGITS.y_train[:0], "at least 1"),
        (DIGITS.X_train[:5], DIGITS.y_train[:4], "expected 5 integer labels"),
        (DIGITS.X_train[:5], DIGITS.y_train[:5].astype(float), "integer labels"),
        (DIGITS.X_train[:5], DIGITS.y_train[:5] + 10, "expected 0 to 9"),
        (np.full((5, 784), np.nan), DIGITS.y_train[:5], "not finite"),
    ],
)
def test_data_that_do_not_fit_are_refused_by_name(X, y, message):
    with pytest.raises(ValueError, match=message):
        fit(mlp([784, 10]), X, y, epochs=1, progress=False)


@pytest.mark.parametrize("option", ["epochs", "batch_size"])
def test_counts_below_one_are_refused(option):
    with pytest.raises(ValueError, match=f"{option}=0"):
        fit(mlp([784, 10]), DIGITS.X_train[:5], DIGITS.y_train[:5], **{option: 0})


@pytest.mark.parametrize("options", [{"learning_rate": 0}, {"momentum": 1}])
def test_an_optimizer_refuses_what_cannot_work(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        SGD(**options)
