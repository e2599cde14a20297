"""Operations that only move entries: where each came from is seen by moving their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array

# Windows of more entries take more memory, several times over, than an explanation is worth.
MOST_IN_WINDOWS = 2**23


def taken(x: Any, places: Array) -> Any:
    """Return the entries of ``x`` at flat ``places``, zero where a place is negative."""
    places = np.asarray(places)
    if np.ndim(x) == 0:
        x = np.reshape(x, 1)
    entries = x[np.unravel_index(np.maximum(places, 0), np.shape(x))]
    return entries if (places >= 0).all() else np.where(places >= 0, entries, 0.0)


def moved(x: Any, move: Callable[[Array], Any]) -> Any:
    """Return what ``move`` makes of ``x``, having seen what it makes of the entries' numbers."""
    return taken(x, np.asarray(move(np.arange(np.size(x)).reshape(np.shape(x)))))


def written(x: Any, values: Any, places: Array) -> Any:
    """Return ``x`` with ``values`` written to flat ``places``, the last one where several are."""
    source = np.full(np.size(x), -1)
    source[np.ravel(places)] = np.arange(np.size(places))
    source = source.reshape(np.shape(x))
    return np.where(source >= 0, taken(values, source), x)


def added(x: Any, values: Any, places: Array) -> Any:
    """Return ``x`` with ``values`` added at flat ``places``, all where several are."""
    total = np.ravel(x) + np.zeros_like(np.ravel(values), shape=np.size(x))
    np.add.at(total, np.ravel(places), np.ravel(values))
    return np.reshape(total, np.shape(x))


def windows(x: Any, sizes: Sequence[int], strides: Sequence[int], gaps: Sequence[int]) -> Any:
    """Return the windows that a convolution sees: axes for places, then for offsets.

    Parameters
    ----------
    x
        Array whose last axes are those of space.
    sizes, strides, gaps
        Entries of a window along each of them, the distance of the next window, and that of the
        entries.
    """
    reach = tuple(gap * (size - 1) + 1 for gap, size in zip(gaps, sizes, strict=True))
    steps: list[Any] = [slice(None, None, step) for step in (*strides, *gaps)]
    axes = tuple(range(-len(sizes), 0))

    def seen(numbers: Array) -> Any:
        every = np.lib.stride_tricks.sliding_window_view(numbers, reach, axes)
        chosen = every[(..., *steps)]
        if chosen.size > MOST_IN_WINDOWS:
            raise NotImplementedError("windows of so many entries are not replayed")
        return chosen

    return moved(x, seen)
