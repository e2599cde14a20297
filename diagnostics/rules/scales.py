"""Are the losses given in one unit? Sums against means, and other losses than the one reported."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.rules.curve import Curve
from diagnostics.rules.evaluation import STILL_HIGH
from diagnostics.rules.implied import (
    ASSUMED_CLASSES,
    bound_evidence,
    calibrated_loss,
    equally_accurate,
    off_by,
    parallel,
    share_impossible,
)
from diagnostics.rules.registry import rule
from diagnostics.rules.run import Run

# A loss this many times the other, from the first epochs on and at equal accuracy, is another loss.
OTHER_SCALE = 3.0
# A calibrated classifier's loss lies within a factor of 3 of the entropy its accuracy implies.
TOO_LARGE_FOR_ACCURACY = 6.0
# Share of epochs that must break a bound: one bad row of a log is not a finding.
MOST_EPOCHS = 0.8


@rule(
    "other_loss_trained",
    needs=("train_loss", "val_loss", "train_accuracy", "val_accuracy"),
    epochs=3,
)
def other_loss_trained(run: Run) -> Finding | None:
    """The training loss is too small to be the cross-entropy that validation reports."""
    train, val = run.joint("train_loss", "train_accuracy"), run.joint("val_loss", "val_accuracy")
    if train is None or val is None:
        return None
    if not run.exceeds(share_impossible(*train), MOST_EPOCHS) or share_impossible(*val) > 0.2:
        return None
    if not _may_be_squared_error(train[0], val[0], run.classes):
        return None
    return Finding(
        code="other_loss_trained",
        severity=Severity.WARNING,
        message=(
            "The training loss is smaller than any cross-entropy can be at the training accuracy, "
            "the validation loss is not: another loss is descended than is reported."
        ),
        epochs=train[0].span,
        confidence=0.75,
        evidence=bound_evidence(*train),
        causes=(
            "training descends the squared error, validation reports the cross-entropy",
            "the training loss is divided twice, or by the number of classes",
        ),
        next_steps=(
            "Report the same loss for both, and check that the gradient is the gradient of it: "
            "for softmax with cross-entropy, p - t with respect to the logits.",
        ),
    )


@rule(
    "loss_scale_mismatch",
    needs=("train_loss", "val_loss"),
    epochs=3,
    unless=("evaluation_bug", "other_loss_trained"),
)
def loss_scale_mismatch(run: Run) -> Finding | None:
    """One loss is a constant multiple of the other from the first epochs on."""
    pair = run.joint("train_loss", "val_loss")
    if pair is None or not equally_accurate(run):
        return None
    train, val = pair
    early = max(3, len(train) // 3)
    if (train.values[:early] <= 0).any() or (val.values[:early] <= 0).any():
        return None
    ratios = val.values[:early] / train.values[:early]
    factor = float(np.median(ratios))
    larger = max(factor, 1 / factor)
    if not run.exceeds(larger, OTHER_SCALE):
        return None
    if not np.all(np.maximum(ratios, 1 / ratios) > OTHER_SCALE / 1.5):
        return None
    # A validation loss that is off and does not fall is no multiple of a right one.
    falls = val.last < STILL_HIGH * val.first
    if off_by(run, "val", early) > off_by(run, "train", early) and not (
        falls or parallel(train, val)
    ):
        return None
    bigger, smaller = ("validation", "training") if factor > 1 else ("training", "validation")
    return Finding(
        code="loss_scale_mismatch",
        severity=Severity.PROBLEM,
        message=(
            f"The {bigger} loss is {larger:.3g} times the {smaller} loss from the first epochs on, "
            "while both accuracies agree: the two are not the same quantity."
        ),
        epochs=train.span,
        confidence=0.9,
        evidence={
            f"{bigger} / {smaller} loss, median of the first epochs": larger,
            "first training loss": train.first,
            "first validation loss": val.first,
        },
        causes=(
            f"the {bigger} loss is a sum over a batch, or over a data set, the other a mean",
            "one is the mean per batch, the other per sample",
            f"the {smaller} loss is divided by the number of classes or accumulation steps",
            "a weight penalty is added to one of the two",
        ),
        next_steps=(
            f"Divide both losses by the number of samples they were summed over; "
            f"look for {larger:.0f} among batch size, number of batches and classes.",
            "Compute both with the same function on the same samples and compare.",
        ),
    )


@rule(
    "loss_scale_mismatch",
    epochs=3,
    unless=("loss_scale_mismatch", "other_loss_trained", "evaluation_bug"),
)
def loss_too_large_for_accuracy(run: Run) -> Finding | None:
    """The loss is a constant multiple of what the accuracy implies."""
    if run.judged is None:
        return None
    loss, accuracy = run.judged
    expected = calibrated_loss(accuracy.values, run.classes or ASSUMED_CLASSES)
    ratios = loss.values / expected
    factor = float(np.median(ratios))
    if not run.exceeds(factor, TOO_LARGE_FOR_ACCURACY) or np.quantile(ratios, 0.1) < factor / 2:
        return None
    if not parallel(Curve("expected", loss.epochs, expected), loss):
        return None
    return Finding(
        code="loss_scale_mismatch",
        severity=Severity.WARNING,
        message=(
            f"The loss is some {factor:.0f} times what a classifier of this accuracy has, at every "
            "epoch alike: probably a sum where a mean is meant."
        ),
        epochs=loss.span,
        confidence=0.7,
        evidence={
            "loss / loss that the accuracy implies": factor,
            "first loss": loss.first,
            "first accuracy": accuracy.first,
        },
        causes=("the loss is summed over the batch", "a large penalty is added to the loss"),
        next_steps=("Divide the reported loss by the number of samples it was summed over.",),
    )


def _may_be_squared_error(train: Curve, val: Curve, classes: int | None) -> bool:
    """Whether the first training loss is what squared error gives near chance.

    A uniform guess costs 1 - 1/C summed over the classes, (1 - 1/C) / C as their mean.
    """
    guessed = classes or max(2, round(float(np.exp(min(val.first, 7.0)))))
    total = 1 - 1 / guessed
    return any(0.4 < train.first / expected < 1.5 for expected in (total, total / guessed))
