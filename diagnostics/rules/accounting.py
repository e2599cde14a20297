"""Is the number wrong? Bounds and identities that every right loss and accuracy obey."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.rules.curve import Curve
from diagnostics.rules.registry import rule
from diagnostics.rules.run import Run
from diagnostics.table import Floats

# An accuracy counts as far above chance from here on: no untrained network reaches it.
FAR_ABOVE_CHANCE = 0.2
# A loss this many times the other, from the first epochs on and at equal accuracy, is another loss.
OTHER_SCALE = 3.0
# Accuracies within this are equal as far as the loss is concerned.
EQUAL_ACCURACY = 0.12
# Log-log slope of two losses: one if they are the same quantity in two units, zero if unrelated.
PARALLEL_SLOPE = 0.6
# A calibrated classifier's loss lies within a factor of 3 of the entropy its accuracy implies.
TOO_LARGE_FOR_ACCURACY = 6.0
# The loss that an accuracy implies hardly depends on the number of classes: ln(C - 1) (1 - a).
ASSUMED_CLASSES = 10
# Rounding of logged values.
ROUNDING = 1e-3
# Share of epochs that must break a bound: one bad row of a log is not a finding.
MOST_EPOCHS = 0.8
# An evaluation bug is there from the start; a loss that falls by more is being learned.
STILL_HIGH = 0.7


def calibrated_loss(accuracy: Floats, classes: int) -> Floats:
    """Return the cross-entropy of a calibrated classifier that spreads its doubt evenly.

    With a = accuracy: -a ln a - (1 - a) ln((1 - a) / (C - 1)).
    """
    a = np.clip(accuracy, 1e-3, 1 - 1e-3)
    return np.asarray(-a * np.log(a) - (1 - a) * np.log((1 - a) / (classes - 1)))


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
    if not run.exceeds(_share_impossible(*train), MOST_EPOCHS) or _share_impossible(*val) > 0.2:
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
        evidence=_bound_evidence(*train),
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
    if pair is None or not _equally_accurate(run):
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
    if _off(run, "val", early) > _off(run, "train", early) and not (falls or _parallel(train, val)):
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
    if not _parallel(Curve("expected", loss.epochs, expected), loss):
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


@rule(
    "evaluation_bug",
    needs=("train_loss", "val_loss"),
    epochs=3,
    unless=("loss_scale_mismatch", "evaluation_bug"),
)
def losses_disagree_at_equal_accuracy(run: Run) -> Finding | None:
    """The validation loss is far above the training loss from the start, at equal accuracy."""
    pair = run.joint("train_loss", "val_loss")
    if pair is None or not _equally_accurate(run) or run.judged is None:
        return None
    train, val = pair
    early = max(3, len(train) // 3)
    ratio = float(np.min(val.values[:early] / np.maximum(train.values[:early], 1e-12)))
    if not run.exceeds(ratio, OTHER_SCALE) or val.last < STILL_HIGH * val.first:
        return None
    return Finding(
        code="evaluation_bug",
        severity=Severity.PROBLEM,
        message=(
            f"From the first epochs on the validation loss is at least {ratio:.3g} times the "
            "training loss although both accuracies agree: they are not computed alike."
        ),
        epochs=val.span,
        confidence=0.8,
        evidence={
            "smallest early ratio": ratio,
            "first training loss": train.first,
            "first validation loss": val.first,
        },
        causes=(
            "softmax normalised over the whole batch in evaluation",
            "the evaluation loss is computed by other code than the training loss",
        ),
        next_steps=(
            "Evaluate the training set with the validation code: both losses must agree.",
            "Check that predict(X).sum(axis=-1) is 1 in every row.",
        ),
    )


@rule(
    "evaluation_bug",
    needs=("val_loss", "val_accuracy"),
    epochs=3,
    unless=("loss_scale_mismatch", "evaluation_bug"),
)
def loss_too_small(run: Run) -> Finding | None:
    """The validation loss is too small for its accuracy, while the training loss is not."""
    val, train = run.joint("val_loss", "val_accuracy"), run.joint("train_loss", "train_accuracy")
    if val is None or train is None:
        return None
    if not run.exceeds(_share_impossible(*val), MOST_EPOCHS) or _share_impossible(*train) > 0.2:
        return None
    return Finding(
        code="evaluation_bug",
        severity=Severity.PROBLEM,
        message=(
            "The validation loss is smaller than a cross-entropy can be with so many wrong "
            "answers: loss and accuracy are not those of the same predictions."
        ),
        epochs=val[0].span,
        confidence=0.85,
        evidence=_bound_evidence(*val),
        causes=(
            "the sum over samples is divided by more samples than were summed",
            "loss and accuracy are computed on different samples or modes",
            "the validation loss is another loss than the training loss",
        ),
        next_steps=("Recompute the loss from stored predictions: -mean(log p[range(n), y]).",),
    )


@rule(
    "not_cross_entropy",
    epochs=3,
    unless=("loss_scale_mismatch", "evaluation_bug", "other_loss_trained"),
)
def not_cross_entropy(run: Run) -> Finding | None:
    """The loss is some other loss than the cross-entropy, consistently; nothing wrong in that."""
    if run.judged is None or not run.exceeds(_share_impossible(*run.judged), MOST_EPOCHS):
        return None
    return Finding(
        code="not_cross_entropy",
        severity=Severity.INFO,
        message=(
            "The loss is smaller than any cross-entropy at this accuracy: it is another loss, "
            "such as the squared error, or is scaled."
        ),
        epochs=run.judged[0].span,
        confidence=0.95,
        evidence=_bound_evidence(*run.judged),
    )


def _lower_bound(accuracy: Floats) -> Floats:
    """A wrong answer has p_true <= 1/2 and costs ln 2 at least: loss >= (1 - accuracy) ln 2."""
    return np.asarray((1 - accuracy) * np.log(2.0))


def _share_impossible(loss: Curve, accuracy: Curve) -> float:
    """Share of epochs, among those with wrong answers, with a loss below its lower bound."""
    bound = _lower_bound(accuracy.values)
    told = bound > ROUNDING
    if told.sum() < 3:
        return 0.0
    return float(np.mean(loss.values[told] < bound[told] * (1 - 0.05)))


def _bound_evidence(loss: Curve, accuracy: Curve) -> dict[str, float | int | str]:
    return {"last loss": loss.last, "least possible": float(_lower_bound(np.array(accuracy.last)))}


def _equally_accurate(run: Run) -> bool:
    """Whether training and validation accuracy agree in the first third of the run."""
    pair = run.joint("train_accuracy", "val_accuracy")
    if pair is None:
        return False
    early = max(3, len(pair[0]) // 3)
    difference = np.abs(pair[0].values[:early] - pair[1].values[:early])
    return float(np.median(difference)) < EQUAL_ACCURACY


def _off(run: Run, split: str, early: int) -> float:
    """By which factor, as a logarithm, the early losses differ from what the accuracies imply."""
    pair = run.joint(f"{split}_loss", f"{split}_accuracy")
    if pair is None:
        return 0.0
    loss, accuracy = (curve.values[:early] for curve in pair)
    implied = calibrated_loss(accuracy, run.classes or ASSUMED_CLASSES)
    return float(abs(np.median(np.log(np.maximum(loss, 1e-300) / implied))))


def _parallel(one: Curve, other: Curve) -> bool:
    """Whether two losses move in proportion: slope of one's logarithm against the other's."""
    x, y = np.log(np.maximum(one.values, 1e-300)), np.log(np.maximum(other.values, 1e-300))
    spread = float(np.std(x))
    if spread < 1e-6:
        return True
    slope = float(np.mean((x - x.mean()) * (y - y.mean()))) / spread**2
    return slope > PARALLEL_SLOPE


def _may_be_squared_error(train: Curve, val: Curve, classes: int | None) -> bool:
    """Whether the first training loss is what squared error gives near chance.

    A uniform guess costs 1 - 1/C summed over the classes, (1 - 1/C) / C as their mean.
    """
    guessed = classes or max(2, round(float(np.exp(min(val.first, 7.0)))))
    total = 1 - 1 / guessed
    return any(0.4 < train.first / expected < 1.5 for expected in (total, total / guessed))
