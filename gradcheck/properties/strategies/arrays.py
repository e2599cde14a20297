"""Arrays of moderate numbers: well-conditioned ones, logits, near-ties."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from gradcheck.properties.strategies.shapes import (
    Array,
    Shapes,
    batch_shapes,
    drawn_shape,
    dyadic,
    filled,
)


@st.composite
def well_conditioned(draw: st.DrawFn, shape: Shapes | None = None, *, bound: float = 4.0) -> Array:
    """Draw arrays of moderate numbers, as finite differences need them.

    Parameters
    ----------
    shape
        Shape of the arrays, or a strategy of shapes; by default `batch_shapes`.
    bound
        Largest absolute value. No entry is NaN, infinite or subnormal.

    Returns
    -------
    SearchStrategy
        Of float64 arrays; shrinks to zeros.
    """
    return filled(draw, dyadic(bound), drawn_shape(draw, shape))


@st.composite
def well_conditioned_matrices(
    draw: st.DrawFn, n: int | st.SearchStrategy[int] = 3, *, condition: float = 100.0
) -> Array:
    """Draw square matrices that can be inverted without loss.

    Parameters
    ----------
    n
        Rows and columns, or a strategy of it.
    condition
        Largest ratio of two singular values.

    Returns
    -------
    SearchStrategy
        Of float64 arrays ``(n, n)``; shrinks to the identity.

    Raises
    ------
    ValueError
        If ``condition`` is below 1.

    Notes
    -----
    ``Q D`` with Householder's reflection ``Q = I - 2 v v^T / v^T v`` (identity for v = 0) and a
    diagonal ``D``, whose ratio of entries is the condition: a bound on the entries of a matrix,
    or on its diagonal alone, bounds nothing.
    """
    if condition < 1:
        raise ValueError(f"condition must be at least 1, got {condition}")
    size = n if isinstance(n, int) else draw(n)
    v = filled(draw, dyadic(4.0), (size,))
    exponents = filled(draw, st.integers(0, int(np.log2(condition))), (size,))
    reflection = np.eye(size)
    if v.any():
        reflection -= 2 * np.outer(v, v) / (v @ v)
    return reflection * 2.0**exponents


def logits(shape: Shapes | None = None, *, bound: float = 8.0) -> st.SearchStrategy[Array]:
    """Draw batches of logits, one row per sample.

    Parameters
    ----------
    shape
        Shape of the arrays, or a strategy of shapes; by default `batch_shapes`.
    bound
        Largest absolute value: beyond 350 exponentials overflow without a shift.

    Returns
    -------
    SearchStrategy
        Of float64 arrays; shrinks to zeros.
    """
    return well_conditioned(shape, bound=bound)


@st.composite
def near_ties(draw: st.DrawFn, shape: Shapes | None = None, *, ulps: int = 3) -> Array:
    """Draw arrays in which at least two entries of each row are tied or nearly so.

    Parameters
    ----------
    shape
        Shape of the arrays, or a strategy of shapes, of two columns or more; by default
        `batch_shapes` of at least two columns.
    ulps
        Largest distance of near-ties, in units of the last place of the entry.

    Returns
    -------
    SearchStrategy
        Of float64 arrays; shrinks to zeros, all of them tied.
    """
    shape = batch_shapes(min_columns=2) if shape is None else shape
    x = draw(well_conditioned(shape))
    if x.shape[-1] < 2:
        raise ValueError(f"near-ties need two columns or more, got the shape {x.shape}")
    for row in x.reshape(-1, x.shape[-1]):
        j, k = draw(st.permutations(range(len(row))))[:2]
        steps = draw(st.integers(0, ulps))
        row[k] = row[j] + steps * np.spacing(row[j])
    return x
