"""What the backward of a row function owes, and Jacobians to compare it with."""

from __future__ import annotations

from functools import partial

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.central_difference import STEP, central_jacobian
from gradcheck.properties import inputs, tolerance
from gradcheck.properties.array_function import ArrayFunction
from gradcheck.properties.assertions import require_close, require_same
from gradcheck.properties.property import for_all
from gradcheck.properties.rowwise.laws import OVER_ROWS
from gradcheck.properties.rowwise.row_function import RowFunction
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


def gradient_rounding(x: Array, *cotangents: Array) -> Tolerance:
    """Return the allowance for one entry of a gradient ``p * (g - <p, g>)`` or ``g - p sum(g)``.

    Both are sums of at most ``2 n`` products of cotangents and probabilities. Doubled.
    """
    size = x.shape[-1] * sum(float(np.abs(g).max()) for g in cotangents)
    relative = float(np.max(tolerance.probability(x).relative))
    return Tolerance("4 n max|g| times the rounding of p", absolute=4 * size * relative)


@for_all(
    inputs.logits_and_cotangents,
    needs=["backward"],
    why="Training uses it; a random cotangent sees what the sum of the outputs, always 1, hides.",
)
def backward_is_derivative(fn: RowFunction, x: Array, g: Array) -> None:
    """The backward's answer to a random cotangent is the numerical derivative."""
    expected = np.einsum("ij,ijkl->kl", np.atleast_2d(g), numerical_jacobian(fn, x)).reshape(
        x.shape
    )
    error = difference_error(fn, x)
    total = float(np.abs(g).sum())
    require_close(
        fn.vjp(x, g),
        expected,
        Tolerance(f"sum|g| ({error.origin})", absolute=total * error.absolute),
        "the backward is not the derivative of the forward",
    )


@for_all(
    partial(inputs.logits_and_cotangents, cotangents=2),
    needs=["backward"],
    why="A backward is linear by nature; a clip, or a cotangent that is ignored, is not.",
)
def backward_linear(fn: RowFunction, x: Array, g: Array, h: Array) -> None:
    """The backward of 2 g + h is twice that of g plus that of h."""
    require_close(
        fn.vjp(x, 2 * g + h),
        2 * fn.vjp(x, g) + fn.vjp(x, h),
        gradient_rounding(x, 2 * g, h),
        "the backward is not linear in the cotangent",
        cause="the cotangent is ignored or clipped, or gradients are accumulated between calls",
    )


@for_all(
    partial(inputs.logits_and_cotangents, ndims=(2,)),
    needs=["backward", "batch"],
    why="The gradient of a sample belongs to that sample.",
)
def backward_of_each_row_as_if_alone(fn: RowFunction, x: Array, g: Array) -> None:
    """The backward of a batch is that of its rows one by one."""
    alone = np.concatenate([fn.vjp(x[i : i + 1], g[i : i + 1]) for i in range(len(x))], axis=0)
    require_close(
        fn.vjp(x, g),
        alone,
        gradient_rounding(x, g),
        "the gradient of a row in the batch differs from that of the row alone",
        cause=OVER_ROWS,
    )


@for_all(
    inputs.logits_and_cotangents,
    needs=["backward"],
    why="A cotangent changed in place corrupts the gradients of every branch that shares it.",
)
def backward_leaves_cotangent(fn: RowFunction, x: Array, g: Array) -> None:
    """The backward leaves the cotangent as it was."""
    given = g.copy()
    fn.raw_vjp(x.copy(), given)
    require_same(
        given,
        g,
        "the cotangent was changed",
        cause="an in-place operation (-=, *=) acts on the cotangent; write g = g - ... instead",
    )
