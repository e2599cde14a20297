"""Did it learn? Runs that stay at chance, answer one class only, learn too slowly or too little."""

from __future__ import annotations

import numpy as np

from diagnostics import trends
from diagnostics.finding import Finding, Severity
from diagnostics.rules.curve import Curve
from diagnostics.rules.registry import ENOUGH_EPOCHS, rule
from diagnostics.rules.run import Run

BROKEN = ("exploding_or_nan", "evaluation_bug", "loss_scale_mismatch")
# A loss that ends less than this share below its start has not been learned.
NO_PROGRESS = 0.03
# An accuracy that gains less has not either.
NO_GAIN = 0.05
# A model this accurate has nothing left to learn.
GOOD_ENOUGH = 0.9
# Share of the epochs at which the accuracy is one and the same number.
FROZEN = 0.8
# Less than this share of the way from the first loss to zero was covered ...
SLOW_SHARE = 0.4
# ... and at the end the loss still falls at this share of its average speed.
STILL_FALLING = 0.4
# A plateau: less than this share of the whole fall in the last third.
PLATEAU = 0.03
# Training loss left at a plateau, as a share of its first value or of chance.
MUCH_LOSS_LEFT = 0.5


@rule("too_few_epochs", epochs=1)
def too_few_epochs(run: Run) -> Finding | None:
    """Too short a run for any trend."""
    if run.length >= ENOUGH_EPOCHS:
        return None
    return Finding(
        code="too_few_epochs",
        severity=Severity.INFO,
        message=(
            f"{run.length} {run.history.axis}s are too few to tell a trend from noise; "
            "only bounds and identities were checked."
        ),
        evidence={"rows": run.length, "rows needed": ENOUGH_EPOCHS},
        next_steps=(f"Log at least {ENOUGH_EPOCHS} points: train longer, or log more often.",),
    )


@rule("class_collapse", unless=BROKEN)
def class_collapse(run: Run) -> Finding | None:
    """The accuracy is one number while the loss moves: the same class is answered always."""
    if run.judged is None:
        return None
    loss, accuracy = run.judged
    counts = np.unique(accuracy.part(0.2, 1.0), return_counts=True)
    frozen = float(counts[1].max() / counts[1].sum())
    value = float(counts[0][np.argmax(counts[1])])
    if not run.exceeds(frozen, FROZEN) or value >= 0.99:
        return None
    train = run.train_accuracy
    if train is not None and np.ptp(train.part(0.2, 1.0)) > 0.04:
        return None
    # A model that answers the largest class of share a pays at least the entropy of a.
    entropy = -value * np.log(max(value, 1e-12)) - (1 - value) * np.log1p(-value)
    if loss.last < 0.7 * entropy or not _loss_moved(run):
        return None
    return Finding(
        code="class_collapse",
        severity=Severity.PROBLEM,
        message=(
            f"The accuracy is exactly {value:.4g} at {frozen:.0%} of the epochs while the loss "
            "moves: the model answers one class, whatever the input."
        ),
        epochs=accuracy.span,
        confidence=0.85,
        evidence={"accuracy": value, "share of epochs": frozen, "last loss": loss.last},
        causes=(
            "one class dominates the training set",
            "the hidden units are dead, only the last bias learns",
            "the inputs are not normalised and saturate the first layer",
        ),
        next_steps=(
            "Count the predicted classes: np.bincount(predict(X).argmax(axis=-1)).",
            "Weight or resample the classes; normalise the inputs; lower the learning rate.",
        ),
    )


def _loss_moved(run: Run) -> bool:
    """Whether the training (else validation) loss left its first value by more than noise."""
    curve = run.train_loss or run.val_loss
    if curve is None:
        return False
    moved = curve.first - curve.last
    return moved > max(NO_PROGRESS * abs(curve.first), 4 * curve.noise)


@rule("not_learning", unless=BROKEN)
def not_learning(run: Run) -> Finding | None:
    """Neither loss nor accuracy gets better."""
    loss = run.train_loss or run.val_loss
    accuracy = run.train_accuracy or run.val_accuracy
    if loss is None or (accuracy is not None and accuracy.last >= GOOD_ENOUGH):
        return None
    start = float(np.median(loss.part(0.0, 0.1)))
    progress = (start - loss.last) / abs(start) if start else 0.0
    if not run.exceeds(NO_PROGRESS, progress) and not _guesses(loss, accuracy):
        return None
    if accuracy is not None and _gain(accuracy) > max(NO_GAIN, 3 * accuracy.noise):
        return None
    level = "" if accuracy is None else f", the accuracy at {accuracy.last:.3g}"
    return Finding(
        code="not_learning",
        severity=Severity.PROBLEM,
        message=f"Nothing is learned: the loss stays at {loss.last:.4g}{level}.",
        epochs=loss.span,
        confidence=0.9 if accuracy is not None else 0.6,
        evidence=_flat_evidence(run, loss, accuracy, progress),
        causes=(
            "the gradient is wrong, zero, or never applied",
            "the learning rate is far too high (stuck) or too low (not moving)",
            "inputs and labels are not paired: one was shuffled without the other",
            "the inputs are not normalised and saturate the first layer",
        ),
        next_steps=(
            "Overfit one batch of 16 samples: if that fails, the gradients or updates are wrong.",
            "Check the gradients numerically with gradcheck.",
            "Try learning rates over four decades.",
        ),
    )


