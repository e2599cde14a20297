"""Did the run break down? Values that are not finite, divergence, oscillation, spikes."""

from __future__ import annotations

import numpy as np

from diagnostics import trends
from diagnostics.finding import Finding, Severity
from diagnostics.rules.curve import RESTLESS, Curve
from diagnostics.rules.measurements import FINITE_INPUTS, GRADIENTS, SLOWER
from diagnostics.rules.registry import remark, rule
from diagnostics.rules.run import Run
from diagnostics.table import Floats, Mask

# The training loss ends this many times above its lowest level: it diverges.
DIVERGED = 2.0
# So large a rise needs no noise model.
ORDER_OF_MAGNITUDE = 10.0
# A model that was right in most cases, and a training loss that had been learned.
MOSTLY_RIGHT, LEARNED = 0.5, 0.5
# A jump to so many times the first loss is no unusual batch.
BLOWN_UP = 3.0
# A loss that would be an accuracy ends at least there.
AS_ACCURATE = 0.5
# Share of the run in which a highest loss counts as one from the start.
FIRST_EPOCHS = 0.1
# A swing of this share of the first loss spoils the run.
LARGE_SWING = 0.1
# A spike stands this many noise levels above the running median, and above 1.8 times its level
# (values calibrated on public fine-tuning runs by finetune-doctor 0.2).
SPIKE_NOISE = 6.0
SPIKE_LEVEL = 1.8
# Warm-up that is not searched for spikes, as a share of the run.
WARM_UP = 0.05
# More spikes than this share of the epochs are oscillation.
MANY_SPIKES = 0.1


@rule("exploding_or_nan", epochs=1)
def not_finite(run: Run) -> Finding | None:
    """A loss became NaN or infinite."""
    history = run.history
    for role in ("train_loss", "val_loss"):
        values = history.curve(role)
        if values is None:
            continue
        bad = history.logged(role) & ~np.isfinite(values)
        if bad.any():
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
    only_val = role == "val_loss" or kind == "infinite"
    causes = (log_of_zero, too_large) if only_val and not grew else (too_large, log_of_zero)
    return Finding(
        code="exploding_or_nan",
        severity=Severity.PROBLEM,
        message=f"The {which} loss is {kind} from {run.axis} {epochs[first]:g} on.",
        epochs=(float(epochs[first]), float(epochs[-1])),
        confidence=1.0,
        evidence=evidence,
        causes=(*causes, "NaN or huge values in the inputs", "division by zero in a normalisation"),
        next_steps=(
            FINITE_INPUTS,
            "Compute log p as z - max(z) - log(sum(exp(z - max(z)))) from the logits z.",
            "Lower the learning rate tenfold, or clip the gradient's norm.",
            f"Look at the batch of the first NaN ({run.axis} {epochs[first]:g}).",
        ),
    )


@rule("exploding_or_nan", needs=("train_loss",), unless=("exploding_or_nan",))
def diverging(run: Run) -> Finding | None:
    """The training loss itself rises, by as much as it was."""
    curve = run.train_loss
    if curve is None:
        return None
    start = max(curve.first, curve.rise.lowest)
    margin = max(curve.rise.margin, curve.rise.relative / ORDER_OF_MAGNITUDE)
    doubles = run.exceeds(margin, 1.0) and curve.rise.relative > DIVERGED - 1
    if not run.diverges and (not doubles or curve.last < 0.5 * start):
        return None
    if run.val_loss is not None and run.val_loss.fall.real and not run.val_loss.rise.real:
        return None  # validation improves meanwhile: the curves are swapped, or training is noised
    return _misnamed(run, curve) if _like_an_accuracy(run, curve) else _broke_down(run, curve)


@rule("exploding_or_nan", needs=("train_loss",), unless=("exploding_or_nan",))
def unlearned(run: Run) -> Finding | None:
    """What was learned is lost at once: a jump that accuracy or validation does not survive."""
    curve, accuracy, val = run.train_loss, run.train_accuracy, run.val_loss
    if curve is None:
        return None
    jumps = curve.values.max() > DIVERGED * curve.first
    if accuracy is not None and jumps and curve.last > curve.first:
        best = float(trends.running_median(accuracy.values, 3).max())
        if best > MOSTLY_RIGHT and accuracy.last < best / 2:
            return _broke_down(run, curve)
    peak = int(np.argmax(curve.values))
    before = curve.values[:peak]
    if val is None or len(before) < 3 or before.min() > LEARNED * curve.first:
        return None
    val_before = val.values[val.epochs < curve.epochs[peak - 2]]
    if not len(val_before) or not run.exceeds(curve.values[peak], BLOWN_UP * curve.first):
        return None
    if not run.exceeds(val.last, ORDER_OF_MAGNITUDE * float(np.median(val_before[-3:]))):
        return None
    return _broke_down(run, curve)


def _like_an_accuracy(run: Run, curve: Curve) -> bool:
    """Whether what is called a loss climbs within 0 and 1, levels off, and validation with it."""
    val = run.val_loss
    if val is None or run.train_accuracy is not None or run.val_accuracy is not None:
        return False
    within = all(c.values.min() >= 0 and c.values.max() <= 1 for c in (curve, val))
    half = float(np.median(curve.part(0.4, 0.6)))
    levels_off = curve.last - half < (half - curve.first) / 2
    return within and levels_off and val.last > val.first and curve.last > AS_ACCURATE


