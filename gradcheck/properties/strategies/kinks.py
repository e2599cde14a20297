"""Arrays away from kinks, and arrays at them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from gradcheck.properties.strategies.shapes import GRID, Array, Shapes, drawn_shape, dyadic, filled


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
