"""Names the row, column, sample or channel that holds all that is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck._types import Array

Index = tuple[int, ...]

# More slices than this are no place but a pattern, which the explanations look for.
MOST_SLICES = 3

# So many wrong entries in a slice, on average, make it one: a single entry is named by itself.
FEWEST_PER_SLICE = 2


def holding(wrong: Sequence[Index], shape: Index) -> tuple[int, list[int]] | None:
    """Return an axis and its few indices that hold all ``wrong`` entries, None if there is none.

    Of several axes, the one that holds them in the fewest slices.
    """
    best: tuple[int, list[int]] | None = None
    for axis, length in enumerate(shape):
        indices = sorted({index[axis] for index in wrong})
        few = 0 < len(indices) <= min(MOST_SLICES, length // 2)
        crowded = len(wrong) >= FEWEST_PER_SLICE * len(indices)
        if len(shape) > 1 and few and crowded and (best is None or len(indices) < len(best[1])):
            best = axis, indices
    return best


def outside(axis: int, indices: list[int], shape: Index) -> Array:
    """Return a mask of the entries that are in none of the slices."""
    mask = np.ones(shape, dtype=bool)
    mask[(slice(None),) * axis + (indices,)] = False
    return mask


def in_words(axis: int, indices: list[int], shape: Index, *, batch: bool) -> str:
    """Name slices as their reader would: sample 2, rows 1 and 4, channel 0, index 3 of axis 2."""
    kind = _kind(axis, len(shape), batch=batch)
    numbers = " and ".join([", ".join(map(str, indices[:-1])), str(indices[-1])]).removeprefix(
        " and "
    )
    if not kind:
        return f"{'index' if len(indices) == 1 else 'indices'} {numbers} of axis {axis}"
    return f"{kind}{'s' if len(indices) > 1 else ''} {numbers}"


def _kind(axis: int, ndim: int, *, batch: bool) -> str:
    if batch and axis == 0:
        return "sample"
    if ndim == 2:
        return ("row", "column")[axis]
    return "channel" if batch and ndim == 4 and axis == 1 else ""
