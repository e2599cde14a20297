"""Shapes of batches, and how arrays of them are filled."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[np.float64]
Shape = tuple[int, ...]
Shapes = Shape | st.SearchStrategy[Shape]

# Entries are multiples of this.
GRID = 2.0**-6


def batch_shapes(
    *, min_rows: int = 1, max_rows: int = 3, min_columns: int = 1, max_columns: int = 4
) -> st.SearchStrategy[Shape]:
    """Draw shapes ``(rows, columns)``, square ones among them.

    Parameters
    ----------
    min_rows, max_rows, min_columns, max_columns
        Bounds, both included.

    Returns
    -------
    SearchStrategy
        Of tuples of two integers; shrinks to the smallest.
    """
    return st.tuples(st.integers(min_rows, max_rows), st.integers(min_columns, max_columns))


def drawn_shape(draw: st.DrawFn, shape: Shapes | None) -> Shape:
    """Return the shape that was asked for, drawn where a strategy was given or nothing."""
    if shape is None:
        return draw(batch_shapes())
    return shape if isinstance(shape, tuple) else draw(shape)


def dyadic(bound: float) -> st.SearchStrategy[float]:
    """Draw multiples of the grid; whole numbers are simpler than others."""
    whole, fine = int(bound), int(bound / GRID)
    return st.one_of(
        st.integers(-whole, whole).map(float), st.integers(-fine, fine).map(lambda k: k * GRID)
    )


def filled(draw: st.DrawFn, entries: st.SearchStrategy[Any], shape: Shape) -> Array:
    """Return an array whose entries are drawn one by one."""
    flat = [draw(entries) for _ in range(int(np.prod(shape)))]
    return np.array(flat, dtype=np.float64).reshape(shape)
