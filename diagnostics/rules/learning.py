"""Did it learn? Runs that stay at chance, learn too slowly or too little."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.history import CURVES
from diagnostics.rules.collapse import FEW_SHARES
from diagnostics.rules.features.curve import NO_PROGRESS, Curve
from diagnostics.rules.features.rate_of_descent import falls_steadily, keeps_pace, speed
from diagnostics.rules.features.run import NO_GAIN, Run
from diagnostics.rules.features.run_curves import ENOUGH_EPOCHS
from diagnostics.rules.suggestions import FASTER, FEW_SAMPLES, GRADIENTS, LOWER_RATE
from diagnostics.statistics.rise_test import RISE_THRESHOLD

# A loss that was once this share of its last value had been learned, whatever came later.
LEARNED_ONCE = 0.5
# Beside a validation at chance the training loss may fall that much: some samples memorised.
LITTLE_PROGRESS = 0.25
# So many times the accuracy of a guess is none.
ABOVE_GUESS = 3.0
# A guess among a thousand classes; a larger loss is no guess.
LARGEST_GUESS = 6.91
BROADCAST = (
    "predictions of shape (n, 1) less targets of shape (n,) broadcast to (n, n): every row is "
    "fitted to the mean of all targets"
)
MOSTLY_RIGHT = 0.5
# A model this accurate has nothing left to learn.
GOOD_ENOUGH = 0.9
# Training hardly more accurate than validation: what is missing is not generalisation.
SMALL_GAP = 0.15
# Less than this share of the way from the first loss to zero was covered ...
SLOW_SHARE = 0.4
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


def too_few_epochs(run: Run) -> Finding | None:
    """Too short a run for any trend."""
    if run.length >= ENOUGH_EPOCHS:
        return None
    return Finding(
        message=(
            f"{run.length} {run.axis}{' is' if run.length == 1 else 's are'} too few to tell a "
            "trend from noise; "
            "only bounds and identities were checked."
        ),
        evidence={"rows": run.length, "rows needed": ENOUGH_EPOCHS},
        steps=advice(f"Log at least {ENOUGH_EPOCHS} points: train longer, or log more often."),
    )


def not_learning(run: Run) -> Finding | None:
    """Neither loss nor accuracy gets better."""
    loss = run.train_loss or run.val_loss
    accuracy = run.train_accuracy or run.val_accuracy
    if accuracy is not None and accuracy.end_level >= GOOD_ENOUGH:
        return None
    if loss is None:
        return _accuracy_rests(run, accuracy)
    start = loss.start_level
    progress = (start - loss.end_level) / abs(start) if start else 0.0
    if loss.values.min() < LEARNED_ONCE * loss.end_level:
        return None  # learned, and unlearned since
    guesses = guesses_only(run.train_loss, run.train_accuracy)
    guesses |= guesses_only(run.val_loss, run.val_accuracy) and not _gained(accuracy)
    stuck = guesses or (progress < LITTLE_PROGRESS and run.val_at_chance)
    if not run.exceeds(NO_PROGRESS, progress) and not stuck:
        return None
    if _gained(run.val_accuracy) or (_gained(accuracy) and not run.val_at_chance):
        return None
    rises = loss.rise.real and not stuck
    if _is_slow(run, loss) or (rises and not _only_rises(loss)):
        return None
    fell, differ = loss.fell, _answers_differ(accuracy)
    if fell and differ and not stuck:
        return None  # the first epoch learned what there is
    doubtful = differ or _alone(run) or (fell and accuracy is None)
    beyond = accuracy is not None and loss.end_level > LARGEST_GUESS
    level = "" if accuracy is None else f", the accuracy at about {accuracy.end_level:.3g}"
    course = f"stays at about {loss.end_level:.4g}"
    if rises:
        course = f"rises from {loss.first:.4g} to {loss.last:.4g}"
    return Finding(
        severity=Severity.WARNING if doubtful else Severity.PROBLEM,
        message=f"{_said(loss, accuracy)}: the loss {course}{level}.",
        epochs=loss.span,
        confidence=0.9 if accuracy is not None and not doubtful else 0.6,
        evidence=_flat_evidence(run, loss, accuracy, progress),
        causes=(
            *(("the learning rate is far too high: no guess costs so much",) if beyond else ()),
            "the gradient is wrong, zero, or never applied",
            *(() if accuracy is not None else (BROADCAST,)),
            "the learning rate is far too high (stuck) or too low (not moving)",
            "inputs and labels are not paired: one was shuffled without the other",
            "the inputs are not normalised and saturate the first layer",
        ),
        steps=advice(
            FEW_SAMPLES,
            GRADIENTS,
            LOWER_RATE if beyond else "Try learning rates over four decades.",
        ),
    )


def _alone(run: Run) -> bool:
    """Whether one curve is all that was logged: nothing bears it out."""
    return len(run.history.mapping.keys() & set(CURVES)) == 1


def _only_rises(loss: Curve) -> bool:
    """Whether a training loss ends above its start, and was never far below it."""
    lowest = loss.values.min() > (1 - LITTLE_PROGRESS) * loss.first
    return loss.role == "train_loss" and loss.end_level > loss.first > 0 and bool(lowest)


def _said(loss: Curve, accuracy: Curve | None) -> str:
    """What to say of a loss that stays: whoever is right far more often than a guess, has learned.

    A guess that costs L is right with probability exp(-L).
    """
    guessed = float(np.exp(-loss.end_level))
    learned = accuracy is not None and accuracy.end_level > ABOVE_GUESS * max(guessed, NO_GAIN)
    return "Learning does not get on" if learned else "Nothing is learned"


def _accuracy_rests(run: Run, accuracy: Curve | None) -> Finding | None:
    """The finding for a run without losses, whose accuracy stays where it began."""
    if (
        accuracy is None
        or accuracy.end_level > 0.5
        or _gained(accuracy)
        or _gained(run.val_accuracy)
    ):
        return None
    return Finding(
        severity=Severity.WARNING if _alone(run) else Severity.PROBLEM,
        message=f"Nothing is learned: the accuracy stays at about {accuracy.end_level:.3g}.",
        epochs=accuracy.span,
        confidence=0.7,
        evidence={"first accuracy": accuracy.first, "last accuracy": accuracy.last},
        causes=("the gradient is wrong, zero, or never applied", "inputs and labels do not match"),
        steps=advice(FEW_SAMPLES, GRADIENTS),
    )


def _is_slow(run: Run, loss: Curve) -> bool:
    """Whether both losses fall, slowly but without end: that is learning."""
    val_rises = run.val_loss is not None and run.val_loss.rise.size > 0
    return falls_steadily(loss) and not val_rises and not run.val_at_chance


def _answers_differ(accuracy: Curve | None) -> bool:
    """Whether most answers are right, and not the same ones at every epoch."""
    if accuracy is None or accuracy.end_level < MOSTLY_RIGHT:
        return False
    return len(np.unique(accuracy.values)) > FEW_SHARES


def _gained(accuracy: Curve | None) -> bool:
    """Whether an accuracy has risen since the first tenth of the run, by more than its noise."""
    if accuracy is None:
        return False
    gain = accuracy.end_level - accuracy.start_level
    return gain > max(NO_GAIN, 3 * accuracy.noise)


def guesses_only(loss: Curve | None, accuracy: Curve | None) -> bool:
    """Whether the loss is that of a guess among 1 / accuracy classes, though it fell to it."""
    if loss is None or accuracy is None or not 0 < accuracy.end_level < 0.5:
        return False
    guess = -np.log(accuracy.end_level)
    return bool(0.97 * guess <= loss.end_level <= 1.25 * guess)


def _flat_evidence(
    run: Run, loss: Curve, accuracy: Curve | None, progress: float
) -> dict[str, float | int | str]:
    evidence: dict[str, float | int | str] = {
        "loss fell by (share)": progress,
        "last loss": loss.last,
    }
    if accuracy is not None:
        evidence["last accuracy"] = accuracy.last
    guessed = round(float(np.exp(min(loss.end_level, LARGEST_GUESS))))
    if run.classes and abs(loss.end_level - np.log(guessed)) < 0.01 * loss.end_level:
        evidence[f"ln {guessed}, a guess among {guessed} classes"] = float(np.log(guessed))
    return evidence


def slow_learning(run: Run) -> Finding | None:
    """The loss falls steadily, without slowing down, and has hardly got anywhere."""
    curve = run["train_loss"]
    if curve.first <= 0 or (run.gap > SMALL_GAP and _gained(run.train_accuracy)):
        return None
    accuracies = [a.first for a in (run.train_accuracy, run.val_accuracy) if a is not None]
    if max(accuracies, default=0.0) >= GOOD_ENOUGH:
        return None  # fine-tuned
    covered, final, _ = speed(curve)
    if not 0 < covered < SLOW_SHARE or not keeps_pace(curve):
        return None
    if not run.exceeds(curve.fall.statistic, RISE_THRESHOLD):
        return None
    return Finding(
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
        steps=advice(
            FASTER,
            "Raise the learning rate three- to tenfold.",
            "Use momentum or Adam.",
        ),
    )


def underfitting(run: Run) -> Finding | None:
    """Training has come to rest at a high loss, and validation with it."""
    loss, accuracy = run["train_loss"], run.train_accuracy or run.val_accuracy
    if accuracy is None:
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
        message=(
            f"The model is too weak, or held back: training has come to rest at an accuracy of "
            f"about {accuracy.end_level:.3g} and a loss of about {loss.end_level:.3g}."
        ),
        epochs=loss.since(2 * len(loss) // 3),
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
