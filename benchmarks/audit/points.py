"""Where an operator is asked for its gradient.

All but a few points have eight significant bits, so that every dtype is asked at the same ones.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
from numpy.typing import NDArray

# Eight significant bits each, at no integer and near none.
ORDINARY = (0.296875, 0.703125, 1.296875, 1.703125, 2.59375, 4.1875)

# Kinks, poles, ends of domains and removable singularities lie at small integers, as a rule.
SPECIAL = (0.0, 0.5, 1.0, 2.0, 3.0, 6.0)

# Distances from the special points: from where a series is short to where it is one term.
NEAR_ZERO = tuple(2.0**-k for k in (3, 6, 10, 14, 20, 27, 40, 60))
NEAR_ONE = tuple(2.0**-k for k in (3, 5, 12, 20, 30, 40))

# Around the thresholds of usual implementations, and where exp overflows or its square does.
TAILS = (8.0, 10.0, 15.0, 20.5, 30.0, 44.0, 60.0, 88.0, 100.0, 360.0, 704.0, 2.0**12, 2.0**20,
         2.0**40, 2.0**66)  # fmt: skip


def points() -> NDArray[np.float64]:
    """Return all points in float64, sorted."""
    near = (1 + sign * distance for sign in (1, -1) for distance in NEAR_ONE)
    positive = list(chain(ORDINARY, SPECIAL, NEAR_ZERO, near, TAILS))
    return np.unique([sign * point for point in positive for sign in (1.0, -1.0)])


def representable(at: NDArray[np.float64], dtype: np.dtype) -> NDArray[np.bool_]:
    """Return which points are numbers of the dtype."""
    with np.errstate(over="ignore"):
        return np.asarray(at.astype(dtype).astype(np.float64) == at)
