"""Did the model get worse on new data? Asked only after the numbers proved to be right.

These findings share one symptom, a validation loss that rises. What the accuracies do meanwhile
tells the causes apart as far as curves can; overfitting is what remains.
"""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.rules.divergence import Divergence
from diagnostics.rules.registry import rule
from diagnostics.rules.run import Run
from diagnostics.rules.splits import WRONG_NUMBERS

# Training more accurate than validation by this much, at a falling training loss: memorised.
WIDE_GAP = 0.08
# A fall of the accuracy that plain overfitting rarely causes, and a training accuracy that was
# below the validation accuracy before: wrong labels were not yet learned by heart.
DEEP_FALL = 0.04
LABELS_RESIST = 0.03
# A rise of this share of the lowest loss, or this fall of the accuracy, hurts.
LARGE_RISE = 0.25
LARGE_FALL = 0.03
# A rise below this share is worth a remark only.
SMALL_RISE = 0.10
# Training more accurate by this much at the end, while validation has stopped improving.
STUCK_GAP = 0.15


@rule("label_noise", needs=("val_loss", "train_accuracy", "val_accuracy"), unless=WRONG_NUMBERS)
def label_noise(run: Run) -> Finding | None:
    """Validation falls deeply while training catches up from below."""
    d = run.divergence
    if d is None or d.drop is None or d.early_gap is None or d.gap is None:
        return None
    if not d.turned or not d.falls or not run.exceeds(d.drop, DEEP_FALL):
        return None
    if not run.exceeds(-d.early_gap, LABELS_RESIST) or d.gap < WIDE_GAP:
        return None
    return Finding(
        code="label_noise",
        severity=Severity.PROBLEM,
        message=(
            f"Some training labels seem wrong: training was less accurate than validation until "
            f"epoch {d.onset:g}, then caught up by memorising while validation lost {d.drop:.1%}."
        ),
        epochs=d.epochs,
        confidence=0.75,
        evidence=_evidence(d),
        causes=("wrong labels in the training set, learned by heart", "too small a training set"),
        next_steps=(
            "Look at the training samples with the highest loss at the onset: their labels first.",
            f"Keep the weights of epoch {d.best:g}; smooth the labels or use a robust loss.",
        ),
    )


@rule(
    "overfitting", needs=("val_loss",), unless=(*WRONG_NUMBERS, "label_noise", "distribution_shift")
)
def overfitting(run: Run) -> Finding | None:
    """The validation loss turns while training goes on, and the accuracy with it."""
    d = run.divergence
    if d is None or d.train_falls is False:
        return None
    memorised = d.gap is not None and d.gap > WIDE_GAP and not d.climbs
    turned = d.turned or (memorised and d.rise.possible)
    if not turned and not run.exceeds(d.rise.margin, 1.0):
        return None
    if d.gain is not None and not d.falls and not memorised:
        return None
    hurts = d.turned and (d.rise.relative > LARGE_RISE or (d.drop or 0.0) > LARGE_FALL)
    accuracy = {
        True: f", and the accuracy lost {d.drop or 0:.1%}",
        False: ", at an accuracy that no longer improves" if d.gain is not None else "",
    }[d.falls]
    return Finding(
        code="overfitting",
        severity=Severity.PROBLEM if hurts else Severity.WARNING,
        message=(
            f"The model overfits from epoch {d.onset:g} on: the validation loss rose "
            f"from {d.lowest:.3g} to {d.final:.3g}{accuracy}."
        ),
        epochs=d.epochs,
        confidence=_overfitting_confidence(d),
        evidence=_evidence(d),
        causes=(
            "the model memorises the training set",
            "too few training samples for the capacity",
            "some training labels are wrong",
        ),
        next_steps=(
            f"Keep the weights of epoch {d.best:g} (early stopping).",
            "Add weight decay, dropout, augmentation, or data.",
        ),
    )


def _overfitting_confidence(d: Divergence) -> float:
    """Less sure where a curve is missing that could speak against it."""
    known = 0.9 if d.falls else 0.8
    unknown = (d.gain is None) + (d.train_falls is None) + (not d.rise.real)
    return known - 0.15 * unknown


