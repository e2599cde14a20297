"""Did the run break down? Values that are not finite, divergence, a loss without end."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity, advice, measure
from diagnostics.history.column_roles import METRICS, words
from diagnostics.history.table import Floats, Mask
from diagnostics.rules.features.breakdown import DIVERGED, ORDER_OF_MAGNITUDE
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.rules.suggestions import FINITE_INPUTS, GRADIENTS, LOWER_RATE, SLOWER

# A loss that would be an accuracy ends at least there.
AS_ACCURATE = 0.5
# Share of the run in which a highest loss counts as one from the start.
FIRST_EPOCHS = 0.1


def not_finite(run: Run) -> Finding | None:
    """A loss became NaN or infinite."""
    for role in ("train_loss", "val_loss"):
        bad, values = run.history.not_finite(role), run.history.curve(role)
        if values is not None and bad.any():
            return _not_finite_finding(run, role, values, bad)
    return None


def _not_finite_finding(run: Run, role: str, values: Floats, bad: Mask) -> Finding:
    epochs, first, count = run.history.epochs, int(np.argmax(bad)), int(bad.sum())
    before = values[:first][np.isfinite(values[:first])]
    which = "training" if role == "train_loss" else "validation"
    kind = "infinite" if np.isinf(values[first]) else "NaN"
    evidence: dict[str, float | int | str] = {
        f"first {run.axis} concerned": float(epochs[first]),
        "values not finite": count,
    }
    if len(before):
        evidence["last finite loss"] = float(before[-1])
    grew = len(before) > 1 and before[-1] > 2 * before.min()
    too_large = "the learning rate is too high: the weights grew beyond all bounds"
    log_of_zero = "log(0): a predicted probability underflowed to exactly zero"
    stable = "Compute log p as z - max(z) - log(sum(exp(z - max(z)))) from the logits z."
    slower = "Lower the learning rate tenfold, or clip the gradient's norm."
    of_numbers = set(words(run.history.mapping[role])) & METRICS  # no logarithm in it
    only_val = role == "val_loss" or kind == "infinite"
    underflows = only_val and not grew
    causes: tuple[str, ...] = (too_large, *(() if of_numbers else (log_of_zero,)))
    if underflows:
        causes = causes[::-1]
    changes = (slower,) if of_numbers else (stable, slower) if underflows else (slower, stable)
    return Finding(
        message=f"The {which} loss is {kind} from {run.axis} {epochs[first]:g} on.",
        epochs=(float(epochs[first]), float(epochs[-1])),
        confidence=1.0,
        evidence=evidence,
        causes=(*causes, "NaN or huge values in the inputs", "division by zero in a normalisation"),
        steps=advice(
            FINITE_INPUTS,
            *changes,
            f"Look at the batch of the first NaN ({run.axis} {epochs[first]:g}).",
        ),
    )


def diverging(run: Run) -> Finding | None:
    """The training loss itself rises, by as much as it was."""
    curve = run["train_loss"]
    if run.answers_hold:
        return None
    start = max(curve.first, curve.rise.lowest)
    margin = max(curve.rise.margin, curve.rise.relative / ORDER_OF_MAGNITUDE)
    doubles = run.exceeds(margin, 1.0) and curve.rise.relative > DIVERGED - 1
    if not run.diverges and (not doubles or curve.end_level < 0.5 * start):
        return None
    val = run.val_loss
    if curve.rise.real and val is not None and val.fall.real and not val.rise.real:
        return None  # validation improves meanwhile: the curves are swapped, or training is noised
    return _misnamed(run, curve) if _like_an_accuracy(run, curve) else _broke_down(run, curve)


def unlearned(run: Run) -> Finding | None:
    """What was learned is lost at once: a jump that accuracy or validation does not survive."""
    return _broke_down(run, run["train_loss"]) if run.lost_at_once else None


def bottomless(run: Run) -> Finding | None:
    """The loss of a classifier falls below zero, further and further: it has no lowest value."""
    curve, pair = run["train_loss"], run.pair
    if pair is None or curve.rise.real:
        return None
    if not run.exceeds(-curve.end_level, ORDER_OF_MAGNITUDE * abs(curve.first)):
        return None
    return Finding(
        message=(
            f"The training loss falls without end, to {curve.last:.4g}. A cross-entropy is never "
            f"negative while the labels are 0 and 1; the accuracy ends at {pair[1].last:.3g}."
        ),
        epochs=curve.span,
        confidence=0.85,
        evidence={"first loss": curve.first, "last loss": curve.last,
                  "last accuracy": pair[1].last},
        causes=(
            "labels other than 0 and 1 in a binary cross-entropy: -1, 2, or more classes",
            "the loss lacks its minus sign, and is descended",
        ),
        steps=advice(
            measure("np.unique(y_train)", "0 and 1?"),
            "With more than two classes: one output for each, softmax and cross-entropy.",
            GRADIENTS,
        ),
    )  # fmt: skip


def _like_an_accuracy(run: Run, curve: Curve) -> bool:
    """Whether what is called a loss climbs within 0 and 1, levels off, and validation with it."""
    val = run.val_loss
    if val is None or run.train_accuracy is not None or run.val_accuracy is not None:
        return False
    within = all(c.values.min() >= 0 and c.values.max() <= 1 for c in (curve, val))
    half = float(np.median(curve.part(0.4, 0.6)))
    levels_off = curve.end_level - half < (half - curve.first) / 2
    return within and levels_off and val.end_level > val.first and curve.end_level > AS_ACCURATE


def _misnamed(run: Run, curve: Curve) -> Finding:
    """The finding for an accuracy under the name of a loss."""
    name = run.history.mapping["train_loss"]
    return Finding(
        severity=Severity.WARNING,
        message=(
            f"The training loss climbs from {curve.first:.3g} to {curve.last:.3g} and levels off "
            f"below 1, as an accuracy does: is the column {name!r} one?"
        ),
        epochs=curve.span,
        confidence=0.5,
        evidence={"first value": curve.first, "last value": curve.last},
        causes=("an accuracy is logged under the name of a loss", "the training diverges"),
        steps=advice(
            measure(f"diagnose(History.read(path, columns={{'train_accuracy': {name!r}}}))"),
            "Log the accuracy under its own name; lower the learning rate if it is a loss.",
        ),
    )


def _broke_down(run: Run, curve: Curve) -> Finding:
    """The finding: from which loss to which, and when."""
    peak = int(np.argmax(curve.values))
    from_the_start = peak <= FIRST_EPOCHS * len(curve)
    before = float(curve.values[: peak + 1].min())
    low = np.flatnonzero(curve.values[: peak + 1] <= before + (DIVERGED - 1) * abs(before))
    begin = peak if from_the_start else min(max(curve.rise.onset, int(low[-1])), peak)
    highest, at = curve.values[peak], f"{run.axis} {curve.epochs[peak]:g}"
    course = (
        f"it reaches {highest:.3g} in {at} already and ends at {curve.last:.3g}, learning nothing"
        if from_the_start
        else f"from {before:.3g} it climbs to {highest:.3g} in {at} and ends at {curve.last:.3g}"
    )
    return Finding(
        message=f"The training loss blows up: {course}. An optimiser that works does not do that.",
        epochs=curve.since(begin),
        confidence=0.9,
        evidence={
            "first loss": curve.first,
            "lowest loss": float(curve.values.min()),
            "highest loss": float(highest),
            "last loss": curve.last,
        },
        causes=(
            "the learning rate is too high",
            "the inputs or targets are not scaled: hundreds where the network expects ones",
            "the gradient has the wrong sign or scale, or is not reset before each step",
            "a batch or a schedule changed at the onset",
        ),
        steps=advice(SLOWER, LOWER_RATE, FINITE_INPUTS, GRADIENTS),
    )
