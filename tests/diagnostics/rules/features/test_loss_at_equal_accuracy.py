"""Losses compared at equal accuracy: what is one quantity, and what is not."""

import numpy as np
import pytest

from diagnostics import diagnose
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.loss_accuracy_bounds import cost_of_an_error
from diagnostics.rules.features.loss_at_equal_accuracy import match
from diagnostics.rules.features.rate_of_descent import falls_steadily


def pair(name, losses, accuracies):
    epochs = np.arange(float(len(losses)))
    return (
        Curve(f"{name}_loss", epochs, np.asarray(losses, float)),
        Curve(f"{name}_accuracy", epochs, np.asarray(accuracies, float)),
    )


def learned(epochs, pace):
    """A cross-entropy as a function of the accuracy alone, at a given pace."""
    accuracy = 1 - 0.9 * np.exp(-pace * np.arange(epochs))
    return 2.5 * (1 - accuracy), accuracy


@pytest.mark.parametrize("factor", [1.0, 32.0, 0.02])
def test_a_constant_factor_is_measured_whatever_the_paces(factor):
    loss, accuracy = learned(30, 0.3)
    val_loss, val_accuracy = learned(30, 0.1)

    matched = match(pair("train", loss, accuracy), pair("val", factor * val_loss, val_accuracy))

    assert matched.ratio == pytest.approx(factor, rel=0.05)
    assert matched.parallel
    assert matched.constant


def test_a_loss_that_does_not_follow_is_not_parallel():
    loss, accuracy = learned(30, 0.3)
    _, val_accuracy = learned(30, 0.2)
    val_loss = 6.0 + 0.05 * np.arange(30)

    matched = match(pair("train", loss, accuracy), pair("val", val_loss, val_accuracy))

    assert matched.ratio > 3
    assert not matched.parallel
    assert not matched.constant


def test_nothing_is_compared_without_common_accuracies():
    loss, accuracy = learned(30, 0.3)

    assert match(pair("train", loss, accuracy), pair("val", loss, 0.05 * accuracy)) is None
    assert match(pair("train", 0 * loss, accuracy), pair("val", loss, accuracy)) is None


@pytest.mark.parametrize("right", [0.5, 0.7, 0.9])
def test_a_calibrated_answer_costs_more_than_its_square(right):
    entropy = -right * np.log(right) - (1 - right) * np.log(1 - right)
    square = 2 * right * (1 - right)

    costs = [cost_of_an_error(*pair("train", [c] * 3, [right] * 3)) for c in (entropy, square)]

    assert costs[0] >= 2 * np.log(2) - 1e-9
    assert 1 <= costs[1] <= 2


def test_a_slow_fall_is_steady_and_a_settled_one_is_not():
    time = np.arange(40.0)
    noise = 1e-4 * np.random.default_rng(0).normal(size=40)

    assert falls_steadily(Curve("train_loss", time, 2.3 - 0.001 * time + noise))
    assert not falls_steadily(Curve("train_loss", time, 2 + 0.3 * np.exp(-time / 2) + noise))
    assert not falls_steadily(Curve("train_loss", time, 2.3 + noise))


def test_softmax_applied_twice_is_told_from_its_floor():
    time = np.arange(30)
    accuracy = 0.99 - 0.89 * np.exp(-time / 4)
    floor = np.log(9 + np.e)
    curves = {"loss": list(floor - accuracy + 0.005), "accuracy": list(accuracy)}

    finding = diagnose(curves).primary

    assert finding.code == "softmax_twice"
    assert "10 classes" in finding.message


def test_losses_alone_that_differ_by_a_factor_are_not_one_quantity():
    time = np.arange(30)
    loss = 0.4 + 1.5 * np.exp(-time / 5)
    curves = {"loss": list(64 * loss), "val_loss": list(1.1 * loss)}

    assert diagnose(curves).primary.code == "loss_scale_mismatch"


def test_a_validation_loss_that_never_fell_is_not_overfitting():
    time = np.arange(40)
    curves = {
        "train_loss": list(2.0 * np.exp(-time / 6) + 0.01),
        "val_loss": list(5.5 + 0.08 * time),
    }

    report = diagnose(curves)

    assert report.primary.code == "evaluation_bug"
    assert "overfitting" not in report


def test_validation_of_the_training_samples_is_a_leak():
    rng = np.random.default_rng(0)
    train = 2.3 * np.exp(-np.arange(60) / 9) * (1 + 0.01 * rng.normal(size=60))
    val = np.append(np.sqrt(train[:-1] * train[1:]), train[-1])

    assert "train_validation_overlap" in diagnose({"loss": list(train), "val_loss": list(val)})


def test_a_run_that_is_nan_from_the_first_epoch_is_named():
    nothing = [float("nan")] * 10

    assert diagnose({"loss": nothing, "val_loss": nothing}).primary.code == "exploding_or_nan"


def test_steps_are_called_steps():
    records = [{"step": 10 * i, "train_loss": 1.0 + 0.2 * max(i - 20, 0)} for i in range(60)]

    finding = diagnose(records)["exploding_or_nan"]

    assert finding.axis == "step"
    assert finding.span.startswith("steps ")
