"""Inputs of the two sets: other preprocessing, another source, no common scale."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.measures.correlation import explained
from diagnostics.experiments.model.samples import some_rows
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.table import Floats

# Mean standardised difference of the features, and ratio of their spreads, that no split makes.
SHIFTED, SPREAD_RATIO = 0.25, 1.5
# Mean Kolmogorov-Smirnov distance of the features that no split makes.
APART = 0.2
# Rows that are compared: enough to know means and distributions to a few per cent.
ROWS = 4000
# A model loses this much accuracy on a shifted set.
LOST_ACCURACY = 0.10
# Or so much of the explained variance.
LOST = 0.25
# Scaling by one factor: means and spreads of the features agree on it this well.
SAME_FACTOR = 0.15


def distribution_shift(subject: Subject) -> Finding | None:
    """Means and spreads of the features are compared with those of the training set."""
    train, val = some_rows(subject.training.X, ROWS), some_rows(subject.X, ROWS)
    if train.shape[1] != val.shape[1]:
        return None
    spread = train.std(axis=0)
    varies = spread > 1e-9 * max(float(np.abs(train).max()), 1e-300)
    difference = np.abs(val.mean(axis=0) - train.mean(axis=0))[varies] / spread[varies]
    # Mean absolute value of a standard normal is sqrt(2 / pi).
    chance = np.sqrt(2 / np.pi * (1 / len(train) + 1 / len(val)))
    shift = float(difference.mean()) if varies.any() else 0.0
    ratio = (
        float(val[:, varies].std() / max(train[:, varies].std(), 1e-300)) if varies.any() else 1.0
    )
    apart = float(_kolmogorov_smirnov(train, val).mean())
    shifted = shift > max(SHIFTED, 3 * chance) or apart > max(APART, 3 * chance)
    if not shifted and 1 / SPREAD_RATIO < ratio < SPREAD_RATIO:
        return None
    hurts, lost = _lost(subject)
    factor = _scale(train[:, varies], val[:, varies])
    typical = float(np.median(difference)) if varies.any() else 0.0
    return Finding(
        severity=Severity.PROBLEM if hurts else Severity.WARNING,
        message=(
            f"The validation inputs differ from the training inputs: their features are typically "
            f"{typical:.2g} standard deviations apart, their spread is {ratio:.2g} times as large, "
            f"their distributions differ by {apart:.0%}."
            + (f" One factor explains it: validation = {factor:.4g} x training." if factor else "")
        ),
        confidence=0.9,
        evidence={
            "mean difference in standard deviations": shift,
            "expected by chance": float(chance),
            "mean Kolmogorov-Smirnov distance of the features": apart,
            "ratio of spreads": ratio,
            **lost,
        },
        causes=(
            "the two sets are scaled or preprocessed differently",
            "the validation set comes from another source",
        ),
        steps=advice("Preprocess both sets by one function, fitted on the training set only."),
    )


def _kolmogorov_smirnov(first: Floats, second: Floats) -> Floats:
    """Largest difference of two sets' distribution functions, for each feature of their rows."""
    both = np.concatenate([first, second])
    order = np.argsort(both, axis=0)
    steps = np.where(order < len(first), 1 / len(first), -1 / len(second))
    difference = np.abs(np.cumsum(steps, axis=0))
    values = np.take_along_axis(both, order, axis=0)
    # of equal values only the last one has them all below it
    difference[:-1][values[1:] == values[:-1]] = 0
    return np.asarray(difference.max(axis=0))


def _scale(train: Floats, val: Floats) -> float | None:
    """The factor between the sets, where all features' root mean squares agree on one."""
    sizes = np.sqrt((train**2).mean(axis=0)), np.sqrt((val**2).mean(axis=0))
    used = (sizes[0] > 0) & (sizes[1] > 0)
    if not used.any():
        return None
    factors = sizes[1][used] / sizes[0][used]
    median = float(np.median(factors))
    off = float(np.median(np.abs(factors / median - 1)))
    return median if off < SAME_FACTOR and not 0.5 < median < 2 else None


def _lost(subject: Subject) -> tuple[bool, dict[str, float]]:
    """Whether much worse answers are given here than on the training set, and by how much."""
    known = subject.trained_on
    if not subject.numeric:
        lost = 0.0 if known is None else known.accuracy - subject.accuracy
        return lost > LOST_ACCURACY, {"training minus validation accuracy": lost}
    if known is None:
        return False, {}
    learned = explained(known.predictions.raw, known.y)
    lost = learned - explained(subject.predictions.raw, subject.y)
    numbers = {"R squared on the training set": learned, "lost of it": lost}
    return (True, numbers) if lost >= LOST else (False, {})
