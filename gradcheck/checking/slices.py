"""Slices of a tensor that hold all its wrong entries, in their reader's words."""

from __future__ import annotations

import math

from gradcheck.checking.entrywise import Index
from gradcheck.report.data import Entry

# More slices than this are no place but a pattern, which the explanations look for.
MOST_SLICES = 3

# So many wrong entries in a slice, on average, make it one: a single entry is named by itself.
FEWEST_PER_SLICE = 2


def known_region(wrong: list[Entry], shape: tuple[int, ...], *, batch: bool) -> str:
    """Name the slices that hold all wrong entries, every entry having been measured."""
    held = holding([entry.index for entry in wrong], shape)
    if held is None:
        return ""
    axis, indices = held
    words = in_words(axis, indices, shape, batch=batch)
    whole = len(wrong) == len(indices) * math.prod(shape) // shape[axis]
    return f"all of {words}" if whole else f"within {words}"


def holding(wrong: list[Index], shape: Index) -> tuple[int, list[int]] | None:
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


def in_words(axis: int, indices: list[int], shape: Index, *, batch: bool) -> str:
    """Name slices as their reader would: sample 2, rows 1 and 4, channel 0, index 3 of axis 2."""
    kind = _kind(axis, len(shape), batch=batch)
    numbers = " and ".join(filter(None, [", ".join(map(str, indices[:-1])), str(indices[-1])]))
    if not kind:
        return f"{'index' if len(indices) == 1 else 'indices'} {numbers} of axis {axis}"
    return f"{kind}{'s' if len(indices) > 1 else ''} {numbers}"


def _kind(axis: int, ndim: int, *, batch: bool) -> str:
    if batch and axis == 0:
        return "sample"
    if ndim == 2:
        return ("row", "column")[axis]
    return "channel" if batch and ndim == 4 and axis == 1 else ""
