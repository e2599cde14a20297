"""Validation samples in the training set, as far as curves betray them."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.rules.features.run import Run
from diagnostics.rules.registry import rule
from diagnostics.rules.relations import Premise
from diagnostics.rules.suggestions import INVESTIGATE, SHARED_ROWS, SPLIT_FIRST
from diagnostics.statistics.robust import MAD_TO_SIGMA

# A training loss below this share of its start is memorised rather than learned.
MEMORISED = 0.02
# Fewer than 50 samples may happen to be as easy as those of training.
FEW_SAMPLES = 0.02
# Logarithm of validation by training loss over the second half: its level, not above that of
# training, and its spread. Of the sound runs of the corpus that learn as much the nearest has 0.28
# and 0.075, the leaking ones -0.16 to -0.02 and 0.02 at most.
SAME_LEVEL, IN_STEP = (-0.25, 0.15), 0.04
# Logarithm by which the training loss still falls in the second half: less shows no following.
MOVES = 0.2


@rule(
    "train_validation_overlap",
    needs=("train_loss", "val_loss"),
    epochs=12,
    rests_on=(Premise.RATIO,),
)
def train_validation_overlap(run: Run) -> Finding | None:
    """The validation loss goes down with the training loss, step by step, to next to nothing."""
    pair = run.joint("train_loss", "val_loss")
    if pair is None or min(curve.values.min() for curve in pair) <= 0:
        return None
    train, val = (curve.values for curve in pair)
    left = pair[0].end_level / pair[0].first
    # The training loss at the end of an epoch lies between its means over this and the next one.
    lag = np.log(val[:-1] / np.sqrt(train[:-1] * train[1:]))[len(train) // 2 :]
    if run.val_accuracy is not None and run.val_accuracy.one_sample > FEW_SAMPLES:
        return None
    later = np.log(train[len(train) // 2 :])
    if np.ptp(later) < MOVES:
        return None  # two losses at rest do not follow one another
    if not SAME_LEVEL[0] < float(np.median(lag)) < SAME_LEVEL[1]:
        return None
    if not run.exceeds(MEMORISED / left, 1.0):
        return None
    spread = MAD_TO_SIGMA * float(np.median(np.abs(lag - np.median(lag))))
    if not run.exceeds(IN_STEP / max(spread, 1e-12), 1.0):
        return None
    return Finding(
        code="train_validation_overlap",
        severity=Severity.WARNING,
        message=(
            f"The validation loss follows the training loss down to about {left:.1%} of its start, "
            "never leaving it by more than a few per cent: as if both sets held the same samples."
        ),
        epochs=pair[0].span,
        confidence=0.7,
        evidence={
            "training loss over the last epochs / first": left,
            "validation / training loss, median of the second half": float(np.exp(np.median(lag))),
            "spread of its logarithm": spread,
        },
        causes=(
            "validation samples are in the training set: split after augmentation or duplication",
            "the training set itself is evaluated under the name of validation",
            "the task is so easy that nothing is left to learn",
        ),
        next_steps=(
            SHARED_ROWS,
            f"{INVESTIGATE}  # finds near copies too",
            SPLIT_FIRST,
        ),
    )
