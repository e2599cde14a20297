"""Floating-point formats: their rounding units, and the numbers that they have.

Also of formats that NumPy lacks, whose numbers are kept in float32 here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.blockwise import blocks


@dataclass(frozen=True)
class Format:
    """A binary floating-point format.

    Parameters
    ----------
    name
        As libraries call it.
    digits
        Binary digits of the significand, the one before the point included.
    least
        Exponent of the smallest normal number.
    largest
        The largest finite number.
    """

    name: str
    digits: int
    least: int
    largest: float

    @property
    def unit(self) -> float:
        """Half the distance of 1 to the next number: the relative error of one rounding at most."""
        return 2.0**-self.digits

    @property
    def eps(self) -> float:
        """The distance of 1 to the next number."""
        return 2 * self.unit

    @property
    def smallest(self) -> float:
        """Half the smallest number above 0: the error of what is rounded down there at most."""
        return 2.0 ** (self.least - self.digits)

    def ulp(self, value: Array) -> Array:
        """Return the distance of the numbers around ``value`` in this format, as float64."""
        value = np.asarray(value, dtype=np.float64)
        exponent = np.where(value == 0, self.least, np.frexp(value)[1] - 1)
        found = np.ldexp(1.0, np.maximum(exponent, self.least) - (self.digits - 1))
        return np.asarray(found)

    def rounded(self, value: Array, *, toward_zero: bool = False) -> Array:
        """Return the numbers of this format nearest to ``value``, ties to even, as float64.

        Or those next to it ``toward_zero``. What lies beyond the largest of them is infinite.
        """
        value = np.asarray(value, dtype=np.float64)
        with np.errstate(all="ignore"):
            step = self.ulp(np.where(np.isfinite(value), value, 0.0))
            whole = (np.trunc if toward_zero else np.round)(value / step)
            nearest = np.where(np.isfinite(value), whole * step, value)
            beyond = np.abs(nearest) > self.largest
            return np.where(beyond, np.copysign(np.inf, nearest), nearest)

    def fits(self, *values: Array) -> bool:
        """Whether all of these are numbers of this format, as NaN is none."""
        return all(
            np.array_equal(part, self.rounded(part))
            for value in values
            for (part,) in blocks(value)
        )

    def has(self, *values: Array) -> bool:
        """Whether all of these are numbers of this format, and not all of them 0."""
        return self.fits(*values) and any(np.any(value) for value in values)


def _of_numpy(dtype: type[np.floating]) -> Format:
    info = np.finfo(dtype)
    return Format(np.dtype(dtype).name, info.nmant + 1, int(info.minexp), float(info.max))


# Those of 8 bits are specified in arXiv 2209.05433; tf32 is what products of tensor cores keep of
# float32 (NVIDIA A100 whitepaper, 2020).
FORMATS = {
    known.name: known
    for known in (
        _of_numpy(np.float64),
        _of_numpy(np.float32),
        _of_numpy(np.float16),
        Format("bfloat16", 8, -126, float(np.ldexp(2 - 2.0**-7, 127))),
        Format("tf32", 11, -126, float(np.ldexp(2 - 2.0**-10, 127))),
        Format("float8_e4m3fn", 4, -6, 448.0),
        Format("float8_e5m2", 3, -14, 57344.0),
        Format("float8_e4m3fnuz", 4, -7, 240.0),
        Format("float8_e5m2fnuz", 3, -15, 57344.0),
    )
}

SINGLE = FORMATS["float32"]
DOUBLE = FORMATS["float64"]
