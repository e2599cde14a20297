"""Are training and validation what they are called? Exchanged and unlike sets."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.rules.registry import rule
from diagnostics.rules.run import Run

# With these nothing can be said about generalisation.
WRONG_NUMBERS = (
    "evaluation_bug",
    "loss_scale_mismatch",
    "exploding_or_nan",
    "train_validation_swapped",
    "not_learning",
    "class_collapse",
)
# Validation below training by this factor at the end, and nearly equal at the start.
SWAPPED_RATIO = 0.7
EQUAL_START = 0.9
# Over the second half of the run, the share of the loss left: at rest, and clearly falling.
RESTS = 0.9
HALVED = 0.5
# Training more accurate by this much in the first epochs already, and to the end.
EARLY_GAP = 0.2
# A shifted set gains at most this share of what the training accuracy gains.
LITTLE_GAIN = 0.35


@rule("train_validation_swapped", needs=("train_loss", "val_loss"), unless=WRONG_NUMBERS)
def train_validation_swapped(run: Run) -> Finding | None:
    """The curve called validation behaves like training, and the reverse."""
    train, val = run.train_loss, run.val_loss
    if train is None or val is None or min(val.values.min(), train.values.min()) <= 0:
        return None
    start = float(np.median(val.part(0.0, 0.1))) / float(np.median(train.part(0.0, 0.1)))
    end = val.last / train.last
    if not run.exceeds(SWAPPED_RATIO, end) or start < EQUAL_START or val.rise.real:
        return None
    # What helps validation while it leaves training where it is: only being trained on.
    val_left, train_left = (c.last / float(np.median(c.part(0.4, 0.6))) for c in (val, train))
    apart = train_left > RESTS and run.exceeds(HALVED, val_left)
    if not apart and not run.exceeds(train.rise.margin, 1.0):
        return None
    return Finding(
        code="train_validation_swapped",
        severity=Severity.PROBLEM,
        message=(
            f"The {'training loss rises' if train.rise.real else 'training loss rests'} while the "
            f"validation loss falls to {end:.0%} of it: the two are exchanged."
        ),
        epochs=(float(train.epochs[train.rise.onset]), float(train.epochs[-1])),
        confidence=0.9,
        evidence={
            "validation / training loss at the start": start,
            "validation / training loss at the end": end,
            "rise of the training loss in noise levels": train.rise.statistic,
        },
        causes=(
            "the two losses are stored under each other's name",
            "the model is fitted on the validation set and evaluated on the training set",
        ),
        next_steps=(
            "Check which set each number is computed on, and which one the optimiser sees.",
        ),
    )


@rule(
    "distribution_shift", needs=("val_loss", "train_accuracy", "val_accuracy"), unless=WRONG_NUMBERS
)
def distribution_shift(run: Run) -> Finding | None:
    """Validation is far worse than training from the first epochs on."""
    pair = run.joint("train_accuracy", "val_accuracy")
    if pair is None:
        return None
    gaps = pair[0].values - pair[1].values
    early = float(np.median(gaps[: max(3, len(gaps) // 5)]))
    late = float(np.median(gaps[-max(3, len(gaps) // 5) :]))
    gained = [float(curve.values.max()) - curve.first for curve in pair]
    if gained[1] > LITTLE_GAIN * max(gained[0], early):
        return None
    if not run.exceeds(early, EARLY_GAP) or early < 0.5 * late:
        return None
    return Finding(
        code="distribution_shift",
        severity=Severity.WARNING,
        message=(
            f"Validation is {early:.0%} less accurate than training from the first epochs on and "
            "stays so, before anything can have been memorised: the two sets differ."
        ),
        epochs=pair[0].span,
        confidence=0.7,
        evidence={"early gap of the accuracies": early, "last gap": late},
        causes=(
            "the validation set is preprocessed otherwise: scaling, channel order, label order",
            "the validation set comes from other sources, or has other class shares",
            "evaluation runs in another mode (batch statistics, dropout)",
        ),
        next_steps=(
            "Compare mean and standard deviation of each feature in both sets.",
            "Evaluate the training set with the validation code.",
        ),
    )
