"""Models that answer one class, whatever the input."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity, advice
from diagnostics.rules.features.rate_of_descent import falls_steadily
from diagnostics.rules.features.run import Run
from diagnostics.rules.suggestions import PREDICTED_CLASSES

# Training and validation set have the same largest class, of about the same share.
ONE_PRIOR = 0.1
# The largest class differs a little from epoch to epoch where the last batch is dropped.
SAME_SHARE = 0.04
# Who is always right answers more than one class.
ALL_RIGHT = 0.99
# Share of the epochs at which the accuracy is one and the same number.
FROZEN = 0.8
# Accuracies of more values than that move, however little.
FEW_VALUES = 3
# Classes are few, so are the accuracies of answering one of them; learning takes many values.
FEW_SHARES = 6
# One answer for all costs the entropy of the classes; a model that ranks its doubts a little less.
LESS_THAN_PRIOR = 0.65
# A validation loss below this share of it has told inputs apart, however steady its accuracy: no
# collapsed run of the corpus is below 0.91.
TOLD_APART = 0.85


def class_collapse(run: Run) -> Finding | None:
    """The accuracy is one number while the loss moves: the same class is answered always."""
    if run.pair is None:
        return None
    loss, accuracy = run.pair
    values, counts = np.unique(accuracy.part(0.2, 1.0), return_counts=True)
    value = float(values[np.argmax(counts)])
    grows = loss.rise.real and loss.end_level > 3 * _prior_entropy(value)
    if len(np.unique(accuracy.values)) > FEW_SHARES or grows:
        return None
    # The same to a sample: where classes are answered, more than one answer changes.
    same = np.abs(values - value) <= 1.01 * accuracy.one_sample * (len(values) <= FEW_VALUES)
    frozen = float(counts[same].sum() / counts.sum())
    if not run.exceeds(frozen, FROZEN) or value >= ALL_RIGHT:
        return None
    # Without training curves a validation loss large by overconfidence would look the same.
    alone = run.train_loss is None or run.val_loss is None
    least = _prior_entropy(value) / LESS_THAN_PRIOR * (1.0 if alone else TOLD_APART)
    if (
        loss.end_level < least
        or (alone and loss.rise.real)
        or not (run.train_loss or run.val_loss or loss).fell
        or _training_tells(run, value)
    ):
        return None
    slow = run.train_loss is not None and falls_steadily(run.train_loss)
    if slow and loss.end_level > 3 * _prior_entropy(value):
        return None
    moved = np.ptp(accuracy.values) > 0  # a small validation set may rest by chance
    return Finding(
        severity=Severity.WARNING if run.train_accuracy is None and moved else Severity.PROBLEM,
        message=(
            f"The accuracy is {value:.4g}, to a sample, at {frozen:.0%} of the {run.axis}s while "
            "the loss moves: the model answers one class, whatever the input."
        ),
        epochs=accuracy.span,
        confidence=0.85,
        evidence={"accuracy": value, "share of epochs": frozen, "last loss": loss.last},
        causes=(
            "one class dominates the training set",
            "the hidden units are dead, only the last bias learns",
            "the inputs are not normalised and saturate the first layer",
        ),
        steps=advice(
            PREDICTED_CLASSES,
            "Weight or resample the classes; normalise the inputs; lower the learning rate.",
        ),
    )


def _training_tells(run: Run, value: float) -> bool:
    """Whether the training curves show that inputs are told apart.

    One answer for all costs the entropy of the classes in training too.
    """
    loss, accuracy = run.train_loss, run.train_accuracy
    if accuracy is None:
        return loss is not None and loss.end_level < max(0.1 * loss.first, _prior_entropy(value))
    few = len(np.unique(accuracy.values)) <= FEW_SHARES
    frozen = (
        np.ptp(accuracy.part(0.2, 1.0)) <= SAME_SHARE and accuracy.end_level < ALL_RIGHT and few
    )
    uninformed = loss is None or loss.end_level >= _prior_entropy(accuracy.end_level)
    return not frozen or not uninformed or run.gap > ONE_PRIOR


def _prior_entropy(share: float) -> float:
    """The least that answering a class of this share costs, -a ln a - (1 - a) ln(1 - a) or less."""
    a = min(max(share, 1e-12), 1 - 1e-12)
    return float(-LESS_THAN_PRIOR * (a * np.log(a) + (1 - a) * np.log1p(-a)))
