"""Samples on a ladder of steps, and polynomials through the origin fitted to them.

The samples phi(h), phi(h/2), phi(h/4), ... and their mirror images are expanded in the discrete
orthogonal polynomials through the origin that belong to their steps (Forsythe, J. SIAM 5, 1957).
The expansion of a smooth function falls geometrically until it meets the noise and stays there;
that of a kinked or unresolved one falls slowly. So its last coefficients, which nothing was fitted
to, say what the samples are worth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# A window is resolved when its last two coefficients are within this many units of the rounding.
RESOLVED = 3.0

# The noise is judged by two samples, doubled. In front of a deviation CAUTION * 2 * (the larger of
# the two) is exceeded by a third sample once in 400 times if nothing else were known; the floor
# of the noise covers the rest.
CAUTION = 10.0

# Each rung is this much shorter than the one above. Halving would make the rounding errors of the
# samples repeat themselves, and hide oscillations whose period divides the steps.
RATIO = 0.52

# Rungs to leap over at once where there is nothing to be seen.
LEAP = 6

PAIRS = 5
SINGLES = 8  # samples of a one-sided window: its polynomials need more of them


@dataclass(frozen=True)
class Fit:
    """What the samples of one window say about the slope at the origin.

    Attributes
    ----------
    slope, bound
        The estimate, and the limit of its error.
    span
        The longest step of the window.
    floor, tail, level
        The known noise of a sample, the largest of the last two coefficients, and the root mean
        square of the last half of them.
    order
        Power of the step with which the tail of a smooth function falls.
    bends_at
        Step at which the cubic term equals the linear one.
    flat
        Whether the last two samples, next to the origin, are exactly zero.
    """

    slope: float
    bound: float
    span: float
    floor: float
    tail: float
    level: float
    order: int
    bends_at: float
    flat: bool

    @property
    def resolved(self) -> bool:
        """Whether the expansion has fallen to the noise: nothing is hidden from these samples."""
        return self.tail <= RESOLVED * self.floor

    @property
    def noise(self) -> float:
        """Noise of one sample; the tail of an unresolved window is structure instead."""
        return max(self.floor, self.tail) if self.resolved else self.floor

    def agrees(self, other: Fit) -> bool:
        """Whether the two intervals overlap."""
        return abs(self.slope - other.slope) <= self.bound + other.bound


def fit(steps: np.ndarray, values: np.ndarray, floor: float, side: int) -> Fit:
    """Slope at 0 of a function that vanishes there, from its ``values`` at ``steps``."""
    span = float(np.abs(steps).max())
    x = steps / span
    q, r = np.linalg.qr(x[:, None] ** np.arange(1, len(x) + 1))
    z = q.T @ values  # coefficients of the expansion
    s = np.linalg.solve(r.T, np.eye(1, len(x))[0]) / span  # slopes of its polynomials at 0
    tail = float(np.abs(z[-2:]).max())
    noise = 2 * max(floor, tail)

    slopes = np.cumsum(s * z)
    amplification = np.sqrt(np.cumsum(s**2))
    stride = 1 if side else 2  # even powers come free with the odd ones where steps are mirrored
    candidates = []
    for degree in range(stride, len(x) - 1, stride):
        following = slice(degree, degree + 2)
        truncation = 3 * np.abs(s[following]).max() * np.abs(z[following]).max()
        secant = 2 * np.abs(q[:, degree:] @ z[degree:] / steps).max()
        bound = CAUTION * noise * amplification[degree - 1] + truncation + secant
        candidates.append((float(bound), float(slopes[degree - 1])))
    bound, slope = min(candidates)

    linear, cubic = np.abs(z[[0, 2]] / np.diag(r)[[0, 2]])
    cubic = max(cubic, 3 * noise)
    return Fit(
        slope=slope,
        bound=bound,
        span=span,
        floor=floor,
        tail=tail,
        level=math.hypot(*z[len(z) // 2 :]) / math.sqrt(len(z) // 2),
        order=len(x) - 1,
        bends_at=span * math.sqrt(linear / cubic) if cubic else math.inf,
        flat=not values[-2:].any(),
    )


class Samples:
    """Remembered values of phi(t), which vanishes at 0, at the rungs of a ladder of steps.

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
    """

    def __init__(
        self,
        phi: Callable[[float], float],
        longest: float,
        *,
        offset: float,
        eps: float,
        step: Callable[[float], float],
        floor: float = 0.0,
        horizon: int = 0,
    ) -> None:
        self.phi = phi
        self.longest = longest
        self.offset = offset
        self.eps = eps
        self.floor = floor
        self.step = step
        self.horizon = horizon
        self.known: dict[float, float] = {}

    def span(self, rung: int) -> float:
        """Return the step of a rung."""
        return self.longest * RATIO**rung

    def rung(self, span: float) -> int:
        """Return the highest rung whose step is no longer than ``span``."""
        return math.ceil(math.log(span / self.longest) / math.log(RATIO))

    def at(self, t: float) -> tuple[float, float]:
        """Return the representable step nearest to ``t`` and phi there."""
        t = self.step(t)
        if t not in self.known:
            self.known[t] = self.phi(t)
        return t, self.known[t]

    def magnitude(self) -> float:
        """Return the largest value of the function that was seen."""
        return max(abs(v + self.offset) for v in self.known.values() if math.isfinite(v))

    def window(self, top: int, side: int, target: float) -> Fit | None:
        """Fit as few samples from rung ``top`` down as settle the matter; None if not finite."""
        steps: list[float] = []
        values: list[float] = []
        found = None
        for rung in range(top, top + (SINGLES if side else PAIRS)):
            for sign in (side,) if side else (1, -1):
                t, value = self.at(sign * self.span(rung))
                if t == 0 or t in steps:
                    return found
                if not math.isfinite(value):
                    return None
                steps.append(t)
                values.append(value)
            if len(steps) >= 4:
                found = fit(np.array(steps), np.array(values), self._floor(values), side)
                if found.resolved or found.bound <= target:
                    return found
        return found

    def _floor(self, values: list[float]) -> float:
        """Return the noise known to be in ``values``: half a unit in the last place, or more."""
        return max(self.floor, *(self.eps / 2 * abs(value + self.offset) for value in values))

    def tread(self, side: int) -> tuple[float, float]:
        """Return where the flat stretch at 0 ends, and by how high a jump (0 if continuously)."""
        signs = (side,) if side else (1, -1)
        for leap in range(self.horizon + 1):
            seen = [self.at(sign * self.span(-LEAP * leap)) for sign in signs]
            if any(value != 0 for _, value in seen):
                break
        changed = [t for t, v in self.known.items() if t * side >= 0 and v and math.isfinite(v)]
        if not changed:
            return math.inf, 0.0
        outer = min(changed, key=abs)
        flat = [t for t in self.known if t * outer > 0 and abs(t) < abs(outer)]
        inner, outer = self._bracket(max(flat, key=abs, default=outer / 2), outer, 2.0**-5)
        height = abs(self.known[outer])
        _, outer = self._bracket(inner, outer, 2.0**-10)
        # a continuous function rises less by the factor 32 when that much closer to the end
        jump = abs(self.known[outer])
        return abs(outer), jump if jump > height / 8 else 0.0

    def _bracket(self, inner: float, outer: float, width: float) -> tuple[float, float]:
        """Narrow the interval in which phi departs from zero."""
        while abs(outer - inner) > width * abs(outer):
            middle = inner * math.sqrt(outer / inner) if outer > 4 * inner else (inner + outer) / 2
            middle, value = self.at(middle)
            if middle in (inner, outer):
                break
            inner, outer = (middle, outer) if value == 0 else (inner, middle)
        return inner, outer
