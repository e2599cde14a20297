"""Is the reported loss that of the predictions? Asked before anything else."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.rules.curve import Curve
from diagnostics.rules.implied import ROUNDING
from diagnostics.rules.registry import rule
from diagnostics.rules.run import Run

# An accuracy counts as far above chance from here on: no untrained network reaches it.
FAR_ABOVE_CHANCE = 0.2
# A fault of the evaluation is there from the start; a loss that falls by more is being learned.
STILL_HIGH = 0.7


@rule("evaluation_bug", epochs=3)
def evaluation_bug(run: Run) -> Finding | None:
    """The loss is larger than a guess would cost at every epoch, and yet the model is accurate."""
    if run.judged is None:
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
    if not (at_floor or above_chance) or loss.last < STILL_HIGH * loss.first:
        return None
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
            "Check that predict(X).sum(axis=-1) is 1 in every row; if not, normalise row-wise: "
            "x.max(axis=-1, keepdims=True) and the same for the sum.",
            "Run investigate(predict, X, y, history=...): it proves the cause by experiment.",
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