@rule(
    "overfitting",
    needs=("train_accuracy", "val_accuracy"),
    unless=(*WRONG_NUMBERS, "label_noise", "distribution_shift", "overfitting"),
)
def generalisation_gap(run: Run) -> Finding | None:
    """Training goes on to perfection while validation has stopped improving far below."""
    pair = run.joint("train_accuracy", "val_accuracy")
    if pair is None:
        return None
    train, val = pair
    gap = train.last - val.last
    later = val.part(0.5, 1.0)
    gain = val.last - float(np.median(later[: max(3, len(later) // 5)]))
    if not run.exceeds(gap, STUCK_GAP) or gain > max(0.02, 2 * val.noise):
        return None
    epochs = float(val.epochs[int(np.argmax(val.values))]), float(val.epochs[-1])
    return Finding(
        code="overfitting",
        severity=Severity.WARNING,
        message=(
            f"The model generalises poorly: training ends {gap:.1%} more accurate than "
            "validation, which has stopped improving."
        ),
        epochs=epochs,
        confidence=0.7,
        evidence={"training minus validation accuracy": gap, "gain in the second half": gain},
        causes=(
            "too few training samples for the capacity",
            "the validation set is harder, or differs from the training set",
        ),
        next_steps=(
            "Add weight decay, dropout, augmentation, or data.",
            "Evaluate the training set with the validation code to exclude a difference there.",
        ),
    )


@rule(
    "overconfidence",
    needs=("val_loss", "val_accuracy"),
    unless=(*WRONG_NUMBERS, "label_noise", "overfitting", "distribution_shift"),
)
def overconfidence(run: Run) -> Finding | None:
    """The loss rises though the accuracy holds: wrong answers are given with more conviction."""
    d = run.divergence
    if d is None or d.falls or not run.exceeds(d.rise.margin, 1.0):
        return None
    if d.train_falls is False:
        return None
    return Finding(
        code="overconfidence",
        severity=Severity.WARNING if d.rise.relative > SMALL_RISE else Severity.INFO,
        message=(
            f"The model grows too sure of itself: from epoch {d.onset:g} on the same share of "
            f"answers is right, but the wrong ones cost more and more: the loss rises from "
            f"{d.lowest:.3g} to {d.final:.3g}."
        ),
        epochs=d.epochs,
        confidence=0.7 if d.train_falls else 0.55,
        evidence=_evidence(d),
        causes=(
            "the logits keep growing after all training samples are classified rightly",
            "a few wrong labels or odd samples in the validation set",
            "the reported loss is not the loss of the predictions",
        ),
        next_steps=(
            "Fit one temperature on the validation logits, or use label smoothing.",
            "Run investigate(predict, X, y, history=...) to prove it from the predictions.",
            f"Keep the weights of epoch {d.best:g} for the best loss, the last for the accuracy.",
        ),
    )


@rule("loss_accuracy_divergence")
def loss_accuracy_divergence(run: Run) -> Finding | None:
    """The symptom itself: the loss rises while the accuracy rises or holds."""
    d = run.divergence
    if d is None or d.gain is None or d.falls or not run.exceeds(d.rise.margin, 1.0):
        return None
    which = "validation" if d.loss.role == "val_loss" else "reported"
    moves = f"rises by {d.gain:.3f}" if d.climbs else "holds"
    return Finding(
        code="loss_accuracy_divergence",
        severity=Severity.WARNING if d.rise.relative > SMALL_RISE else Severity.INFO,
        message=(
            f"From epoch {d.onset:g} on the {which} loss rises, from {d.lowest:.3g} to "
            f"{d.final:.3g}, while the accuracy {moves}."
        ),
        epochs=d.epochs,
        confidence=0.95,
        evidence=_evidence(d),
        causes=(
            "the loss is not that of the predictions (evaluation_bug)",
            "wrong answers are given with growing conviction (overconfidence)",
            "wrong labels are being memorised (label_noise)",
        ),
        next_steps=("Run investigate(predict, X, y, history=...): it tells these causes apart.",),
    )


def _evidence(d: Divergence) -> dict[str, float | int | str]:
    """The numbers of a divergence; those unknown are left out."""
    numbers = {
        "onset": d.onset,
        "lowest loss": d.lowest,
        "last loss": d.final,
        "rise of the window medians / lowest": d.rise.relative,
        "rise in noise levels": d.rise.statistic,
        "accuracy gained since the onset": d.gain,
        "accuracy lost since its best": d.drop,
        "training minus validation accuracy, last": d.gap,
    }
    return {name: value for name, value in numbers.items() if value is not None}
