"""Where in a matrix entries lie, in words: a row, columns, a block, a diagonal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array

Places = tuple[Array, Array]

# What holds this share of the entries that are not zero in the rows, columns or diagonals it lies
# in is called by them.
FILLED = 0.5

# So many rows, columns or diagonals are named one by one.
MOST_NAMED = 6
MOST_DIAGONALS = 2

# A matrix has a diagonal worth the name from this many rows and columns on.
FEWEST = 3


def named(shape: tuple[int, int], wrong: Places, acting: Places, others: Array) -> str:
    """Say where the ``wrong`` entries lie.

    Parameters
    ----------
    shape
        Rows and columns of the matrix.
    wrong, acting
        Rows and columns of the wrong entries, and of those that are not zero by claim or number.
    others
        Rows in which more is wrong at columns that are not known.
    """
    rows, columns = wrong
    matrix = f"the Jacobian ({shape[0]}, {shape[1]})"
    if others.size:
        every = np.union1d(rows, others)
        return f"{_counted('row', every, shape[0])} of {matrix}"
    if not rows.size:
        return ""
    if rows.size == 1:
        return f"entry [{rows[0]}, {columns[0]}] of {matrix}"
    if rows.size == acting[0].size:
        return (
            f"every entry of {matrix} that is not zero"
            if acting[0].size < np.prod(shape)
            else (f"every entry of {matrix}")
        )
    best = max(_regions(shape, wrong, acting), key=lambda region: region[0], default=None)
    if best is None or best[0] < FILLED:
        within = [
            f"in {_counted(kind, np.unique(indices), total)}"
            for kind, indices, total in zip(("row", "column"), wrong, shape, strict=True)
            if len(np.unique(indices)) <= min(MOST_NAMED, total - 1)
        ]
        where = "".join(f", {words}" for words in within)
        return f"{rows.size} of {acting[0].size} entries of {matrix}{where}"
    filled, words = best
    some = "" if filled == 1 else f", {rows.size} entries of it"
    return f"{words} of {matrix}{some}"


def _regions(shape: tuple[int, int], wrong: Places, acting: Places) -> Iterator[tuple[float, str]]:
    """Yield what holds all wrong entries, and the share of it that is wrong; the plainest first."""
    rows, columns = map(np.unique, wrong)
    in_rows, in_columns = np.isin(acting[0], rows), np.isin(acting[1], columns)
    count = wrong[0].size
    if len(rows) < shape[0]:
        yield count / max(1, in_rows.sum()), _counted("row", rows, shape[0])
    if len(columns) < shape[1]:
        yield count / max(1, in_columns.sum()), _counted("column", columns, shape[1])
    if _is_run(rows) and _is_run(columns) and len(rows) < shape[0] and len(columns) < shape[1]:
        block = f"block [{rows[0]}:{rows[-1] + 1}, {columns[0]}:{columns[-1] + 1}]"
        yield count / max(1, (in_rows & in_columns).sum()), block
    offsets, own = np.unique(wrong[1] - wrong[0]), acting[1] - acting[0]
    if min(shape) >= FEWEST:
        if len(offsets) <= MOST_DIAGONALS:
            yield count / max(1, np.isin(own, offsets).sum()), _diagonals(offsets.tolist())
        for words, outside, inside in (
            ("the part above the diagonal", offsets <= 0, own > 0),
            ("the part below the diagonal", offsets >= 0, own < 0),
            ("all off the diagonal", offsets == 0, own != 0),
        ):
            if not outside.any():
                yield count / max(1, inside.sum()), words


def _is_run(indices: Array) -> bool:
    return bool(indices[-1] - indices[0] + 1 == len(indices))


def _diagonals(offsets: list[int]) -> str:
    names = ["the diagonal" if k == 0 else f"the diagonal {k:+d}" for k in offsets]
    return " and ".join(names)


def _counted(kind: str, indices: Array, total: int) -> str:
    """Name rows or columns, of how many: rows 1, 3 of 6."""
    listed = ", ".join(map(str, indices[:MOST_NAMED].tolist()))
    if len(indices) > MOST_NAMED:
        return f"{len(indices)} of {total} {kind}s ({listed}, ...)"
    return f"{kind}{'s' if len(indices) > 1 else ''} {listed} of {total}"
