"""What the hand-written backward of a row function owes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties import inputs, tolerance
from gradcheck.properties.assertions import require_close, require_same
from gradcheck.properties.property import for_all
from gradcheck.properties.rowwise.laws import OVER_ROWS
from gradcheck.properties.rowwise.numerical_jacobian import difference_error, numerical_jacobian
from gradcheck.properties.rowwise.row_function import RowFunction
from gradcheck.properties.tolerance import Tolerance


def one_cotangent(fn: RowFunction) -> st.SearchStrategy[dict[str, Any]]:
    """Draw ``x`` and a cotangent ``g``."""
    return inputs.logits_and_cotangents((max(fn.ndims),))


def _two_cotangents(fn: RowFunction) -> st.SearchStrategy[dict[str, Any]]:
    return inputs.logits_and_cotangents((max(fn.ndims),), cotangents=2)


def _batch(_: RowFunction) -> st.SearchStrategy[dict[str, Any]]:
    return inputs.logits_and_cotangents((2,))


def gradient_rounding(x: Array, *cotangents: Array) -> Tolerance:
    """Return the allowance for one entry of a gradient ``p * (g - <p, g>)`` or ``g - p sum(g)``.

    Both are sums of at most ``2 n`` products of cotangents and probabilities. Doubled.
    """
    size = x.shape[-1] * sum(float(np.abs(g).max()) for g in cotangents)
    relative = float(np.max(tolerance.probability(x).relative))
    return Tolerance("4 n max|g| times the rounding of p", absolute=4 * size * relative)


@for_all(
    one_cotangent,
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
    _two_cotangents,
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
    _batch, needs=["backward", "batch"], why="The gradient of a sample belongs to that sample."
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
    one_cotangent,
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
