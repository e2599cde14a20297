"""The derivative from samples on both sides of the origin or, where they differ, on each."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gradcheck.numerics.samples import Samples
from gradcheck.numerics.step_size import DerivativeEstimate, StepSizeSearch


@dataclass(frozen=True)
class Kink:
    """One-sided derivatives that differ by more than the sum of their error bounds."""

    left: float
    right: float
    left_bound: float
    right_bound: float


def differentiate(
    samples: Samples, closest: float, target: float = 0.0, order: int = 1
) -> tuple[DerivativeEstimate, Kink | None]:
    """Differentiate on both sides at once or, where that does not settle, on each.

    Parameters
    ----------
    samples, closest, target, order
        As in `gradcheck.numerics.step_size.StepSizeSearch`.

    Returns
    -------
    DerivativeEstimate
        The derivative; NaN ± infinity where the function is finite on neither side, or a second
        derivative is wanted where there is no first.
    Kink or None
        The one-sided derivatives, if they differ.
    """
    both = StepSizeSearch(samples, 0, closest, target, order).run()
    if both is not None and (both.settled or both.bound <= target):
        return both, None
    nothing = DerivativeEstimate(math.nan, math.inf, math.nan, samples.longest, False)
    if order == 2:
        slope, kink = differentiate(samples, closest)
        if kink is not None or not math.isfinite(slope.bound):
            return replace(nothing, noise=slope.noise), None
    left, right = (StepSizeSearch(samples, side, closest, target, order).run() for side in (-1, 1))
    if left is None or right is None:
        return left or right or nothing, None
    gap = abs(right.value - left.value)
    larger = max(left.bound, right.bound)
    # the bound covers everything between the one-sided derivatives
    middle = DerivativeEstimate(
        (left.value + right.value) / 2,
        gap / 2 + larger,
        max(left.noise, right.noise),
        min(left.span, right.span),
        False,
    )
    if not gap > left.bound + right.bound:
        return middle, None
    return middle, Kink(left.value, right.value, left.bound, right.bound)