def _gain(accuracy: Curve) -> float:
    """Accuracy gained since the first tenth of the run."""
    return accuracy.last - float(np.median(accuracy.part(0.0, 0.1)))


def _guesses(loss: Curve, accuracy: Curve | None) -> bool:
    """Whether the loss is that of a guess among 1 / accuracy classes, though it fell to it."""
    if accuracy is None or not 0 < accuracy.last < 0.5:
        return False
    return bool(loss.last >= -0.97 * np.log(accuracy.last))


def _flat_evidence(
    run: Run, loss: Curve, accuracy: Curve | None, progress: float
) -> dict[str, float | int | str]:
    evidence: dict[str, float | int | str] = {
        "loss fell by (share)": progress,
        "last loss": loss.last,
    }
    if accuracy is not None:
        evidence["last accuracy"] = accuracy.last
    if run.classes:
        evidence[f"ln C with C = {run.classes}"] = run.chance
    return evidence


def _speed(curve: Curve) -> tuple[float, float, float]:
    """Share of the first loss covered; speed in the last third and in the first, per average."""
    start = max(curve.first, float(np.median(curve.part(0.0, 0.1))))
    covered = (start - curve.last) / start if start > 0 else 0.0
    average = (start - curve.last) / max(len(curve) - 1, 1)
    if average <= 0:
        return covered, 0.0, 0.0
    final = -trends.theil_sen(curve.part(2 / 3, 1.0)) / average
    initial = -trends.theil_sen(curve.part(0.0, 1 / 3)) / average
    return covered, final, initial


@rule(
    "slow_learning",
    needs=("train_loss",),
    unless=(*BROKEN, "class_collapse", "not_learning", "oscillating"),
)
def slow_learning(run: Run) -> Finding | None:
    """The loss falls steadily, without slowing down, and has hardly got anywhere."""
    curve = run.train_loss
    if curve is None or curve.first <= 0:
        return None
    covered, final, initial = _speed(curve)
    if not 0 < covered < SLOW_SHARE or initial > 3 or not run.exceeds(final, STILL_FALLING):
        return None
    if curve.fall.statistic < trends.RISE_THRESHOLD:
        return None
    return Finding(
        code="slow_learning",
        severity=Severity.WARNING,
        message=(
            f"Learning is slow: the training loss has covered {covered:.0%} of the way down and "
            "falls at nearly the same pace as at the start."
        ),
        epochs=curve.span,
        confidence=0.8,
        evidence={
            "share of the first loss covered": covered,
            "final pace / average pace": final,
            "last loss": curve.last,
        },
        causes=(
            "the learning rate is too low",
            "the gradient is too small: a mean taken twice, saturated units, a poor initialisation",
        ),
        next_steps=("Raise the learning rate three- to tenfold.", "Use momentum or Adam."),
    )


@rule(
    "underfitting",
    needs=("train_loss", "train_accuracy"),
    unless=(*BROKEN, "class_collapse", "not_learning", "slow_learning", "oscillating"),
)
def underfitting(run: Run) -> Finding | None:
    """Training has come to rest at a high loss, and validation with it."""
    loss, accuracy = run.train_loss, run.train_accuracy
    if loss is None or accuracy is None or accuracy.last >= GOOD_ENOUGH:
        return None
    start = max(loss.first, run.chance if run.classes else 0.0)
    if start <= 0:
        return None
    fell = start - loss.last
    recent = float(np.median(loss.part(2 / 3, 0.75))) - loss.last
    at_rest = recent <= max(PLATEAU * fell, 2 * loss.noise)
    if not at_rest or not run.exceeds(loss.last / start, MUCH_LOSS_LEFT):
        return None
    val = run.val_accuracy
    if val is not None and accuracy.last - val.last > 0.1:
        return None
    return Finding(
        code="underfitting",
        severity=Severity.WARNING,
        message=(
            f"The model is too weak, or held back: training has come to rest at an accuracy of "
            f"{accuracy.last:.3g} and a loss of {loss.last:.3g}."
        ),
        epochs=(float(loss.epochs[2 * len(loss) // 3]), float(loss.epochs[-1])),
        confidence=0.7,
        evidence={
            "last training loss": loss.last,
            "last / first loss": loss.last / start,
            "last training accuracy": accuracy.last,
        },
        causes=(
            "too few units or layers, or no non-linearity between them",
            "too strong regularisation or dropout",
            "the learning rate is too high to settle, or was decayed too early",
            "the labels cannot be told from these inputs, or many are wrong",
        ),
        next_steps=(
            "Overfit 100 samples without regularisation: if that works, add capacity.",
            "Train a larger model, or one without dropout and weight decay.",
        ),
    )
