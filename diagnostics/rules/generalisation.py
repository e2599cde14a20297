"""Did the model get worse on new data? Asked only after the numbers proved to be right.

These findings share one symptom, a validation loss that rises. What the accuracies do meanwhile
tells the causes apart as far as curves can; overfitting is what remains.
"""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.table import Floats
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.divergence import Divergence
from diagnostics.rules.features.run import Run
from diagnostics.rules.suggestions import INVESTIGATE, LEAST_BELIEVED

# Training more accurate than validation by this much, at a falling training loss: memorised.
WIDE_GAP = 0.15
# The same where the validation accuracy still gains a little.
VERY_WIDE_GAP = 0.3
# A fall of the accuracy that plain overfitting rarely causes, and a training accuracy that was
# below the validation accuracy before: wrong labels were not yet learned by heart.
DEEP_FALL = 0.04
LABELS_RESIST = 0.03
# Training ends more accurate by this much: the wrong labels were learned.
CAUGHT_UP = 0.08
# The same by the losses, where no training accuracy was logged.
LOSS_RESISTS = 1.2
# A rise of this share of the lowest loss, or this fall of the accuracy, hurts.
LARGE_RISE = 0.25
LARGE_FALL = 0.03
# A rise below both of these, as a share of the lowest and of the first loss, is of severity info.
SMALL_RISE, SMALL_SHARE = 0.25, 0.05
# Training more accurate by this much at the end, while validation has stopped improving.
STUCK_GAP = 0.15
# Training gained at least that much.
LEARNED = 0.1
# Nothing is left to learn.
LEARNED_BY_HEART = 0.995


def label_noise(run: Run) -> Finding | None:
    """Validation falls deeply while training catches up from below."""
    d = run.divergence
    if d is None or d.drop is None or not d.turned or not d.falls:
        return None
    if not run.exceeds(d.drop, DEEP_FALL) or not _caught_up(run, d):
        return None
    return Finding(
        message=(
            f"Some training labels seem wrong: training was worse than validation until {run.axis} "
            f"{d.onset:g}, then caught up by memorising while validation lost about "
            f"{d.drop:.1%}."
        ),
        epochs=d.epochs,
        confidence=0.75,
        evidence=_evidence(d),
        causes=("wrong labels in the training set, learned by heart", "too small a training set"),
        steps=advice(
            LEAST_BELIEVED,
            f"Keep the weights of {run.axis} {d.best:g}; smooth the labels or use a robust loss.",
        ),
    )


def overfitting(run: Run) -> Finding | None:
    """The validation loss turns while training goes on, and the accuracy with it."""
    d = run.divergence
    if d is None or d.train_falls is False:
        return None
    widest = WIDE_GAP if not d.climbs else VERY_WIDE_GAP
    memorised = d.gap is not None and d.gap > widest
    turned = d.turned or (memorised and d.rise.possible)
    if not turned and not run.exceeds(d.rise.margin, 1.0):
        return None
    if d.gain is not None and not d.falls and not memorised:
        return None
    known = d.train_falls is not None or d.gain is not None
    large = d.rise.relative > LARGE_RISE or (d.drop or 0.0) > LARGE_FALL
    hurts = d.turned and large and known and not _may_be_chance(run, d)
    if d.falls:
        accuracy = f", and the accuracy lost about {d.drop or 0:.1%}"
    elif d.climbs:
        accuracy = f", and training ends about {d.gap or 0:.0%} more accurate"
    else:
        accuracy = ", at an accuracy that no longer improves" if d.gain is not None else ""
    return Finding(
        severity=Severity.PROBLEM if hurts else Severity.WARNING,
        message=(
            f"The model overfits from {run.axis} {d.onset:g} on: the validation loss rose "
            f"from {d.lowest:.3g} to {d.last:.3g}{accuracy}."
        ),
        epochs=d.epochs,
        confidence=_overfitting_confidence(d),
        evidence=_evidence(d),
        causes=(
            "the model memorises the training set",
            "too few training samples for the capacity",
            "some training labels are wrong",
        ),
        steps=advice(
            INVESTIGATE.saying("rules out a wrong evaluation"),
            f"Keep the weights of {run.axis} {d.best:g} (early stopping).",
            "Add weight decay, dropout, augmentation, or data.",
        ),
    )


def _may_be_chance(run: Run, d: Divergence) -> bool:
    """Whether another validation set of this size might not show the rise.

    The loss of single samples varies by a nat or so once the model is sure of itself, its mean
    over N by 1 / sqrt(N).
    """
    one_sample = run.val_accuracy.one_sample if run.val_accuracy else 0.0
    return not d.falls and d.rise.size < np.sqrt(one_sample)


def _overfitting_confidence(d: Divergence) -> float:
    """Less sure where a curve is missing that could speak against it."""
    known = 0.9 if d.falls else 0.8
    unknown = (d.gain is None) + (d.train_falls is None) + (not d.rise.real)
    return known - 0.15 * unknown


def _caught_up(run: Run, d: Divergence) -> bool:
    """Whether training was worse than validation at its best, and ends far better."""
    if d.early_gap is not None and d.gap is not None:
        return run.exceeds(-d.early_gap, LABELS_RESIST) and d.gap > CAUGHT_UP
    pair = run.joint("train_loss", "val_loss")
    if pair is None:
        return False
    train, val = (curve.values for curve in pair)
    best = int(np.argmin(val))
    return (
        run.exceeds(train[best] / val[best], LOSS_RESISTS) and pair[0].end_level < pair[1].end_level
    )


