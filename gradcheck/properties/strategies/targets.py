"""What predictions should have been, and probabilities."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from gradcheck.properties.strategies.shapes import Array, Shapes, drawn_shape, filled


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
