"""Sizes that a history gives away: the number of classes and of validation samples."""

from __future__ import annotations

import numpy as np

from diagnostics.history.table import Floats
from diagnostics.rules.features.curve import Curve

# Largest evaluation set looked for; the floor ln N grows by 0.7 for each doubling only.
MOST_SAMPLES = 100_000
FEWEST_SAMPLES = 20
# Probability that accuracies of any other origin would fit the number of samples as well.
CHANCE_FIT = 1e-6
# Losses and accuracies at chance agree on the number of classes within this share of ln C.
CLASS_SLACK = 0.08
MOST_CLASSES = 1000
FULL_PRECISION = 7


def infer_classes(loss: Curve | None, accuracy: Curve | None) -> int | None:
    """Return C when the first loss is near ln C and the first accuracy near 1/C, else None."""
    if loss is None or accuracy is None or not 0 < accuracy.first <= 0.6:
        return None
    classes = round(float(np.exp(loss.first))) if loss.first < np.log(MOST_CLASSES) else 0
    if classes < 2 or abs(np.log(classes * accuracy.first)) > max(CLASS_SLACK * loss.first, 0.2):
        return None
    return classes


def infer_samples(accuracies: Floats, losses: Floats | None = None) -> int | None:
    """Return the smallest N of which all accuracies are a multiple k/N, None when undecided.

    Parameters
    ----------
    accuracies : ndarray, shape (n,)
        Fractions as logged.
    losses : ndarray, shape (n,)
        Logged beside them: when these have many more decimals, the accuracies were not rounded.

    Notes
    -----
    With m distinct accuracies known to +-r, a wrong N fits by chance with probability (2 r N)^m,
    which has to be below one in a million.
    """
    distinct = np.unique(accuracies[(accuracies > 0) & (accuracies < 1)])[:64]
    if len(distinct) < 3:
        return None
    decimals = _decimals(distinct)
    unrounded = losses is not None and _decimals(losses[:64]) >= decimals + 3
    half_widths = np.full(len(distinct), 1e-7) if unrounded else _half_widths(distinct, decimals)
    candidates = np.arange(FEWEST_SAMPLES, MOST_SAMPLES)
    for accuracy, half_width in zip(distinct, half_widths, strict=True):
        counts = accuracy * candidates
        candidates = candidates[np.abs(counts - np.round(counts)) <= half_width * candidates]
        if len(candidates) == 0:
            return None
    smallest = int(candidates[0])
    fit = float(np.prod(2 * half_widths * smallest))
    return smallest if fit < CHANCE_FIT else None


def _half_widths(values: Floats, decimals: int) -> Floats:
    """Largest error of each value, rounded to so many decimals or to as many digits as others."""
    leading = np.floor(np.log10(values)) + 1
    digits = max(_decimals(values[leading == place] / 10**place) for place in np.unique(leading))
    return np.asarray(0.5 * np.maximum(10.0**-decimals, 10.0 ** (leading - digits)))


def _decimals(values: Floats) -> int:
    """Decimals needed to write all values, at most those of single precision."""
    for decimals in range(FULL_PRECISION):
        if np.allclose(values, np.round(values, decimals), rtol=0, atol=1e-9):
            return decimals
    return FULL_PRECISION
