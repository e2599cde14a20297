"""What a loss and an accuracy imply about each other, whatever the model."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Evidence
from diagnostics.history.table import Floats
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run_curves import Logged

# Accuracies within this are equal as far as the loss is concerned.
EQUAL_ACCURACY = 0.12
# Log-log slope of two losses: one if they are the same quantity in two units, zero if unrelated.
PARALLEL_SLOPE = 0.6
# The loss that an accuracy implies hardly depends on the number of classes: ln(C - 1) (1 - a).
ASSUMED_CLASSES = 10
# Rounding of logged values.
ROUNDING = 1e-3
# No probability in single precision costs more: -ln 2^-149.
MOST_NATS = 103.0
# Share of the answers that is taken for wrong where none is.
SURELY_WRONG = 1e-3
# A logged loss below its bound by less may be rounded, or averaged otherwise.
BOUND_SLACK = 0.05
# A first loss so many times what its accuracy implies: no model is as sure of itself in epoch one.
TOO_LARGE = 2.5
# A fault of the evaluation is there from the start; a loss that falls by more is being learned.
STILL_HIGH = 0.8
# Below this share of wrong answers their mean cost hangs on a few samples.
FEWEST_ERRORS = 0.01


def calibrated_loss(accuracy: Floats, classes: int | None) -> Floats:
    """Return the cross-entropy of a calibrated classifier that spreads its doubt evenly.

    With a = accuracy: -a ln a - (1 - a) ln((1 - a) / (C - 1)), C being 10 where it is unknown.
    """
    a = np.clip(accuracy, 1e-3, 1 - 1e-3)
    return np.asarray(
        -a * np.log(a) - (1 - a) * np.log((1 - a) / ((classes or ASSUMED_CLASSES) - 1))
    )


def lower_bound(accuracy: Floats) -> Floats:
    """Return the least cross-entropy at an accuracy.

    A wrong answer has p_true <= 1/2 and costs ln 2 at least: loss >= (1 - accuracy) ln 2.
    """
    return np.asarray((1 - accuracy) * np.log(2.0))


def share_impossible(loss: Curve, accuracy: Curve) -> float:
    """Return the share of epochs with wrong answers at which the loss is below its bound."""
    bound = lower_bound(accuracy.values)
    some_wrong = bound > ROUNDING
    if some_wrong.sum() < 3:
        return 0.0
    return float(np.mean(loss.values[some_wrong] < bound[some_wrong] * (1 - BOUND_SLACK)))


def cost_of_an_error(loss: Curve, accuracy: Curve) -> float | None:
    """Return loss by share of wrong answers in the first epoch, None where hardly any is wrong.

    A calibrated answer that is right with probability c costs -c ln c - (1 - c) ln(1 - c) at
    least, which is 2 ln 2 = 1.39 or more for each wrong answer; as squared error, summed over the
    classes, it costs between 1 and 2. Later epochs have fewer errors to average over.
    """
    wrong = 1 - accuracy.first
    return loss.first / wrong if wrong > FEWEST_ERRORS else None


def least_cost_of_an_error(loss: Curve, accuracy: Curve, classes: int | None) -> float:
    """Return what wrong answers cost at the least over the last third of the run, in nats.

    The class answered has a probability of 1 / C at least, so a right answer costs ln C at most;
    the wrong ones have to bear the rest.
    """
    values, right = loss.part(2 / 3, 1.0), accuracy.part(2 / 3, 1.0)
    rest = values - right * np.log(classes or ASSUMED_CLASSES)
    return float(np.median(rest / (1 - right + SURELY_WRONG)))


def bound_evidence(loss: Curve, accuracy: Curve) -> Evidence:
    """Return the last loss and the least possible one at the last accuracy."""
    return {"last loss": loss.last, "least possible": float(lower_bound(np.array(accuracy.last)))}


def equally_accurate(run: Logged) -> bool:
    """Return whether training and validation accuracy agree in the first third of the run."""
    pair = run.joint("train_accuracy", "val_accuracy")
    if pair is None:
        return False
    early = max(3, len(pair[0]) // 3)
    difference = np.abs(pair[0].values[:early] - pair[1].values[:early])
    return float(np.median(difference)) < EQUAL_ACCURACY


def parallel(one: Curve, other: Curve) -> bool:
    """Return whether two losses move in proportion, by the slope of their logarithms."""
    x, y = np.log(np.maximum(one.values, 1e-300)), np.log(np.maximum(other.values, 1e-300))
    spread = float(np.std(x))
    if spread < 1e-6:
        return True
    slope = float(np.mean((x - x.mean()) * (y - y.mean()))) / spread**2
    return slope > PARALLEL_SLOPE
