"""Can loss and accuracy be those of the same predictions? Bounds that every right pair obeys."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, advice
from diagnostics.rules.evaluation import MOSTLY_RIGHT
from diagnostics.rules.features import loss_accuracy_bounds as bounds
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.rules.scales import MOST_EPOCHS, TOO_LARGE_FOR_ACCURACY
from diagnostics.rules.suggestions import INVESTIGATE, PROVE, ROW_SUMS, ROW_WISE

# Beyond so many classes ln(C - 1 + e) takes any value within the tolerance.
MOST_TWICE = 30
# Fewer right answers leave rows that are not saturated.
ACCURATE = 0.8
# How far loss + accuracy may be from its limit, and move in the second half of the run.
SATURATED = 0.05
# A training loss that fell to this share knows no floor.
LEARNED = 0.05
# A loss that has a floor ends at its lowest.
SETTLED = 1.02


def loss_beyond_any_answer(run: Run) -> Finding | None:
    """Wrong answers would have to cost more than any probability does, so few are there."""
    pair = run.joint("val_loss", "val_accuracy")
    if pair is None or pair[1].end_level < MOSTLY_RIGHT:
        return None
    cost = bounds.least_cost_of_an_error(*pair, run.classes)
    if not run.exceeds(cost, bounds.MOST_NATS):
        return None
    loss, accuracy = pair
    return Finding(
        message=(
            f"The validation loss is wrong, not the model: it ends at {loss.last:.3g} while "
            f"{accuracy.last:.1%} of the answers are right, so that each wrong one would have to "
            f"cost about {cost:.3g} nats, where the smallest number in single precision costs "
            f"{bounds.MOST_NATS:.0f}."
        ),
        epochs=loss.span,
        confidence=0.8,
        evidence={
            "last loss": loss.last,
            "last accuracy": accuracy.last,
            "least cost of a wrong answer": cost,
        },
        causes=(
            "the loss is computed from other labels or predictions than the accuracy",
            "softmax normalised over the whole batch in evaluation, or along the wrong axis",
            "the loss is a sum over samples",
            "logits so large that they overflow",
        ),
        steps=advice(ROW_SUMS, PROVE, ROW_WISE),
    )


def not_cross_entropy(run: Run) -> Finding | None:
    """The loss is some other loss than the cross-entropy, consistently; nothing wrong in that."""
    if run.pair is None or not run.exceeds(bounds.share_impossible(*run.pair), MOST_EPOCHS):
        return None
    return Finding(
        message=(
            "The loss is smaller than any cross-entropy at this accuracy: it is another loss, "
            "such as the squared error, or is scaled."
        ),
        epochs=run.pair[0].span,
        confidence=0.95,
        evidence=bounds.bound_evidence(*run.pair),
    )


def softmax_twice(run: Run) -> Finding | None:
    """Loss and accuracy add up to one number, which is what probabilities as logits give."""
    for pair in (run.joint("train_loss", "train_accuracy"), run.pair):
        if pair is None:
            continue
        loss, accuracy = pair
        beside = run.train_loss if loss.role == "val_loss" else None
        classes = _classes_of_double_softmax(loss, accuracy, beside)
        if classes is None:
            continue
        floor = float(np.log(classes - 1 + np.e) - 1)
        which = "validation" if loss.role == "val_loss" else "training"
        sound = run.train_loss is not None and run.train_loss.end_level < floor
        return Finding(
            code="evaluation_bug" if sound else "softmax_twice",
            message=(
                f"The {which} loss rests at about {loss.end_level:.3g} although "
                f"{accuracy.last:.1%} of the answers are right: softmax seems to be applied "
                f"twice. With {classes} classes such a loss cannot fall below {floor:.3f}."
            ),
            epochs=loss.span,
            confidence=0.8,
            evidence={
                "last loss + last accuracy": loss.last + accuracy.last,
                f"ln(C - 1 + e) with C = {classes}": floor + 1,
                "last loss": loss.last,
                "last accuracy": accuracy.last,
            },
            causes=(
                "the model ends in softmax and the loss takes logits and applies it again",
                "strong label smoothing, whose loss has a floor too",
            ),
            steps=advice(
                "Give the loss the logits: remove the last softmax, or use the loss for "
                "probabilities (from_logits=False, NLLLoss on log-probabilities).",
                INVESTIGATE.saying("decides"),
            ),
        )
    return None


def _classes_of_double_softmax(loss: Curve, accuracy: Curve, beside: Curve | None) -> int | None:
    """Return C where saturated probabilities taken as logits explain loss and accuracy.

    The softmax of a one-hot row gives its class e / (C - 1 + e), every other 1 / (C - 1 + e): a
    right answer costs ln(C - 1 + e) - 1, a wrong one ln(C - 1 + e). Hence loss + accuracy =
    ln(C - 1 + e).
    """
    total = loss.values + accuracy.values
    later = total[len(total) // 2 :]
    level = float(np.median(later))
    classes = round(float(np.exp(level) - np.e + 1)) if level < np.log(MOST_TWICE) else 0
    if classes < 2 or accuracy.end_level < ACCURATE:
        return None
    expected = float(np.log(classes - 1 + np.e))
    # Beside a training loss near zero a validation loss at its lowest needs less of a proof.
    spread = 3 if beside is not None and beside.end_level < LEARNED * beside.first else 2
    # Not wholly saturated rows cost a little more.
    near = -SATURATED / 3 < level - expected < SATURATED
    steady = float(np.ptp(later)) < SATURATED
    far = (
        loss.end_level
        > TOO_LARGE_FOR_ACCURACY / spread * bounds.calibrated_loss(accuracy.values, classes)[-1]
    )
    # Bounded on both sides in every epoch, and lowest at the end.
    bounded = expected - 1 < loss.values.min() <= loss.values.max() < expected
    settled = loss.end_level < SETTLED * loss.values.min()
    return classes if near and steady and far and bounded and settled else None
