"""The number formats that gradients are asked in, and what may be lost in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Format:
    """A floating format.

    Attributes
    ----------
    name
        Its name as a dtype.
    eps
        The distance from 1 to the next number.
    tiny, largest
        The smallest normal number and the largest one.
    ulps
        A gradient may be that of a point so many units in the last place away, and as many away
        from it: a product of some factors, each a special function of the usual accuracy.
    """

    name: str
    eps: float
    tiny: float
    largest: float
    ulps: int

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
    each.name: each
    for each in (
        Format("float64", 2.0**-52, 2.0**-1022, float(np.finfo(np.float64).max), 64),
        Format("float32", 2.0**-23, 2.0**-126, float(np.finfo(np.float32).max), 64),
        Format("bfloat16", 2.0**-7, 2.0**-126, float(np.finfo(np.float32).max), 8),
    )
}
