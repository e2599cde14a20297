"""Functions that move in jumps: rounding on purpose, counts, signs, remainders.

Between two jumps such a function has a slope, that of its plateau, and that is its derivative. Over
many jumps it has another. Where the jumps are rounding errors the second is meant; where they are
far larger than any rounding, the first; in between, both may be.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck._types import Outputs
from gradcheck.numerics.formats import SINGLE

# Steps at which the plateau under the point is looked for: from so many roundings of the tensor, by
# this factor.
ROUNDINGS = 64.0
FACTOR = 16.0
LONGEST = 2.0**-2

# Where what never leaves its plateau is seen not to: no multiple of what functions jump at.
FAR = LONGEST / math.sqrt(2)

# How closely the end of a plateau is located, relatively.
NARROW = 2.0**-6

# Roundings of the outputs within which a plateau is flat.
FLAT = 8.0

# A slope shows where it has risen by so many times that.
RISES = 4.0

# Jumps beyond this share of the outputs are none of rounding, not even in half precision; those
# beyond the other are none of float64, unless a formula cancels.
COARSE = 2.0**-9
FINE = 2.0**-32


@dataclass(frozen=True)
class Plateau:
    """The flat stretch of a function around 0.

    Attributes
    ----------
    bound
        Limit of the slope on it.
    jump
        Height of the jump that ends it, as a share of the outputs.
    height
        The same, as it reaches the function.
    """

    bound: float
    jump: float
    height: float

    @property
    def certain(self) -> bool:
        """Whether the jump is too large to be a rounding error in any precision."""
        return self.jump > COARSE

    @property
    def possible(self) -> bool:
        """Whether the jump is larger than the rounding errors of float64."""
        return self.jump > FINE


def plateau(
    phi: Callable[[float], float], slope: float, eps: float, rounding: float, magnitude: float
) -> Plateau | None:
    """Return the plateau of ``phi`` around 0; None where it is not flat or does not end in a jump.

    Parameters
    ----------
    phi
        The function, 0 at 0: what the outputs do beyond their analytic slope.
    slope
        Its largest slope, as far as is known: what rises by that from the start is no plateau.
    eps
        Rounding unit of the tensor that moves.
    rounding
        One rounding of the outputs, as it reaches ``phi``.
    magnitude
        Size of the outputs, as it reaches ``phi``.
    """
    allowed = FLAT * rounding

    def flat(t: float) -> bool:
        return abs(phi(t)) <= allowed and abs(phi(-t)) <= allowed

    first = RISES * allowed / slope if slope > 0 else math.inf
    if ROUNDINGS * eps <= first <= LONGEST and not flat(first):
        return None
    if flat(FAR):
        return None
    inner, outer = 0.0, ROUNDINGS * eps
    while outer <= LONGEST and flat(outer):
        inner, outer = outer, outer * FACTOR
    if inner == 0.0 or outer > LONGEST or not magnitude > 0:
        return None
    while outer - inner > NARROW * outer:
        middle = (outer + inner) / 2
        inner, outer = (middle, outer) if flat(middle) else (inner, middle)
    jump = max(abs(phi(outer)), abs(phi(-outer)))
    further = outer * (1 + 4 * NARROW)
    beyond = max(abs(phi(further)), abs(phi(-further)))
    if not math.isfinite(jump) or jump <= 2 * allowed or not beyond <= 3 * jump:
        return None  # what leaves zero continuously is five times as far away there
    return Plateau(2 * allowed / inner, jump / magnitude, jump)


def in_low_precision(outputs: Outputs) -> bool:
    """Whether float64 outputs hold no more digits than float32 has: what rounded them is known."""
    wide = [y for y in outputs if y.dtype == np.float64]
    return bool(wide) and SINGLE.fits(*wide)
