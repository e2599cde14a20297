"""What the derivative of a softmax owes: J = diag(p) - p p^T for each row, zero between rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties import inputs
from gradcheck.properties.assertions import require, require_close
from gradcheck.properties.property import for_all
from gradcheck.properties.rowwise.backward import difference_error, numerical_jacobian
from gradcheck.properties.rowwise.laws import OVER_ROWS
from gradcheck.properties.softmax.softmax_under_test import SoftmaxUnderTest
from gradcheck.properties.tolerance import Tolerance


def _moderate(softmax: SoftmaxUnderTest) -> st.SearchStrategy[dict[str, Any]]:
    return inputs.logits(softmax, (max(softmax.ndims),), scales=(4.0,), rows=2, classes=3)


def _of_rows(softmax: SoftmaxUnderTest, x: Array) -> Tolerance:
    """Return the error of sums over the entries of a row of the Jacobian."""
    error = difference_error(softmax, x)
    return Tolerance(f"n ({error.origin})", absolute=x.shape[-1] * error.absolute)


def _blocks(jacobian: Array) -> Array:
    """Return the Jacobian of each row with respect to itself."""
    return np.stack([jacobian[i, :, i, :] for i in range(len(jacobian))])


@for_all(_moderate, needs=["batch"], why="Gradients of one sample must not flow into another.")
def rows_do_not_mix_in_derivative(softmax: SoftmaxUnderTest, x: Array) -> None:
    """The derivative of a row with respect to another row is zero."""
    jacobian = numerical_jacobian(softmax, x)
    between = np.array(
        [jacobian[i, :, k, :] for i, k in np.ndindex(len(x), len(x)) if i != k]
    ).reshape(-1)
    require_close(
        between,
        np.zeros_like(between),
        difference_error(softmax, x),
        "a row of the result depends on another row of the input",
        cause=OVER_ROWS,
    )


@for_all(_moderate, why="diag(p) - p p^T is symmetric; an entry treated specially breaks it.")
def jacobian_symmetric(softmax: SoftmaxUnderTest, x: Array) -> None:
    """The Jacobian of each row is symmetric."""
    blocks = _blocks(numerical_jacobian(softmax, x))
    require_close(
        blocks,
        blocks.transpose(0, 2, 1),
        difference_error(softmax, x) * 2,
        "the Jacobian of a row is not symmetric",
        cause="a class is treated by its position, or the denominator leaves one out",
    )


@for_all(_moderate, why="The probabilities always sum to 1, so no change can change their sum.")
def jacobian_rows_sum_to_zero(softmax: SoftmaxUnderTest, x: Array) -> None:
    """The derivatives of a probability by all logits of its row sum to zero."""
    sums = _blocks(numerical_jacobian(softmax, x)).sum(axis=-1)
    require_close(
        sums,
        np.zeros_like(sums),
        _of_rows(softmax, x),
        "the rows of the Jacobian do not sum to zero",
    )


@for_all(_moderate, why="Raising a logit raises its probability; otherwise training climbs.")
def jacobian_positive_semidefinite(softmax: SoftmaxUnderTest, x: Array) -> None:
    """The Jacobian of each row has no negative eigenvalue."""
    blocks = _blocks(numerical_jacobian(softmax, x))
    smallest = _eigenvalues(blocks).min(axis=-1)
    require_close(
        np.minimum(smallest, 0),
        np.zeros_like(smallest),
        _of_rows(softmax, x),
        "the Jacobian of a row has a negative eigenvalue",
        unit="row",
        cause="a sign is flipped, as in exp(-x)",
    )


@for_all(_moderate, why="A softmax is 1/2-Lipschitz; a larger slope is a hidden scale factor.")
def jacobian_norm_at_most_half(softmax: SoftmaxUnderTest, x: Array) -> None:
    """The Jacobian of each row has a spectral norm of at most 1/2."""
    # Gershgorin: row i holds p_i (1 - p_i) and entries of absolute sum p_i (1 - p_i) <= 1/4.
    largest = np.abs(_eigenvalues(_blocks(numerical_jacobian(softmax, x)))).max(axis=-1)
    require_close(
        np.maximum(largest, 0.5),
        np.full_like(largest, 0.5),
        _of_rows(softmax, x),
        "the Jacobian of a row has a norm above 1/2",
        unit="row",
        cause="the logits are multiplied by a factor, or divided by a temperature below 1",
    )


def _eigenvalues(blocks: Array) -> Array:
    require(np.isfinite(blocks).all(), "the numerical Jacobian is not finite", got=blocks)
    symmetric = (blocks + blocks.transpose(0, 2, 1)) / 2
    return np.asarray(np.linalg.eigvalsh(symmetric))
