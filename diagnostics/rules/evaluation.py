"""Is the reported loss that of the predictions? Asked before anything else."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Evidence, Finding, advice
from diagnostics.rules.features import loss_accuracy_bounds as bounds
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.rules.suggestions import PROVE, ROW_SUMS

# An accuracy counts as far above chance from here on: no untrained network reaches it.
FAR_ABOVE_CHANCE = 0.2
# An accuracy that a model without use for the validation set does not reach.
MOSTLY_RIGHT = 0.5
# Where the training accuracy says so too, an accuracy that something was learned for.
LEARNS = 0.15
# The first validation loss is that of training plus ln N, to this share of ln N.
NEAR_FLOOR = 0.15
# An accuracy that gains so much is not held up by other data.
CARRIES_OVER = 0.3
# Before anything is learned softmax over a batch of B rows costs ln(B C) in training: less than
# this for a thousand rows of a thousand classes.
BEYOND_ANY_GUESS = 13.8
# A constant on top leaves the fall of a loss what the accuracy implies: so many times that, for a
# model that is too sure at first, and so many nats.
MOST_LEARNED, LEARNED_AT_LEAST = 2.0, 0.5
# Losses within this factor at equal accuracy are one quantity, wrong or right.
ONE_QUANTITY = 1.5
# Where N is unknown: ln 20, less that share.
LEAST_ADDED = 2.5


def evaluation_bug(run: Run) -> Finding | None:
    """The loss is larger than a guess would cost at every epoch, and yet the model is accurate."""
    if run.pair is None:
        return None
    loss, accuracy = run.pair
    lowest = float(loss.values.min())
    shifted = _starts_far_above(run)
    floor = float(np.log(run.samples)) if run.samples else np.inf
    at_floor = lowest >= floor * (1 - bounds.ROUNDING) and (shifted or lowest > run.chance / 2)
    if not shifted and not _too_large_throughout(run, loss, accuracy, at_floor):
        return None
    return Finding(
        message=_too_high_text(run, loss, accuracy, at_floor),
        epochs=loss.span,
        confidence=0.97 if at_floor and (shifted or lowest > run.chance) else 0.85,
        evidence=_too_high_evidence(run, loss, accuracy, at_floor),
        causes=(
            "softmax normalised over the whole batch in evaluation: each row sums to 1/N, which "
            "adds ln N to the loss",
            "the loss is given logits where it expects probabilities, or the reverse",
            "the loss is computed from other labels or predictions than the accuracy",
            "inputs so large that wrong predictions cost tens of nats each",
        ),
        steps=advice(
            ROW_SUMS,
            PROVE,
            "Normalise row-wise: axis=-1 and keepdims=True for both the maximum and the sum.",
            "Do not regularise or stop early on this curve: it is not the loss of the model.",
        ),
    )


def _starts_far_above(run: Run) -> bool:
    """Whether a constant such as ln N is added to the loss from the start, and yet it is learned.

    Before anything is learned all logits are alike, and whole-batch softmax spreads over N C of
    them what row-wise softmax spreads over C: the loss is ln C + ln N, and stays above ln N.
    """
    val = run.joint("val_loss", "val_accuracy")
    if val is None or run.sure_at_once:
        return False
    loss, accuracy = val
    learned = run.train_accuracy is not None and not run.apart and not run.val_at_chance
    if accuracy.end_level < (LEARNS if learned else MOSTLY_RIGHT):
        return False
    costs = bounds.calibrated_loss(accuracy.values, run.classes)
    implied = float(costs[0])
    sound = run.train_loss is not None and not run.starts_too_large
    start = run.train_loss.first if run.train_loss is not None and sound else implied
    added, lowest = loss.first - start, float(loss.values.min())
    if loss.first - lowest > MOST_LEARNED * (implied - float(costs.min())) + LEARNED_AT_LEAST:
        return False  # what falls by more than the answers explain has no constant on top of it
    floor = float(np.log(run.samples)) if run.samples else 0.0
    if floor and abs(added - floor) < NEAR_FLOOR * floor:
        return lowest >= floor * (1 - bounds.ROUNDING)
    gained = accuracy.end_level - accuracy.first
    if accuracy.end_level < MOSTLY_RIGHT or gained < (CARRIES_OVER if run.apart else 0.0):
        return False
    m = run.matched
    scaled = m is not None and m.parallel and m.factor > ONE_QUANTITY
    return added > max(LEAST_ADDED, start) and lowest > bounds.STILL_HIGH * added and not scaled


def _too_large_throughout(run: Run, loss: Curve, accuracy: Curve, at_floor: bool) -> bool:
    """Whether the loss is above that of a guess, or ln N, at all epochs of an accurate model."""
    chance_accuracy = 1 / run.classes if run.classes else 0.3
    above_chance = float(accuracy.values.max()) - chance_accuracy
    if run.apart or not run.exceeds(above_chance, FAR_ABOVE_CHANCE):
        return False
    if loss.role == "val_loss" and run.train_loss and run.train_loss.first > BEYOND_ANY_GUESS:
        return False  # far too sure, or a sum, in training already
    lowest = float(loss.values.min())
    # A loss that is merely scaled falls as the accuracy rises.
    if lowest < bounds.STILL_HIGH * loss.first or not (at_floor or run.exceeds(lowest, run.chance)):
        return False
    # Between two classes doubt alone brings a loss near that of a guess.
    implied = bounds.calibrated_loss(accuracy.values, run.classes)
    return run.exceeds(float(np.median(loss.values / implied)), bounds.TOO_LARGE)


def _added(run: Run, loss: Curve) -> float | None:
    """By how much validation starts above training, None where one of the two is not logged."""
    if run.train_loss is None or loss.role != "val_loss":
        return None
    return loss.first - run.train_loss.first


def _too_high_evidence(run: Run, loss: Curve, accuracy: Curve, at_floor: bool) -> Evidence:
    """The numbers that show it."""
    evidence: dict[str, float | int | str] = {
        "lowest loss": float(loss.values.min()),
        "best accuracy": float(accuracy.values.max()),
    }
    if loss.values.min() > run.chance:
        classes = run.classes or "as many as 1000"
        evidence[f"loss of a uniform guess over {classes} classes"] = run.chance
    if at_floor and run.samples:
        evidence[f"ln N with N = {run.samples} samples"] = float(np.log(run.samples))
    added = _added(run, loss)
    if added is not None:
        evidence["first validation - first training loss"] = added
    return evidence


def _too_high_text(run: Run, loss: Curve, accuracy: Curve, at_floor: bool) -> str:
    """The finding in a sentence, with the strongest evidence."""
    which = "validation" if loss.role == "val_loss" else "reported"
    lowest, added = float(loss.values.min()), _added(run, loss)
    guess = f", where guessing costs at most {run.chance:.3g}" if lowest > run.chance else ""
    text = (
        f"The {which} loss is wrong, not the model: it never falls below {lowest:.3g}{guess}, "
        f"while {accuracy.values.max():.1%} of the answers are right."
    )
    if at_floor and run.samples:
        return (
            f"{text} It stays above ln {run.samples} = {np.log(run.samples):.3g}, as when softmax "
            f"is taken over all {run.samples} rows together."
        )
    if added is not None and not guess:
        return (
            f"{text} It starts {added:.3g} above the training loss, before anything can be "
            "memorised, and stays that far up."
        )
    return text
