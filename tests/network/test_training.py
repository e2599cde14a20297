"""Training: it learns, records every epoch, is reproducible, and stops at nonsense."""

import numpy as np
import pytest

from network import (
    L2,
    SGD,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    MeanSquaredError,
    ReLU,
    Sequential,
    Softmax,
    SoftmaxCrossEntropy,
    StepDecay,
    evaluate,
    fit,
    load_mnist,
    mlp,
)
from network.epoch import drop_faint
from network.factory import OPTIMIZERS, make_optimizer

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


@pytest.mark.parametrize("option", ["epochs", "batch_size"])
def test_counts_below_one_are_refused(option):
    with pytest.raises(ValueError, match=f"{option}=0"):
        fit(mlp([784, 10]), DIGITS.X_train[:5], DIGITS.y_train[:5], **{option: 0})


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


def test_training_leaves_the_models_own_arrays_and_modes_as_they_were():
    model = mlp([784, 8, 10])
    W, dW = model.layers[0].params["W"], model.layers[0].grads["W"]
    before = W.copy()
    model.training = False

    fit(model, DIGITS.X_train[:64], DIGITS.y_train[:64], epochs=1, progress=False)

    assert model.layers[0].params["W"] is W
    assert model.layers[0].grads["W"] is dW
    assert not np.array_equal(W, before)
    assert not model.training
    assert all(layer.keep == 0 and not layer.reuse for layer in model.layers)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_training_steps_are_those_of_the_optimizer_by_hand(name):
    X, y = DIGITS.X_train[:40], DIGITS.y_train[:40]
    trained, by_hand = (mlp([784, 6, 10], dtype=np.float64) for _ in range(2))
    optimizer, loss = make_optimizer(name), SoftmaxCrossEntropy()

    fit(trained, X, y, epochs=1, batch_size=16, optimizer=make_optimizer(name), seed=4)

    order = np.random.default_rng([4, 1]).permutation(40)
    for rows in (order[:16], order[16:32], order[32:]):
        loss.forward(by_hand.forward(X[rows]), y[rows])
        by_hand.backward(loss.backward())
        optimizer.step(by_hand.params, by_hand.grads)
    for key, value in by_hand.params.items():
        np.testing.assert_allclose(trained.params[key], value, rtol=1e-9, atol=1e-12)


def test_the_penalty_is_paid_by_weights_and_reported_apart():
    def weights(penalty):
        model = mlp([784, 8, 10], seed=1)
        record = fit(model, DIGITS.X_train[:320], DIGITS.y_train[:320], epochs=2, penalty=penalty)[
            -1
        ]
        return sum(float((W**2).sum()) for W in model.params.values() if W.ndim > 1), record

    free, without = weights(None)
    shrunk, with_penalty = weights(L2(0.1))

    assert shrunk < 0.9 * free
    assert "penalty" not in without
    # it is that of the weights at the end of the epoch
    assert with_penalty["penalty"] == pytest.approx(0.05 * shrunk, rel=1e-5)


def test_the_schedule_sets_the_learning_rate_and_gives_it_back():
    optimizer = SGD(0.1)

    records = fit(
        mlp([784, 10]),
        DIGITS.X_train[:64],
        DIGITS.y_train[:64],
        epochs=3,
        optimizer=optimizer,
        schedule=StepDecay(0.5, every=1),
    )

    assert [record["learning_rate"] for record in records] == [0.1, 0.05, 0.025]
    assert optimizer.learning_rate == 0.1


def test_early_stopping_goes_back_to_the_best_epoch():
    model = mlp([784, 64, 10], seed=3)
    validation = DIGITS.X_test[:100], DIGITS.y_test[:100]

    records = fit(
        model,
        DIGITS.X_train[:200],
        DIGITS.y_train[:200],
        validation=validation,
        epochs=200,
        optimizer=SGD(0.1, momentum=0.9),
        early_stopping=EarlyStopping(3),
    )

    losses = [record["val_loss"] for record in records]
    assert len(records) == int(np.argmin(losses)) + 1 + 3
    assert evaluate(model, *validation)[0] == pytest.approx(min(losses))


def test_dropout_and_batch_norm_train_and_are_still_in_use():
    first, last = (Dense(i, o, dtype=np.float32) for i, o in ((784, 32), (32, 10)))
    model = Sequential([first, BatchNorm(32, dtype=np.float32), ReLU(), Dropout(0.3), last])

    records = fit(
        model,
        DIGITS.X_train[:2000],
        DIGITS.y_train[:2000],
        validation=(DIGITS.X_test, DIGITS.y_test),
        epochs=3,
    )

    assert records[-1]["val_accuracy"] > 0.85
    once, again = model.predict(DIGITS.X_test[:9]), model.predict(DIGITS.X_test[:9])
    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(once[:1], model.predict(DIGITS.X_test[:1]), rtol=1e-5)


def test_numbers_about_to_be_too_small_are_dropped():
    values = np.array([0.0, 1e-39, -1e-31, 1e-29, np.inf], np.float32)

    drop_faint(values)

    np.testing.assert_array_equal(values, np.array([0, 0, 0, 1e-29, np.inf], np.float32))
