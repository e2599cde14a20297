"""The number formats that gradients are asked in, and what may be lost in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.numerics import formats


@dataclass(frozen=True)
class Format:
    """A format, and what is allowed in it.

    Attributes
    ----------
    numbers
        Its digits and its range.
    ulps
        A gradient may be that of a point so many units in the last place away, and as many away
        from it: a product of some factors, each a special function of the usual accuracy.
    """

    numbers: formats.Format
    ulps: int

    @property
    def name(self) -> str:
        """Its name as a dtype."""
        return self.numbers.name

    @property
    def eps(self) -> float:
        """The distance from 1 to the next number."""
        return self.numbers.eps

    @property
    def tiny(self) -> float:
        """The smallest normal number."""
        return 2.0**self.numbers.least

    @property
    def largest(self) -> float:
        """The largest number."""
        return self.numbers.largest

    @property
    def reach(self) -> float:
        """The relative error that is allowed."""
        return self.ulps * self.eps

    @property
    def absolute(self) -> float:
        """What products lose where their factors underflow."""
        return self.ulps * self.tiny

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's dtype, or that of ml_dtypes."""
        if self.name == "bfloat16":
            import ml_dtypes

            return np.dtype(ml_dtypes.bfloat16)
        return np.dtype(self.name)


FORMATS = {
    name: Format(formats.FORMATS[name], ulps)
    for name, ulps in (("float64", 64), ("float32", 64), ("bfloat16", 8))
}
