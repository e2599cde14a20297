"""Does the loss settle? Oscillation from epoch to epoch, and single spikes."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity, advice
from diagnostics.rules.features import loss_accuracy_bounds as bounds
from diagnostics.rules.features.curve import CALM, RESTLESS
from diagnostics.rules.features.run import Run
from diagnostics.rules.suggestions import LOWER_RATE, SLOWER
from diagnostics.statistics import robust

# A swing of this share of what there is to lose may spoil the run ...
LARGE_SWING = 0.1
# ... and does where the model ends less accurate than this, or its answers move by that much.
GOOD_ENOUGH, ANSWERS_MOVE = 0.9, 0.05
# The loss of one batch swings by sd / sqrt(size) of its own, and losses vary about as much as they
# cost: single steps tell nothing below this share of their level.
NOISE_OF_BATCHES = 0.5
# A spike stands this many noise levels above the running median, and above 1.8 times its level
# (values calibrated on public fine-tuning runs by finetune-doctor 0.2).
SPIKE_NOISE = 6.0
SPIKE_LEVEL = 1.8
# Warm-up that is not searched for spikes, as a share of the run.
WARM_UP = 0.05
# More spikes than this share of the epochs are oscillation.
MANY_SPIKES = 0.1


def oscillating(run: Run) -> Finding | None:
    """The training loss jumps up and down from epoch to epoch."""
    curve = run["train_loss"]
    later = curve.later_half
    values, _ = robust.condense(later.values, robust.TESTED_POINTS)
    level = float(np.median(later.values))
    swing = curve.swing
    if curve.is_signed_noise or not run.exceeds(swing, RESTLESS):
        return None
    val = run.val_loss
    if val is not None and not val.rise.real and not run.exceeds(val.swing, CALM):
        return None  # what moves the weights to and fro moves validation, too
    of_one_batch = run.axis == "step" and (val is None or val.swing <= RESTLESS)
    if of_one_batch and not run.exceeds(swing * curve.scale, NOISE_OF_BATCHES * level):
        return None
    turns = np.mean(np.diff(np.sign(np.diff(values))) != 0)
    if not run.exceeds(float(turns), 0.4):
        return None
    spoils = swing > LARGE_SWING and run.axis == "epoch" and _spoiled(run, level)
    return Finding(
        severity=Severity.PROBLEM if spoils else Severity.WARNING,
        message=(
            f"The training loss swings by {swing * curve.scale:.2g}, {swing:.0%} of what there "
            f"was to lose, from one {run.axis} to the next instead of settling."
        ),
        epochs=later.span,
        confidence=0.85 if spoils else 0.65,
        evidence={
            "swing from one to the next": swing * curve.scale,
            "swing / what there was to lose": swing,
            "share of epochs at which it turns": float(turns),
            "median loss of the second half": level,
        },
        causes=("the learning rate is too high", "the batches are very small, or not shuffled"),
        steps=advice(SLOWER, LOWER_RATE, "Decay the learning rate towards the end."),
    )


def _spoiled(run: Run, level: float) -> bool:
    """Whether the swings cost something: answers that are wrong, or that change, or far too sure.

    A model that answers well and steadily has settled, whatever its loss does meanwhile.
    """
    accuracy = run.val_accuracy or run.train_accuracy
    if accuracy is None:
        return True
    implied = float(bounds.calibrated_loss(np.array(accuracy.end_level), run.classes))
    moves = accuracy.later_half.noise > ANSWERS_MOVE
    return accuracy.end_level < GOOD_ENOUGH or moves or level > bounds.TOO_LARGE * implied


def spike_recovered(run: Run) -> Finding | None:
    """Single epochs stand out, and the run goes on as before."""
    for curve in filter(None, (run.train_loss, run.val_loss)):
        level = robust.running_median(curve.values, 5)
        height = curve.values - level
        threshold = np.maximum(SPIKE_NOISE * curve.noise, (SPIKE_LEVEL - 1) * np.abs(level))
        spikes = np.flatnonzero(height > threshold)
        edge = max(2, round(WARM_UP * len(curve)))
        spikes = spikes[(spikes >= edge) & (spikes < len(curve) - 2)]
        if not 0 < len(spikes) <= max(1, MANY_SPIKES * len(curve)):
            continue
        worst = spikes[np.argmax(curve.values[spikes])]
        times = "once" if len(spikes) == 1 else f"{len(spikes)} times"
        return Finding(
            message=(
                f"The loss jumps {times}, to {curve.values[worst]:.3g} from about "
                f"{level[worst]:.3g} at {run.axis} {curve.epochs[worst]:g}, and recovers."
            ),
            epochs=(float(curve.epochs[spikes[0]]), float(curve.epochs[spikes[-1]])),
            confidence=0.9,
            evidence={"spikes": len(spikes), "highest": float(curve.values[worst])},
            causes=("an unusual batch", "a step too long for the curvature at that place"),
            steps=advice("Clip the gradient's norm if it happens again."),
        )
    return None