def _misnamed(run: Run, curve: Curve) -> Finding:
    """The finding for an accuracy under the name of a loss."""
    name = run.history.mapping["train_loss"]
    return Finding(
        code="exploding_or_nan",
        severity=Severity.WARNING,
        message=(
            f"The training loss climbs from {curve.first:.3g} to {curve.last:.3g} and levels off "
            f"below 1, as an accuracy does: is the column {name!r} one?"
        ),
        epochs=curve.span,
        confidence=0.5,
        evidence={"first value": curve.first, "last value": curve.last},
        causes=("an accuracy is logged under the name of a loss", "the training diverges"),
        next_steps=(f"diagnose(History.read(path, columns={{'train_accuracy': {name!r}}}))",),
    )


def _broke_down(run: Run, curve: Curve) -> Finding:
    """The finding: from which loss to which, and when."""
    peak = int(np.argmax(curve.values))
    from_the_start = peak <= FIRST_EPOCHS * len(curve)
    before = float(curve.values[: peak + 1].min())
    low = np.flatnonzero(curve.values[: peak + 1] <= before + (DIVERGED - 1) * abs(before))
    begin = peak if from_the_start else max(curve.rise.onset, int(low[-1]))
    highest, at = curve.values[peak], f"{run.axis} {curve.epochs[peak]:g}"
    course = (
        f"it reaches {highest:.3g} in {at} already and ends at {curve.last:.3g}, learning nothing"
        if from_the_start
        else f"from {before:.3g} it climbs to {highest:.3g} in {at} and ends at {curve.last:.3g}"
    )
    return Finding(
        code="exploding_or_nan",
        severity=Severity.PROBLEM,
        message=f"The training loss blows up: {course}. An optimiser that works does not do that.",
        epochs=(float(curve.epochs[begin]), float(curve.epochs[-1])),
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
        next_steps=(SLOWER, FINITE_INPUTS, GRADIENTS),
    )


@rule("oscillating", needs=("train_loss",), unless=("exploding_or_nan",))
def oscillating(run: Run) -> Finding | None:
    """The training loss jumps up and down from epoch to epoch."""
    curve = run.train_loss
    if curve is None:
        return None
    later = curve.later_half
    values, _ = trends.condense(later.values, trends.TESTED_POINTS)
    swing = curve.swing
    if not run.exceeds(swing, RESTLESS):
        return None
    turns = np.mean(np.diff(np.sign(np.diff(values))) != 0)
    if not run.exceeds(float(turns), 0.4):
        return None
    # Single steps swing by the noise of their batches.
    spoils = swing > LARGE_SWING and run.axis == "epoch"
    return Finding(
        code="oscillating",
        severity=Severity.PROBLEM if spoils else Severity.WARNING,
        message=(
            f"The training loss swings by {swing:.0%} of its first value from one "
            f"{run.axis} to the next instead of settling."
        ),
        epochs=later.span,
        confidence=0.85 if spoils else 0.65,
        evidence={
            "swing / first loss": swing,
            "share of epochs at which it turns": float(turns),
            "median loss of the second half": float(np.median(later.values)),
        },
        causes=("the learning rate is too high", "the batches are very small, or not shuffled"),
        next_steps=(SLOWER, "Decay the learning rate towards the end."),
    )


@remark("spike_recovered", needs=("train_loss",), unless=("exploding_or_nan", "oscillating"))
def spike_recovered(run: Run) -> Finding | None:
    """Single epochs stand out, and the run goes on as before."""
    for curve in (run.train_loss, run.val_loss):
        if curve is None:
            continue
        level = trends.running_median(curve.values, 5)
        height = curve.values - level
        threshold = np.maximum(SPIKE_NOISE * curve.noise, (SPIKE_LEVEL - 1) * np.abs(level))
        spikes = np.flatnonzero(height > threshold)
        edge = max(2, round(WARM_UP * len(curve)))
        spikes = spikes[(spikes >= edge) & (spikes < len(curve) - 2)]
        if 0 < len(spikes) <= max(1, MANY_SPIKES * len(curve)):
            return _spike_finding(run, curve, spikes, level)
    return None


def _spike_finding(run: Run, curve: Curve, spikes: np.ndarray, level: np.ndarray) -> Finding:
    worst = spikes[np.argmax(curve.values[spikes])]
    times = "once" if len(spikes) == 1 else f"{len(spikes)} times"
    return Finding(
        code="spike_recovered",
        severity=Severity.INFO,
        message=(
            f"The loss jumps {times}, to {curve.values[worst]:.3g} from {level[worst]:.3g} at "
            f"{run.axis} {curve.epochs[worst]:g}, and recovers."
        ),
        epochs=(float(curve.epochs[spikes[0]]), float(curve.epochs[spikes[-1]])),
        confidence=0.9,
        evidence={"spikes": len(spikes), "highest": float(curve.values[worst])},
        causes=("an unusual batch", "a step too long for the curvature at that place"),
        next_steps=("Clip the gradient's norm if it happens again.",),
    )
