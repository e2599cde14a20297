"""Derivative at the origin of a function that vanishes there, from samples, with an error bound.

The samples are expanded in the discrete orthogonal polynomials through the origin that belong to
their steps (Forsythe, J. SIAM 5, 1957). The expansion of a smooth function falls geometrically
until it meets the noise and stays there; that of a kinked or unresolved one falls slowly. So its
last coefficients tell what the samples are worth, as the chopping of a Chebyshev series does
(Aurentz & Trefethen, ACM TOMS 43, 2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# A window is resolved when the last two coefficients are within this many times the rounding: half
# a unit in the last place, with a standard deviation of 0.6 of that, so that chance rarely exceeds.
RESOLVED = 3.0

# The noise is judged by the larger of two samples, doubled, which underrates its deviation CAUTION
# times once in 1000 windows, all of which would have to fall below the known rounding as well.
CAUTION = 10.0

# The first coefficient that was left out, times this, for all that were left out: covers series
# that fall by half from one term of the same parity to the next.
REMAINDER = 3.0


@dataclass(frozen=True)
class Fit:
    """What the samples of one window say about a derivative at the origin.

    Attributes
    ----------
    value, bound
        The estimate of the derivative, and the limit of its error.
    span
        The longest step of the window.
    floor, tail, level
        Noise of a sample: as known beforehand, the larger of the last two coefficients, and the
        root mean square of the last half of them.
    degree
        Power of the step with which the tail of a smooth function falls.
    bends_at
        Step at which the term that counts equals the next one of its parity.
    flat
        Whether the two samples next to the origin are exactly zero.
    expansion, basis
        The coefficients of the polynomial that was kept, and the triangle that makes the orthogonal
        polynomials of powers of step / span.
    """

    value: float
    bound: float
    span: float
    floor: float
    tail: float
    level: float
    degree: int
    bends_at: float
    flat: bool
    expansion: FloatArray
    basis: FloatArray

    @property
    def resolved(self) -> bool:
        """Whether the expansion has fallen to the noise: the samples hide nothing."""
        return self.tail <= RESOLVED * self.floor

    @property
    def noise(self) -> float:
        """Noise of one sample; the tail of an unresolved window is structure instead."""
        return max(self.floor, self.tail) if self.resolved else self.floor

    def at(self, t: float) -> float:
        """Return the polynomial at a step."""
        kept = len(self.expansion)
        powers = np.linalg.solve(self.basis[:kept, :kept], self.expansion)
        with np.errstate(all="ignore"):
            return float((t / self.span) ** np.arange(1, kept + 1) @ powers)

    def agrees(self, other: Fit) -> bool:
        """Whether the two intervals overlap."""
        return abs(self.value - other.value) <= self.bound + other.bound

    def falls(self, narrower: Fit, power: float) -> bool:
        """Whether the tail falls faster than this power of the span."""
        return bool(narrower.tail <= self.tail * (narrower.span / self.span) ** power)


def fit(
    steps: FloatArray, values: FloatArray, floor: float, *, mirrored: bool, order: int = 1
) -> Fit:
    """Fit polynomials of every degree and keep the one with the smallest bound.

    Parameters
    ----------
    steps, values
        At least four distinct steps, and the function there; shape (n,).
    floor
        Noise known to be in every value.
    mirrored
        Whether the steps come in pairs of opposite sign, so that only powers of the parity of
        ``order`` matter.
    order
        Which derivative is wanted: 1 or 2.
    """
    span = float(np.abs(steps).max())
    peak = float(np.abs(values).max()) or 1.0
    x = steps / span
    y = values / peak
    q, r, s, amplification = _orthogonal(x.tobytes(), order)
    z = q.T @ y  # coefficients of the expansion
    tail = float(np.abs(z[-2:]).max())
    noise = 2 * max(floor / peak, tail)

    values_at_0 = np.cumsum(s * z)
    stride = 2 if mirrored else 1
    candidates = []
    for degree in range(max(stride, order), len(x) - 1, stride):
        left_out = slice(degree, degree + 2)
        remainder = np.abs(s[left_out]).max() * np.abs(z[left_out]).max()
        # a kink next to the origin: the secants differ from the derivative of the polynomial
        secants = q[:, degree:] @ z[degree:] / x
        if order == 2:  # the noise of a value over the square of a short step would drown the bound
            secants = 2 * np.maximum(np.abs(secants) - RESOLVED * floor / peak / np.abs(x), 0) / x
        secant = np.abs(secants).max()
        bound = CAUTION * noise * amplification[degree - 1] + REMAINDER * remainder + 2 * secant
        candidates.append((float(bound), float(values_at_0[degree - 1]), degree))
    bound, value, kept = min(candidates)

    term, following = (float(abs(z[k] / r[k, k])) for k in (order - 1, order + 1))
    following = max(following, 3 * noise)
    unit = peak / span if order == 1 else peak / span / span
    return Fit(
        value=value * unit + 0.0,  # no negative zero
        bound=bound * unit,
        span=span,
        floor=floor,
        tail=tail * peak,
        level=math.hypot(*z[len(z) // 2 :]) / math.sqrt(len(z) // 2) * peak,
        degree=len(x) - 1,
        bends_at=span * math.sqrt(term / following) if following else math.inf,
        flat=not values[-2:].any(),
        expansion=z[:kept] * peak,
        basis=r,
    )


@lru_cache(maxsize=256)
def _orthogonal(nodes: bytes, order: int) -> tuple[FloatArray, ...]:
    """Return the polynomials without constant that are orthonormal on nodes: the same few again.

    Their values at the nodes, the triangle that makes them of powers, their derivatives at 0, and
    the root of the sum of the squares of these up to each.
    """
    x = np.frombuffer(nodes)
    q, r = np.linalg.qr(x[:, None] ** np.arange(1, len(x) + 1))
    s = order * np.linalg.solve(r.T, np.eye(1, len(x), order - 1)[0])
    return q, r, s, np.sqrt(np.cumsum(s**2))
