"""Is the model too weak? Training that has come to rest at a high loss."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity, advice
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.rules.learning import SMALL_GAP, guesses_only
from diagnostics.rules.suggestions import FEW_SAMPLES

# A model less accurate is weak, unless the task allows no better: hence a warning.
WEAK = 0.78
# A rest of two or three epochs is none: a fifth of the run has to have so many.
REST_EPOCHS = 15
# At rest: less than this share of the whole fall from one fifth of the run to the last.
PLATEAU = 0.07
# Training loss left then, as a share of its first value or of chance.
MUCH_LOSS_LEFT = 0.35
# Generalisation is not what is missing where the validation loss is less than so many times the
# training loss.
MUCH_ABOVE = 1.5


def underfitting(run: Run) -> Finding | None:
    """Training has come to rest at a high loss, and validation with it."""
    loss, accuracy = run.train_loss, run.train_accuracy or run.val_accuracy
    if loss is None or accuracy is None:
        return None
    start = max(loss.first, run.chance if run.classes else 0.0)
    if start <= 0:
        return None
    fell = start - loss.end_level
    recent = float(np.median(loss.part(0.6, 0.8)) - np.median(loss.part(0.8, 1.0)))
    at_rest = recent <= max(PLATEAU * fell, 2 * loss.noise)
    if not at_rest or not (guesses_only(loss, accuracy) or loss.end_level > MUCH_LOSS_LEFT * start):
        return None
    if not run.exceeds(WEAK, accuracy.end_level) or _val_lags(run, loss):
        return None
    return Finding(
        severity=Severity.WARNING,
        message=(
            f"The model is too weak, or held back: training has come to rest at an accuracy of "
            "about "
            f"{accuracy.end_level:.3g} and a loss of about {loss.end_level:.3g}."
        ),
        epochs=(float(loss.epochs[2 * len(loss) // 3]), float(loss.epochs[-1])),
        confidence=0.7,
        evidence={
            "last training loss": loss.last,
            "last / first loss": loss.end_level / start,
            "last accuracy": accuracy.last,
        },
        causes=(
            "too few units or layers, or no non-linearity between them",
            "too strong regularisation or dropout",
            "the learning rate is too high to settle, or was decayed too early",
            "the labels do not follow from these inputs, or many are wrong",
        ),
        steps=advice(
            FEW_SAMPLES,
            "Train a larger model, or one without dropout and weight decay.",
        ),
    )


def _val_lags(run: Run, loss: Curve) -> bool:
    """Whether validation is so far behind that generalisation is what is missing."""
    if run.train_accuracy is not None and run.val_accuracy is not None:
        return run.gap > max(SMALL_GAP, 1 - run.train_accuracy.end_level)
    return run.val_loss is not None and run.val_loss.end_level > MUCH_ABOVE * loss.end_level
