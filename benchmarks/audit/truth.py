"""The derivative of a formula to some thirty digits, from its values in a hundred."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

from benchmarks.audit.formulas import BY_NAME, plain_name
from benchmarks.audit.slices import Slice

DIGITS = 100

# Steps relative to the point. The truncation of a one-sided difference of the shorter one is 1e-32
# of the next derivative, its rounding 1e-66 of the function. The two tell a slope from a pole.
STEPS = (mpf(10) ** -28, mpf(10) ** -32)
SAME_SLOPE = 1e-9

# Below this nothing is known: rounding over a step, and truncation where a slope vanishes.
UNKNOWN = 1e-30

# A formula is that of an operator if their values agree to these digits wherever both have one, but
# for an operator's own inaccuracy in a few places; and it is the truth at a point if they do there.
AGREEMENT = 1e-9
SMALL = 1e-6  # below this they need not agree in digits: zeros of a sine are rounded ones
SHARE = 0.5
SAME_VALUE = 2.0**-46


@dataclass(frozen=True)
class Slope:
    """The one-sided derivatives, in order of size: the same where there is no kink.

    Infinite where there is no derivative, so that every gradient is right. Both are known but for
    ``unknown``.
    """

    low: float
    high: float
    unknown: float = 0.0

    def beyond(self, gradient: float) -> float:
        """Return how far a gradient is from the nearest subgradient."""
        distance = abs(gradient - min(max(gradient, self.low), self.high))
        return 0.0 if distance <= self.unknown else distance

    @property
    def size(self) -> float:
        """The larger of the two."""
        return max(abs(self.low), abs(self.high))


UNDEFINED = Slope(-math.inf, math.inf)


def truths(each: Slice, at: NDArray[np.float64], values: NDArray[np.float64]) -> list[Slope | None]:
    """Return the slope at each point; None where no formula has the operator's value there.

    Of the formulas of its name that has a say which agrees with the operator at most points.
    """
    same, chosen, share = np.zeros(len(at), bool), None, SHARE
    for formula in BY_NAME.get(plain_name(each.name), ()):
        f = partial(each.form.on_number, formula)
        with mp.workdps(DIGITS):
            exact = np.array([_number(f, mpf(x)) for x in at])
        both = np.isfinite(exact) & np.isfinite(values)
        error, size = np.where(both, np.abs(exact - values), np.inf), np.abs(values)
        agree = float(np.mean(error <= AGREEMENT * np.maximum(size, SMALL), where=both))
        if agree > share:
            same, chosen, share = error <= SAME_VALUE * size, f, agree
    return [slope(chosen, x) if chosen and ok else None for x, ok in zip(at, same, strict=True)]


def slope(f: Callable[[Any], Any], x: float) -> Slope | None:
    """Return the one-sided derivatives of a formula, `UNDEFINED` where one of them is infinite.

    At the end of the domain it is that of the side that is in it; None outside.
    """
    with mp.workdps(DIGITS):
        sides = [_one_sided(f, mpf(x), side) for side in (-1, 1)]
    if any(side is not None and math.isinf(side) for side in sides):
        return UNDEFINED
    known = sorted(side for side in sides if side is not None)
    if not known:
        return None
    with mp.workdps(DIGITS):
        unknown = UNKNOWN * float(1 + abs(f(mpf(x)))) / max(1.0, abs(x))
    return Slope(known[0], known[-1], unknown)


def _one_sided(f: Callable[[Any], Any], x: Any, side: int) -> float | None:
    """Return a one-sided derivative: None outside of the domain, infinite at a pole or jump."""
    try:
        steps = [side * h * (abs(x) or 1) for h in STEPS]
        here, *there = (f(x + h) for h in (0, *steps))
        if any(mp.im(y) != 0 for y in (here, *there)):
            return None
        slopes = [mp.re(y - here) / h for y, h in zip(there, steps, strict=True)]
    except (ArithmeticError, ValueError, NotImplementedError, mp.NoConvergence):
        return None
    longer, shorter = slopes
    if abs(longer - shorter) > SAME_SLOPE * abs(shorter) + mpf(10) ** -20:
        return math.inf
    return float(shorter)


def _number(f: Callable[[Any], Any], x: Any) -> float:
    try:
        result = f(x)
        return float(result) if mp.im(result) == 0 else math.nan
    except (ArithmeticError, ValueError, TypeError, NotImplementedError, mp.NoConvergence):
        return math.nan
