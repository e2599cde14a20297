"""Jacobians of row functions by central differences, with the error they may have."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.array_function import ArrayFunction
from gradcheck.properties.tolerance import Tolerance

# A power of two near cbrt(eps), where truncation and rounding of a central difference balance;
# x + STEP and x - STEP are exact on the grid of the logits.
STEP = 2.0**-17


def numerical_jacobian(fn: ArrayFunction, x: Array) -> Array:
    """Return ``J[i, j, k, m] = d y[i, j] / d x[k, m]``, with a single row for a vector."""
    rows = np.atleast_2d(x)
    jacobian = np.empty((*rows.shape, *rows.shape))
    for k, m in np.ndindex(rows.shape):
        step = np.zeros(rows.shape)
        step[k, m] = STEP
        difference = fn(x + step.reshape(x.shape)) - fn(x - step.reshape(x.shape))
        jacobian[:, :, k, m] = difference.reshape(rows.shape) / (2 * STEP)
    return jacobian


def difference_error(fn: ArrayFunction, x: Array) -> Tolerance:
    """Return the error of one entry of `numerical_jacobian` for a softmax or its logarithm.

    Truncation: ``h^2 / 6`` times the third derivative along one logit, at most 1/8 for both.
    Rounding: the error of a value over ``h``.
    """
    rounding = float(np.max(fn.tolerance(x).bound(np.ones_like(x)))) / STEP
    return Tolerance("h^2 / 48 + rounding / h of central differences", absolute=STEP**2 + rounding)
