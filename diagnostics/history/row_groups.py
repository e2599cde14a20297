"""Rows of different kinds in one log: training in some of them, validation in others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from diagnostics.history.table import Floats, Mask

Labels = NDArray[np.int64]


def part_of_rows(blank: Mapping[str, Mask], columns: Sequence[str]) -> Labels:
    """Return for each row the part it belongs to, shape (n,): rows with a common column share it.

    Of the columns, at most 62 count; an axis, or a time, stands in all rows alike.
    """
    logged = np.array([~blank[name] for name in columns])
    if len(columns) < 2 or logged.all(axis=1).any():
        return np.zeros(logged.shape[1], np.int64)
    pattern = (1 << np.arange(len(columns))) @ logged
    kinds, kind_of_row = np.unique(pattern, return_inverse=True)
    joined: list[int] = []
    for kind in kinds.tolist():
        linked = [other for other in joined if other & kind]
        joined = [other for other in joined if not other & kind]
        joined.append(kind | int(np.bitwise_or.reduce(linked or [0])))
    # Rows without any of the columns belong to the first part.
    part = [next((i for i, j in enumerate(joined) if j & kind), 0) for kind in kinds.tolist()]
    return np.array(part, np.int64)[kind_of_row]


def count_rows(parts: Labels) -> Floats | None:
    """Return the position of each row counted in its part, None where this has no meaning.

    Parts of one length have one row for each epoch. Of parts that follow one another as blocks,
    a shorter one was logged every k-th epoch.
    """
    sizes = np.bincount(parts)
    sizes = sizes[sizes > 0]
    if len(sizes) < 2:
        return None
    blocks = np.count_nonzero(np.diff(parts)) == len(sizes) - 1
    if np.ptp(sizes) > 1 and not blocks:
        return None
    position = np.empty(len(parts))
    longest = int(sizes.max())
    for part in np.unique(parts).tolist():
        rows = np.flatnonzero(parts == part)
        every = longest // len(rows) if longest % len(rows) == 0 else 1
        position[rows] = every * np.arange(1, len(rows) + 1) - 1
    return position
