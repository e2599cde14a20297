"""Training: it learns, records every epoch, is reproducible, and stops at nonsense."""

import numpy as np
import pytest

from network import (
    SGD,
    MeanSquaredError,
    Sequential,
    Softmax,
    evaluate,
    fit,
    load_mnist,
    mlp,
)

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


def test_a_loss_that_is_not_finite_stops_with_place_and_cause():
    model = mlp([784, 16, 10])
    model.layers[0].params["W"][0, 0] = np.nan

    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 1 of 2: W of layer 0"):
        fit(model, DIGITS.X_train[:64], DIGITS.y_train[:64], epochs=1, progress=False)


def test_a_learning_rate_far_too_high_ends_in_the_same_error():
    model = mlp([784, 16, 10])

    with pytest.raises(FloatingPointError, match=r"epoch \d, batch \d+ of 10: .*Lower the"):
        fit(
            model,
            DIGITS.X_train[:320],
            DIGITS.y_train[:320],
            epochs=9,
            optimizer=SGD(1e30),
            progress=False,
        )


def test_a_validation_loss_that_is_not_finite_is_no_record():
    with pytest.raises(FloatingPointError, match="validation after epoch 1"):
        fit(
            mlp([784, 16, 10]),
            DIGITS.X_train[:32],
            DIGITS.y_train[:32],
            validation=(DIGITS.X_test, DIGITS.y_test),
            epochs=1,
            optimizer=SGD(1e30),
            progress=False,
        )


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (DIGITS.X_train[:5, :700], DIGITS.y_train[:5], "700 features"),
        (DIGITS.X_train[:0], DIGITS.y_train[:0], "not empty"),
        (DIGITS.X_train[:5], DIGITS.y_train[:4], "expected 5 integer labels"),
        (DIGITS.X_train[:5], DIGITS.y_train[:5].astype(float), "integer labels"),
        (DIGITS.X_train[:5], DIGITS.y_train[:5] + 10, "expected 0 to 9"),
        (np.full((5, 784), np.nan), DIGITS.y_train[:5], "not finite"),
        (np.full((5, 784), 1e300), DIGITS.y_train[:5], "not finite in float32"),
        (np.full((5, 784), "a"), DIGITS.y_train[:5], "expected real numbers"),
    ],
)
def test_data_that_do_not_fit_are_refused_by_name(X, y, message):
    with pytest.raises(ValueError, match=message):
        fit(mlp([784, 10]), X, y, epochs=1, progress=False)


@pytest.mark.parametrize("option", ["epochs", "batch_size"])
def test_counts_below_one_are_refused(option):
    with pytest.raises(ValueError, match=f"{option}=0"):
        fit(mlp([784, 10]), DIGITS.X_train[:5], DIGITS.y_train[:5], **{option: 0})


def test_validation_data_are_named_as_such():
    wrong = (DIGITS.X_test[:5], DIGITS.y_test[:4])

    with pytest.raises(ValueError, match=r"validation\[1\]"):
        fit(mlp([784, 10]), DIGITS.X_train[:5], DIGITS.y_train[:5], validation=wrong)


def test_squared_error_on_probabilities_can_be_trained_too():
    model = Sequential([*mlp([784, 16, 10], seed=3).layers, Softmax()])

    records = fit(
        model,
        DIGITS.X_train[:1000],
        DIGITS.y_train[:1000],
        epochs=4,
        optimizer=SGD(1.0, momentum=0.9),
        loss=MeanSquaredError(),
        progress=False,
    )

    assert records[-1]["train_loss"] < records[0]["train_loss"]
    assert records[-1]["train_accuracy"] > 0.5


def test_callback_hears_every_record_and_a_bar_can_be_drawn(capsys):
    heard = []

    records = fit(
        mlp([784, 10]),
        DIGITS.X_train[:64],
        DIGITS.y_train[:64],
        epochs=2,
        progress=True,
        callback=heard.append,
    )

    assert heard == records
    assert capsys.readouterr().out == ""  # the bar goes to stderr