def generalisation_gap(run: Run) -> Finding | None:
    """Training goes on to perfection while validation has stopped improving far below."""
    pair = run.joint("train_accuracy", "val_accuracy")
    if pair is None:
        return None
    train, val = pair
    gap = train.end_level - val.end_level
    if train.end_level - train.first < LEARNED:
        return None  # a gap that was not learned is one of the sets
    later = _since_learned_by_heart(train, val)
    gain = val.end_level - float(np.median(later[: max(3, len(later) // 5)]))
    if not run.exceeds(gap, STUCK_GAP) or gain > max(0.02, 2 * val.noise):
        return None
    narrow = np.flatnonzero(train.values - val.values <= STUCK_GAP)
    begin = min(int(narrow[-1]) + 1, len(val) - 1) if len(narrow) else 0
    epochs = float(val.epochs[begin]), float(val.epochs[-1])
    return Finding(
        message=(
            f"The model generalises poorly: training ends about {gap:.1%} more accurate "
            "than validation, which has stopped improving."
        ),
        epochs=epochs,
        confidence=0.7,
        evidence={"training minus validation accuracy": gap, "gain of validation of late": gain},
        causes=(
            "too few training samples for the capacity",
            "the validation set is harder, or differs from the training set",
        ),
        steps=advice(
            INVESTIGATE.saying("rules out a difference between the two sets"),
            "Add weight decay, dropout, augmentation, or data.",
        ),
    )


def _since_learned_by_heart(train: Curve, val: Curve) -> Floats:
    """The validation accuracies since training was perfect, where that is a tenth; else a half."""
    perfect = np.flatnonzero(train.values >= LEARNED_BY_HEART)
    start = int(perfect[0]) if len(perfect) else len(val)
    if max(3, len(val) // 10) <= len(val) - start <= len(val) // 2:
        return val.values[start:]
    return val.part(0.5, 1.0)


def overconfidence(run: Run) -> Finding | None:
    """The loss rises though the accuracy holds: wrong answers are given with more conviction."""
    d = run.divergence
    if d is None or d.falls or not run.exceeds(d.rise.margin, 1.0):
        return None
    if d.train_falls is False:
        return None
    return Finding(
        severity=_size(d),
        message=(
            f"The model grows too sure of itself: from {run.axis} {d.onset:g} on the same share of "
            f"answers is right, but the wrong ones cost more and more: the loss rises from "
            f"{d.lowest:.3g} to {d.last:.3g}."
        ),
        epochs=d.epochs,
        confidence=0.7 if d.train_falls else 0.55,
        evidence=_evidence(d),
        causes=(
            "the logits keep growing after all training samples are classified rightly",
            "a few wrong labels or odd samples in the validation set",
            "the reported loss is not the loss of the predictions",
        ),
        steps=advice(
            INVESTIGATE.saying("proves it, and gives the temperature that corrects it"),
            "Divide the logits by one temperature fitted on validation, or use label smoothing.",
            f"Keep the weights of {run.axis} {d.best:g} for the loss, the last for the accuracy.",
        ),
    )


def loss_accuracy_divergence(run: Run) -> Finding | None:
    """The symptom itself: the loss rises while the accuracy rises or holds."""
    d = run.divergence
    if d is None or d.gain is None or d.falls or not run.exceeds(d.rise.margin, 1.0):
        return None
    which = "validation" if d.loss.role == "val_loss" else "reported"
    moves = f"rises by {d.gain:.3f}" if d.climbs else "holds"
    return Finding(
        severity=_size(d),
        message=(
            f"From {run.axis} {d.onset:g} on the {which} loss rises, from {d.lowest:.3g} to "
            f"{d.last:.3g}, while the accuracy {moves}."
        ),
        epochs=d.epochs,
        confidence=0.95,
        evidence=_evidence(d),
        causes=(
            "the loss is not that of the predictions (evaluation_bug)",
            "wrong answers are given with growing conviction (overconfidence)",
            "wrong labels are being memorised (label_noise)",
        ),
        steps=advice(
            INVESTIGATE.saying("tells these causes apart"),
            "Look for the cause first: until then neither curve tells which weights are best.",
        ),
    )


def _size(d: Divergence) -> Severity:
    """A warning for a rise that costs something, else an info."""
    costs = d.rise.relative > SMALL_RISE or d.rise.size > SMALL_SHARE * abs(d.loss.first)
    return Severity.WARNING if costs else Severity.INFO


def _evidence(d: Divergence) -> dict[str, float | int | str]:
    """The numbers of a divergence; those unknown are left out."""
    numbers = {
        "onset": d.onset,
        "lowest loss": d.lowest,
        "last loss": d.last,
        "rise of the window medians / lowest": d.rise.relative,
        "rise in noise levels": d.rise.statistic,
        "accuracy gained since the onset": d.gain,
        "accuracy lost since its best": d.drop,
        "training minus validation accuracy over the last epochs": d.gap,
    }
    return {name: value for name, value in numbers.items() if value is not None}
