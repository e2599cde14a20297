"""Can loss and accuracy be those of the same predictions? Bounds that every right pair obeys."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, advice, measure
from diagnostics.rules.evaluation import MOSTLY_RIGHT
from diagnostics.rules.features import loss_accuracy_bounds as bounds
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.rules.scales import MOST_EPOCHS, OTHER_SCALE, TOO_LARGE_FOR_ACCURACY
from diagnostics.rules.suggestions import CROSS_ENTROPY, INVESTIGATE, PROVE, ROW_SUMS, ROW_WISE

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


def losses_disagree_at_equal_accuracy(run: Run) -> Finding | None:
    """At equal accuracy the validation loss is far from the training loss, and unrelated to it."""
    m, val = run.matched, run["val_loss"]
    if m is None or m.parallel:
        return None
    high = val.values.min() >= bounds.STILL_HIGH * val.first
    if not run.exceeds(m.factor, OTHER_SCALE) or not (m.unrelated or high):
        return None
    if run.train_loss and run.train_loss.restless and m.ratios[0] < OTHER_SCALE / 1.5:
        return None  # alike at first: a rate so high drives the validation loss up
    level = float(np.median(m.levels))
    return Finding(
        message=(
            f"At equal accuracy (around {level:.0%}) the validation loss is {m.ratio:.3g} times "
            "the training loss, and it does not follow it: the two are not computed alike."
        ),
        epochs=val.span,
        confidence=0.85,
        evidence={
            "validation / training loss at equal accuracy, median": m.ratio,
            "smallest": float(m.ratios.min()),
            "largest": float(m.ratios.max()),
            "compared from accuracy": float(m.levels[0]),
            "to accuracy": float(m.levels[-1]),
        },
        causes=(
            "softmax normalised over the whole batch in evaluation, or along the wrong axis",
            "the evaluation loss is computed by other code than the training loss",
            "the loss takes probabilities for logits, or the reverse",
            "the validation inputs are not scaled as the training inputs are",
        ),
        steps=advice(
            ROW_SUMS,
            PROVE,
            ROW_WISE,
            measure(
                "loss_of(predict(X_train), y_train)",
                "by the validation code: must be the logged one",
            ),
        ),
    )


def loss_too_small(run: Run) -> Finding | None:
    """The validation loss is too small for its accuracy, while the training loss is not."""
    val, train = run.joint("val_loss", "val_accuracy"), run.joint("train_loss", "train_accuracy")
    if val is None or train is None:
        return None
    if (
        not run.exceeds(bounds.share_impossible(*val), MOST_EPOCHS)
        or bounds.share_impossible(*train) > 0.2
    ):
        return None
    return Finding(
        message=(
            "The validation loss is smaller than a cross-entropy can be with so many wrong "
            "answers: loss and accuracy are not those of the same predictions."
        ),
        epochs=val[0].span,
        confidence=0.85,
        evidence=bounds.bound_evidence(*val),
        causes=(
            "the sum over samples is divided by more samples than were summed",
            "loss and accuracy are computed on different samples or modes",
            "the validation loss is another loss than the training loss",
        ),
        steps=advice(
            CROSS_ENTROPY,
            "Sum the losses of all validation samples, then divide by their number, once.",
        ),
    )


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
