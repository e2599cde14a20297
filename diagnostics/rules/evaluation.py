"""Is the reported loss that of the predictions? Asked before anything else."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.rules.curve import Curve
from diagnostics.rules.implied import ASSUMED_CLASSES, ROUNDING, calibrated_loss
from diagnostics.rules.measurements import INVESTIGATE, ROW_SUMS
from diagnostics.rules.registry import rule
from diagnostics.rules.run import Run

# An accuracy counts as far above chance from here on: no untrained network reaches it.
FAR_ABOVE_CHANCE = 0.2
# A fault of the evaluation is there from the start; a loss that falls by more is being learned.
STILL_HIGH = 0.8
# An accuracy that a model without use for the validation set does not reach.
MOSTLY_RIGHT = 0.5
# A first loss so many times what its accuracy implies: no model is as sure of itself in epoch one.
TOO_LARGE = 2.5
# Without an accuracy: other data double the first loss at most, whole-batch softmax adds ln N.
FAR_ABOVE = 2.0


@rule("evaluation_bug", epochs=3)
def evaluation_bug(run: Run) -> Finding | None:
    """The loss is larger than a guess would cost at every epoch, and yet the model is accurate."""
    if run.judged is None or run.diverges or run.apart:
        return None
    loss, accuracy = run.judged
    lowest, best = float(loss.values.min()), float(accuracy.values.max())
    chance_accuracy = 1 / run.classes if run.classes else 0.3
    if not run.exceeds(best - chance_accuracy, FAR_ABOVE_CHANCE):
        return None
    floor = float(np.log(run.samples)) if run.samples else np.inf
    at_floor = lowest >= floor * (1 - ROUNDING) and lowest > run.chance / 2
    above_chance = run.exceeds(lowest, run.chance)
    # A loss that is merely scaled falls as the accuracy rises.
    if not (at_floor or above_chance) or loss.values.min() < STILL_HIGH * loss.first:
        return None
    implied = calibrated_loss(accuracy.values, run.classes or ASSUMED_CLASSES)
    if not run.exceeds(float(np.median(loss.values / implied)), TOO_LARGE):
        return None  # between two classes doubt alone brings a loss near that of a guess
    evidence: dict[str, float | int | str] = {
        "lowest loss": lowest,
        "best accuracy": best,
        f"loss of a uniform guess over {run.classes or 'as many as 1000'} classes": run.chance,
    }
    if at_floor and run.samples:
        evidence[f"ln N with N = {run.samples} samples"] = floor
    return Finding(
        code="evaluation_bug",
        severity=Severity.PROBLEM,
        message=_too_high_text(loss, lowest, best, run, at_floor),
        epochs=loss.span,
        confidence=0.97 if at_floor and above_chance else 0.85,
        evidence=evidence,
        causes=(
            "softmax normalised over the whole batch in evaluation: each row sums to 1/N, which "
            "adds ln N to the loss",
            "the loss is given logits where it expects probabilities, or the reverse",
            "the loss is computed from other labels or predictions than the accuracy",
            "inputs so large that wrong predictions cost tens of nats each",
        ),
        next_steps=(
            ROW_SUMS,
            f"{INVESTIGATE}  # proves the cause",
            "Normalise row-wise: axis=-1 and keepdims=True for both the maximum and the sum.",
            "Do not regularise or stop early on this curve: it is not the loss of the model.",
        ),
    )


def _too_high_text(loss: Curve, lowest: float, best: float, run: Run, at_floor: bool) -> str:
    """The finding in a sentence, with the strongest evidence."""
    which = "validation" if loss.role == "val_loss" else "reported"
    text = (
        f"The {which} loss is wrong, not the model: it never falls below {lowest:.3g}, "
        f"where guessing costs at most {run.chance:.3g}, while {best:.1%} of the answers are right."
    )
    if at_floor:
        text += " It stays above ln N, as when softmax is taken over all N rows together."
    return text


@rule("evaluation_bug", needs=("val_loss", "val_accuracy"), unless=("evaluation_bug",))
def rises_with_the_accuracy(run: Run) -> Finding | None:
    """The loss is far too large for its accuracy at the start, and rises while that improves."""
    if run.judged is None or run.diverges or run.apart or run.matched is not None:
        return None
    loss, accuracy = run.judged
    gain = accuracy.last - accuracy.first
    if not loss.rise.real or gain < FAR_ABOVE_CHANCE / 4 or accuracy.last < MOSTLY_RIGHT:
        return None
    implied = float(calibrated_loss(accuracy.values[:1], run.classes or ASSUMED_CLASSES)[0])
    if loss.values.min() < STILL_HIGH * loss.first or not run.exceeds(
        loss.first / implied, TOO_LARGE
    ):
        return None
    return Finding(
        code="evaluation_bug",
        severity=Severity.PROBLEM,
        message=(
            f"The loss is wrong, not the model: it starts at {loss.first:.3g}, "
            f"{loss.first / implied:.2g} times what {accuracy.first:.0%} right answers cost, and "
            f"rises to {loss.last:.3g} while {accuracy.last:.0%} become right. Overfitting and "
            "overconfidence begin with a fall."
        ),
        epochs=loss.span,
        confidence=0.75,
        evidence={
            "first loss": loss.first,
            "loss that the first accuracy implies": implied,
            "first accuracy": accuracy.first,
            "last accuracy": accuracy.last,
        },
        causes=(
            "softmax normalised over the whole batch in evaluation, or along the wrong axis",
            "the loss is given logits where it expects probabilities, or the reverse",
        ),
        next_steps=(ROW_SUMS, f"{INVESTIGATE}  # proves the cause"),
    )


@rule("evaluation_bug", needs=("train_loss", "val_loss"), unless=("evaluation_bug",))
def rises_from_above(run: Run) -> Finding | None:
    """Validation starts far above training and only rises, and its accuracy does not explain it."""
    train, val = run.train_loss, run.val_loss
    if train is None or val is None or run.diverges or run.apart or not run.never_improved:
        return None
    accuracy = run.val_accuracy
    if accuracy is None and not run.exceeds(val.first / train.first, FAR_ABOVE):
        return None
    if accuracy is not None and accuracy.values.max() < MOSTLY_RIGHT:
        return None
    knows = f", while {accuracy.last:.1%} of its answers are right" if accuracy else ""
    return Finding(
        code="evaluation_bug",
        severity=Severity.PROBLEM,
        message=(
            f"The validation loss starts at {val.first / train.first:.3g} times the training loss "
            f"and only rises{knows}: it is not computed as the training loss is. Overfitting would "
            "begin with a fall."
        ),
        epochs=val.span,
        confidence=0.75 if accuracy else 0.6,
        evidence={
            "first training loss": train.first,
            "first validation loss": val.first,
            "lowest / first validation loss": float(val.values.min()) / val.first,
            "last / first training loss": train.last / train.first,
        },
        causes=(
            "softmax normalised over the whole batch in evaluation, or along the wrong axis",
            "the validation inputs or labels differ from those of training (distribution_shift)",
            "the evaluation loss is computed by other code than the training loss",
        ),
        next_steps=(
            ROW_SUMS,
            f"{INVESTIGATE}  # proves the cause",
        ),
    )
