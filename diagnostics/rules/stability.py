"""Did the run break down? Values that are not finite, divergence, oscillation, spikes."""

from __future__ import annotations

import numpy as np

from diagnostics import trends
from diagnostics.finding import Finding, Severity
from diagnostics.rules.curve import Curve
from diagnostics.rules.measurements import FINITE_INPUTS, GRADIENTS, SLOWER
from diagnostics.rules.registry import remark, rule
from diagnostics.rules.run import Run
from diagnostics.table import Floats, Mask

# The training loss ends this many times above its lowest level: it diverges.
DIVERGED = 2.0
# So large a rise needs no noise model.
ORDER_OF_MAGNITUDE = 10.0
# Noise of the epoch means of the training loss, as a share of its first level. Sampling noise of
# epoch means is far below: 1 / sqrt(samples per epoch).
OSCILLATING = 0.07
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
    peak = float(curve.values[curve.rise.onset :].max())
    start = max(curve.first, curve.rise.lowest)
    margin = max(curve.rise.margin, curve.rise.relative / ORDER_OF_MAGNITUDE)
    doubles = run.exceeds(margin, 1.0) and curve.rise.relative > DIVERGED - 1
    if not run.diverges and (not doubles or curve.last < 0.5 * start):
        return None
    if run.val_loss is not None and run.val_loss.fall.real and not run.val_loss.rise.real:
        return None  # validation improves meanwhile: the curves are swapped, or training is noised
    return Finding(
        code="exploding_or_nan",
        severity=Severity.PROBLEM,
        message=(
            f"The training loss diverges: from {min(curve.first, curve.rise.lowest):.3g} it climbs "
            f"to {peak:.3g}. An optimiser that works does not do that."
        ),
        epochs=(float(curve.epochs[curve.rise.onset]), float(curve.epochs[-1])),
        confidence=0.9,
        evidence={"rise in noise levels": curve.rise.statistic, "last loss": curve.last},
        causes=(
            "the learning rate is too high",
            "the gradient has the wrong sign or scale",
            "a batch or a schedule changed at the onset",
        ),
        next_steps=(SLOWER, GRADIENTS),
    )


@rule("oscillating", needs=("train_loss",), unless=("exploding_or_nan",))
def oscillating(run: Run) -> Finding | None:
    """The training loss jumps up and down from epoch to epoch."""
    curve = run.train_loss
    if curve is None:
        return None
    later = Curve(curve.role, *_later_half(curve))
    values, _ = trends.condense(later.values, trends.TESTED_POINTS)
    scale = max(abs(curve.first), float(np.median(curve.values)))
    swing = trends.noise(values) / scale if scale > 0 else 0.0
    if not run.exceeds(swing, OSCILLATING):
        return None
    turns = np.mean(np.diff(np.sign(np.diff(values))) != 0)
    if not run.exceeds(float(turns), 0.4):
        return None
    return Finding(
        code="oscillating",
        severity=Severity.PROBLEM if swing > LARGE_SWING else Severity.WARNING,
        message=(
            f"The training loss swings by {swing:.0%} of its first value from one "
            f"{run.axis} to the next instead of settling."
        ),
        epochs=later.span,
        confidence=0.85 if swing > LARGE_SWING else 0.65,
        evidence={
            "swing / first loss": swing,
            "share of epochs at which it turns": float(turns),
            "median loss of the second half": float(np.median(later.values)),
        },
        causes=("the learning rate is too high", "the batches are very small, or not shuffled"),
        next_steps=(SLOWER, "Decay the learning rate towards the end."),
    )


def _later_half(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    half = len(curve) // 2 if len(curve) >= 16 else len(curve) // 4
    return curve.epochs[half:], curve.values[half:]


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
