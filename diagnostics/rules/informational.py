"""What else is worth knowing about a run. Nothing here is a problem."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, advice, measure
from diagnostics.rules.features.curve import Curve
from diagnostics.rules.features.run import Run
from diagnostics.statistics import robust
from diagnostics.statistics.rise_test import RISE_THRESHOLD

# Validation below training by this factor all along.
BETTER_BY = 0.9
# Share of epochs at which validation must be below training.
MOST_EPOCHS = 0.8
# Noise of the validation loss as a share of its level, and against that of training.
NOISY = 0.08
NOISIER_THAN_TRAINING = 2.0
# A change of the learning rate by less is a schedule, not a step.
RATE_STEP = 0.6
# The last third of the run improves by this share of the level, and by this many noise levels.
IMPROVES = 0.02
IMPROVES_NOISE = 2.0
# Share of the run that a plateau at its beginning must fill; share of the fall seen in it at most.
EARLY_PLATEAU = 0.2
PLATEAU_FALL = 0.1
# A hump of the validation loss between its first minimum and a lower one later.
HUMP = 0.1


def adversarial_loss(run: Run) -> Finding | None:
    """The loss is that of a game, such as a policy's or a discriminator's: no curve can judge it.

    The better the opponent, the larger the loss; and a policy gradient's loss is one in name only.
    """
    if not run.adversarial:
        return None
    name = next(n for role, n in run.history.mapping.items() if role.endswith("_loss"))
    return Finding(
        message=(
            f"{name!r} is the loss of a game, which need not fall while the run goes well: it was "
            "searched for values that are not finite, and for nothing else."
        ),
        steps=advice(
            "Judge the run by its reward, or by its samples: log them beside the loss.",
            measure(
                "diagnose(History.read(path, columns={'train_loss': other}))",
                "of a loss that falls",
            ),
        ),
    )


def validation_better_than_train(run: Run) -> Finding | None:
    """Validation is below training all along, as dropout and running averages make it."""
    pair = run.joint("train_loss", "val_loss")
    if pair is None:
        return None
    train, val = (curve.values[1:] for curve in pair)
    ratio = float(np.median(val / np.where(train > 0, train, np.nan)))
    below = float(np.mean(val < train))
    if not run.exceeds(BETTER_BY, ratio) or not run.exceeds(below, MOST_EPOCHS):
        return None
    return Finding(
        message=f"The validation loss is below the training loss at {below:.0%} of the epochs.",
        epochs=pair[0].span,
        confidence=0.9,
        evidence={"validation / training loss, median": ratio, "share of epochs": below},
        causes=(
            "dropout, augmentation or a weight penalty act on the training loss only",
            "the training loss is the mean over an epoch in which the model still improved",
            "the validation set is easier, or contains training samples",
        ),
        steps=advice(
            "Evaluate the training set after the epoch, in evaluation mode, to compare.",
        ),
    )


def noisy_validation(run: Run) -> Finding | None:
    """The validation loss jumps more than the training loss."""
    val = run["val_loss"]
    level = abs(float(np.median(val.values)))
    share = val.noise / level if level > 0 else 0.0
    if not run.exceeds(share, NOISY):
        return None
    train = run.train_loss
    if train is not None and val.noise < NOISIER_THAN_TRAINING * train.noise:
        return None
    return Finding(
        message=(
            f"The validation loss jumps by {share:.0%} from one {run.axis} to the next: judge "
            "trends, not single values."
        ),
        epochs=val.span,
        confidence=0.85,
        evidence={"noise / level": share, "noise": val.noise},
        causes=(
            "a small validation set",
            "running statistics of batch normalisation that lag behind",
            "randomness left on in evaluation",
        ),
        steps=advice("Use a larger validation set, or average over several epochs."),
    )


def learning_rate_step(run: Run) -> Finding | None:
    """The learning rate was lowered at once."""
    rate = run.curve("learning_rate")
    if rate is None or (rate.values <= 0).any():
        return None
    factors = rate.values[1:] / rate.values[:-1]
    steps = np.flatnonzero(factors < RATE_STEP) + 1
    # A schedule changes at every epoch; a step is followed and preceded by rest.
    rests = np.mean(np.isclose(factors, 1.0, rtol=1e-3))
    if len(steps) == 0 or rests < 0.5:
        return None
    epochs = ", ".join(f"{epoch:g}" for epoch in rate.epochs[steps][:5])
    return Finding(
        message=f"The learning rate was lowered at {run.axis} {epochs}.",
        epochs=(float(rate.epochs[steps[0]]), float(rate.epochs[steps[-1]])),
        evidence={"steps": len(steps), "first": rate.first, "last": float(rate.values[-1])},
    )


def plateau_then_progress(run: Run) -> Finding | None:
    """Nothing happened for a while, then the loss fell."""
    curve = run["train_loss"]
    if len(curve) < 10:
        return None
    values, index = robust.condense(curve.values, robust.TESTED_POINTS)
    start = float(np.median(values[:3]))
    fall = start - curve.end_level
    if fall < max(0.2 * abs(start), 9 * robust.noise(values)):
        return None
    flat = values > start - PLATEAU_FALL * fall
    end = int(np.argmin(flat)) if not flat.all() else len(flat)
    if not run.exceeds(end / len(values), EARLY_PLATEAU):
        return None
    leave = float(curve.epochs[round(index[end])])
    return Finding(
        message=(
            f"The loss stayed at its first level until {run.axis} {leave:g}, then fell by "
            f"{fall:.3g}."
        ),
        epochs=(float(curve.epochs[0]), leave),
        confidence=0.85,
        evidence={"plateau as a share of the run": end / len(values), "fall afterwards": fall},
        causes=("a saddle or symmetric initialisation", "a warm-up of the learning rate"),
        steps=advice("Nothing need be done; a better initialisation shortens the plateau."),
    )


def late_improvement(run: Run) -> Finding | None:
    """The validation loss rose and then fell below its earlier minimum (double descent)."""
    val = run["val_loss"]
    if len(val) < 15:
        return None
    values, index = robust.condense(robust.running_median(val.values, 5), robust.TESTED_POINTS)
    peak = _highest_hump(values)
    if peak is None:
        return None
    before, after = float(values[:peak].min()), float(values[peak:].min())
    hump = (float(values[peak]) - before) / abs(before) if before else 0.0
    points, _ = robust.condense(val.values, robust.TESTED_POINTS)
    significant = values[peak] - before > RISE_THRESHOLD * robust.noise(points)
    if not run.exceeds(hump, HUMP) or after >= before * (1 - IMPROVES) or not significant:
        return None
    epoch = float(val.epochs[round(index[peak])])
    return Finding(
        message=(
            f"The validation loss rose until {run.axis} {epoch:g}, then fell below its first "
            "minimum."
        ),
        epochs=val.since(round(index[int(np.argmin(values[:peak]))])),
        confidence=0.8,
        evidence={
            "earlier minimum, smoothed": before,
            "hump, smoothed": float(values[peak]),
            "later minimum, smoothed": after,
        },
        causes=("double descent", "a lowered learning rate", "a rare event that passed"),
        steps=advice("Do not stop at the first rise: use a longer patience."),
    )


def _highest_hump(values: np.ndarray) -> int | None:
    """Index of the value that stands highest above both the lowest before and the lowest after."""
    if len(values) < 5:
        return None
    before = np.minimum.accumulate(values)
    after = np.minimum.accumulate(values[::-1])[::-1]
    height = values - np.maximum(before, after)
    peak = int(np.argmax(height))
    return peak if 0 < peak < len(values) - 1 else None


def still_improving(run: Run) -> Finding | None:
    """The run ended while it was getting better."""
    curve = run.val_loss or run.train_loss
    if curve is None or curve.rise.possible:
        return None
    gain, needed = _late_gain(curve)
    if not run.exceeds(gain, needed):
        return None
    return Finding(
        message=(
            f"The loss was still falling when the run ended, by {gain:.3g} over the last third."
        ),
        epochs=curve.since(2 * len(curve) // 3),
        confidence=0.8,
        evidence={"fall over the last third": gain, "last loss": curve.last},
        steps=advice("Train longer."),
    )


def converged(run: Run) -> Finding | None:
    """The run has come to rest."""
    curve = run.val_loss or run.train_loss
    if curve is None or curve.rise.possible:
        return None
    gain, needed = _late_gain(curve)
    if gain > needed:
        return None
    best = int(np.argmin(curve.values))
    return Finding(
        message=(
            f"The run has converged: the best loss is {curve.values[best]:.4g} at {run.axis} "
            f"{curve.epochs[best]:g}, and the last third stays within its noise."
        ),
        epochs=curve.since(2 * len(curve) // 3),
        confidence=0.85,
        evidence={"change over the last third": gain, "best loss": float(curve.values[best])},
    )


def _late_gain(curve: Curve) -> tuple[float, float]:
    """Fall of the curve over its last third, and the fall that would count."""
    third = curve.part(2 / 3, 1.0)
    piece = max(2, len(third) // 3)
    gain = float(np.median(third[:piece]) - np.median(third[-piece:]))
    # Standard error of a difference of two medians: noise sqrt(pi / 2) sqrt(2 / n)
    error = curve.noise * np.sqrt(np.pi / piece)
    return gain, max(IMPROVES * abs(curve.end_level), IMPROVES_NOISE * error)
