"""Samples of a function that vanishes at the origin, on a ladder of steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gradcheck.numerics.polynomial_fit import Fit, fit

# Each rung is this much shorter than the one above. Were it a simple fraction, the rounding errors
# of the samples would repeat themselves, plateaus of staircases fall on a straight line, and
# oscillations whose period divides the steps be hidden.
RATIO = 0.51793

# Rungs to leap over at once where there is nothing to be seen.
LEAP = 6

# How closely the end of a flat stretch is located, relatively.
NARROW = 2.0**-10

# Rungs of a window with steps to both sides, and to one, whose polynomials need more of them.
PAIRS = 5
SINGLES = 8
# Two of each parity, of which one is for the polynomial and one for the noise; another two guard
# against coincidence where the noise is not known.
FEWEST_SAMPLES = 4
FEWEST_UNINFORMED = 6


@dataclass(eq=False)
class Samples:
    """Remembered values of phi(t), with phi(0) = 0, and what windows of them say.

    Parameters
    ----------
    phi
        The function; not finite where it is not defined.
    longest
        The step of rung 0.
    offset
        Value that was subtracted from the function to give phi.
    eps
        Rounding unit of the function's values.
    step
        The representable step nearest to a given one.
    floor
        Known noise of phi besides their rounding.
    horizon
        How many leaps to look beyond the first window for the end of a flat stretch.
    prefetch
        Told of steps that are about to be asked for, where several at once are cheaper.
    """

    phi: Callable[[float], float]
    longest: float
    offset: float
    eps: float
    step: Callable[[float], float]
    floor: float = 0.0
    horizon: int = 0
    prefetch: Callable[[list[float]], None] | None = None
    known: dict[float, float] = field(default_factory=dict, init=False)

    def at(self, t: float) -> tuple[float, float]:
        """Return the representable step nearest to ``t`` and phi there."""
        t = self.step(t)
        if t not in self.known:
            self.known[t] = self.phi(t)
        return t, self.known[t]

    def span(self, level: int) -> float:
        """Return the step of a level."""
        return self.longest * RATIO**level

    def level(self, span: float) -> int:
        """Return the highest level whose step is no longer than ``span``."""
        return math.ceil(math.log(span / self.longest) / math.log(RATIO) - 1e-9)

    def magnitude(self) -> float:
        """Return the largest value of the function that was seen."""
        return max(abs(v + self.offset) for v in self.known.values() if math.isfinite(v))

    def window(self, top: int, side: int, target: float, order: int = 1) -> Fit | None:
        """Fit as few samples from rung ``top`` down as settle the matter; None if not finite."""
        steps: list[float] = []
        values: list[float] = []
        found = None
        levels = range(top, top + (SINGLES if side else PAIRS))
        if self.prefetch is not None:
            self.prefetch([sign * self.span(level) for level in levels for sign in signs(side)])
        for level in levels:
            for sign in signs(side):
                t, value = self.at(sign * self.span(level))
                if t == 0 or t in steps:
                    return found
                if not math.isfinite(value):
                    return None
                steps.append(t)
                values.append(value)
            if len(steps) >= (FEWEST_SAMPLES if self.floor else FEWEST_UNINFORMED):
                floor = self._rounding(values)
                found = fit(
                    np.array(steps), np.array(values), floor, mirrored=side == 0, order=order
                )
                if found.resolved or found.bound <= target:
                    return found
        return found

    def _rounding(self, values: list[float]) -> float:
        """Return the noise known to be in ``values``: half a unit in the last place, or more."""
        return max(self.floor, *(self.eps / 2 * abs(value + self.offset) for value in values))

    def jumps(self, top: int, side: int) -> bool:
        """Whether phi jumps at 0: its values from rung ``top`` down are nearly the same, not 0."""
        for sign in signs(side):
            values = [self.at(sign * self.span(top + level))[1] for level in range(PAIRS)]
            if max(values) - min(values) < abs(values[0]) / 16:
                return True
        return False

    def plateau(self, side: int) -> tuple[float, float]:
        """Return where the flat stretch at 0 ends, and the height of the jump there.

        The height is 0 where phi departs from 0 continuously, or does not as far as is known.
        """
        for leap in range(self.horizon + 1):
            far = [self.at(sign * self.span(-LEAP * leap))[1] for sign in signs(side)]
            if any(far):
                break
        changed = [t for t, v in self.known.items() if t * side >= 0 and v and math.isfinite(v)]
        outer = min(changed, key=abs, default=math.inf)
        flat = [t for t in self.known if t * outer > 0 and abs(t) < abs(outer)]
        if not changed or not flat:
            return math.inf, 0.0
        outer = self._departure(max(flat, key=abs), outer)
        # a continuous function rises 32 times more at a distance 32 times that of `outer`
        jump, beyond = abs(self.known[outer]), abs(self.at(outer * (1 + 32 * NARROW))[1])
        return abs(outer), jump if jump > beyond / 8 else 0.0

    def _departure(self, inner: float, outer: float) -> float:
        """Return a step just beyond where phi departs from 0, given steps on both sides of it."""
        while abs(outer - inner) > NARROW * abs(outer):
            far = outer / inner > 4
            middle = inner * math.sqrt(outer / inner) if far else (inner + outer) / 2
            middle, value = self.at(middle)
            if middle in (inner, outer):
                break
            inner, outer = (middle, outer) if value == 0 else (inner, middle)
        return outer


def signs(side: int) -> tuple[int, ...]:
    """Return the signs of the steps: 1 and -1 for ``side`` 0, else that side's."""
    return (side,) if side else (1, -1)


def first_step(scale: float, noise: float) -> float:
    """Return a span whose tail meets the noise if the Taylor coefficients are scale**-k.

    The tail of a full window is of degree 9. Of x**9 it holds less than 2**-9, so that the span
    may be twice that at which x**9 itself meets the noise.
    """
    return float(2 * scale * noise ** (1 / 9))
