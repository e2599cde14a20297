"""Arrays of moderate numbers: logits, near-ties, targets, at kinks and away from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from gradcheck.properties.strategies.shapes import (
    GRID,
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


@st.composite
def class_indices(draw: st.DrawFn, rows: int, classes: int) -> NDArray[np.int64]:
    """Draw the true class of each sample.

    Parameters
    ----------
    rows, classes
        Numbers of samples and of classes.

    Returns
    -------
    SearchStrategy
        Of int64 arrays ``(rows,)``; shrinks to class 0.
    """
    return np.array([draw(st.integers(0, classes - 1)) for _ in range(rows)], dtype=np.int64)


@st.composite
def one_hot_targets(draw: st.DrawFn, shape: Shapes | None = None) -> Array:
    """Draw targets with a one at the true class and zeros elsewhere.

    Parameters
    ----------
    shape
        Shape ``(rows, classes)``, or a strategy of it; by default `batch_shapes`.

    Returns
    -------
    SearchStrategy
        Of float64 arrays; shrinks to class 0.
    """
    rows, classes = drawn_shape(draw, shape)
    return np.asarray(np.eye(classes)[draw(class_indices(rows, classes))])


def soft_targets(shape: Shapes | None = None) -> st.SearchStrategy[Array]:
    """Draw targets that spread over classes, as label smoothing and distillation make them.

    Parameters
    ----------
    shape
        Shape ``(rows, classes)``, or a strategy of it; by default `batch_shapes`.

    Returns
    -------
    SearchStrategy
        Of float64 arrays, all entries above 0, rows summing to 1; shrinks to equal shares.
    """
    return stochastic_rows(shape, zeros=False)


@st.composite
def stochastic_rows(draw: st.DrawFn, shape: Shapes | None = None, *, zeros: bool = True) -> Array:
    """Draw rows of probabilities.

    Parameters
    ----------
    shape
        Shape ``(rows, classes)``, or a strategy of it; by default `batch_shapes`.
    zeros
        Whether probabilities may be exactly 0, and so exactly 1.

    Returns
    -------
    SearchStrategy
        Of float64 arrays in [0, 1] whose rows sum to 1 within ``n`` roundings; shrinks to equal
        shares.
    """
    shape = drawn_shape(draw, shape)
    # Shrinking tries 1 before 0: equal shares are the simplest distribution.
    weights = filled(draw, st.sampled_from([1, 2, 3, 4, 8, *([0] * zeros)]), shape)
    for row in weights.reshape(-1, shape[-1]):
        if not row.any():
            row[0] = 1
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


@st.composite
def kink_avoiding(
    draw: st.DrawFn,
    shape: Shapes | None = None,
    *,
    kinks: Sequence[float] = (0.0,),
    margin: float = 0.25,
    bound: float = 4.0,
) -> Array:
    """Draw arrays no entry of which lies near a kink, so that one derivative is right.

    Parameters
    ----------
    shape
        Shape of the arrays, or a strategy of shapes; by default `batch_shapes`.
    kinks
        Where the function has a kink: 0 for ReLU, -1 and 1 for a hard tanh.
    margin
        Smallest distance from each of them.
    bound
        Largest absolute value.

    Returns
    -------
    SearchStrategy
        Of float64 arrays; shrinks to the smallest number that is allowed.

    Raises
    ------
    ValueError
        If the kinks leave no room within the bound.
    """
    grid = np.arange(-bound, bound + GRID, GRID)
    free = [x for x in grid.tolist() if all(abs(x - kink) >= margin for kink in kinks)]
    if not free:
        raise ValueError(f"no number within {bound} is {margin} away from {list(kinks)}")
    # Whole numbers first, then small ones: that is what is readable.
    free.sort(key=lambda x: (x != int(x), abs(x), x < 0))
    return filled(draw, st.sampled_from(free), drawn_shape(draw, shape))


@st.composite
def kink_hitting(
    draw: st.DrawFn,
    shape: Shapes | None = None,
    *,
    kinks: Sequence[float] = (0.0,),
    bound: float = 4.0,
) -> Array:
    """Draw arrays with at least one entry at a kink, or beside it by one unit in the last place.

    Parameters
    ----------
    shape
        Shape of the arrays, or a strategy of shapes, not empty; by default `batch_shapes`.
    kinks
        Where the function has a kink.
    bound
        Largest absolute value of the other entries.

    Returns
    -------
    SearchStrategy
        Of float64 arrays; shrinks to an entry at the first kink, all others zero.
    """
    x = filled(draw, dyadic(bound), drawn_shape(draw, shape))
    beside = [np.nextafter(kink, side) for kink in kinks for side in (np.inf, -np.inf)]
    x.reshape(-1)[draw(st.integers(0, x.size - 1))] = draw(st.sampled_from([*kinks, *beside]))
    return x
