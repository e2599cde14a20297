"""Jacobians of row functions by central differences, with the error they may have."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.central_difference import STEP, central_jacobian
from gradcheck.properties.array_function import ArrayFunction
from gradcheck.properties.tolerance import Tolerance


def numerical_jacobian(fn: ArrayFunction, x: Array) -> Array:
    """Return ``J[i, j, k, m] = d y[i, j] / d x[k, m]``, with a single row for a vector."""
    rows = np.atleast_2d(x)
    return central_jacobian(lambda y: fn(y.reshape(x.shape)).reshape(rows.shape), rows)


def difference_error(fn: ArrayFunction, x: Array) -> Tolerance:
    """Return the error of one entry of `numerical_jacobian` for a softmax or its logarithm.

    The third derivative along one logit is at most 1/8 for both; logits on their grid are moved
    exactly.
    """
    rounding = float(np.max(fn.tolerance(x).bound(np.ones_like(x)))) / STEP
    return Tolerance("h^2 / 48 + rounding / h of central differences", absolute=STEP**2 + rounding)
