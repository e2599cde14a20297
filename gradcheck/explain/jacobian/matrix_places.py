"""The right numbers of a claimed Jacobian at wrong places: transposed, exchanged, shifted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.claimed_matrix import ClaimedMatrix

# A row of fewer entries is like another by chance, and a diagonal of as few has no inside.
FEWEST = 2


def transposed(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """The right numbers are laid out by columns where they belong by rows, or the reverse."""

    def by_columns(values: Array) -> Array:
        return values.T if matrix.is_square else values.T.reshape(values.shape)

    message = "the Jacobian is that of the transpose: its rows belong to the entries of the input"
    fix = "return J.T  # one row for each output"
    values, blur = by_columns(matrix.right), by_columns(matrix.bound)
    yield Hypothesis(Bug.TRANSPOSED, message, fix, 0.5, values, scaled=True, blur=blur)
    if not matrix.is_square:
        message = "the numbers of the Jacobian are filled in by columns, and belong in rows"
        fix = "reshape(..., order='C'), or order='F' for what is stored by columns"
        values, blur = (a.ravel().reshape(a.shape, order="F") for a in (matrix.right, matrix.bound))
        yield Hypothesis(Bug.TRANSPOSED, message, fix, 0.55, values, scaled=True, blur=blur)


def exchanged(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """Rows stand where others belong, or columns; or those of the rows or columns that are wrong.

    So far as blocks are exchanged, they are rows of wrong columns, or columns of wrong rows.
    """
    rows, columns = (np.flatnonzero(matrix.wrong.any(axis=axis)) for axis in (1, 0))
    count, size = matrix.wrong.shape
    yield from _exchanged(matrix, "row", 0, np.s_[:, :])
    yield from _exchanged(matrix, "column", 1, np.s_[:, :])
    if len(columns) < size:
        yield from _exchanged(matrix, "row", 0, np.s_[:, columns])
    if len(rows) < count:
        yield from _exchanged(matrix, "column", 1, np.s_[rows, :])


def _exchanged(
    matrix: ClaimedMatrix, kind: str, axis: int, part: tuple[Any, ...]
) -> Iterator[Hypothesis]:
    """Slices along an axis, of a part of the matrix, stand where others belong."""
    claimed, right, bound = (
        np.moveaxis(a[part], axis, 0) for a in (matrix.claimed, matrix.right, matrix.bound)
    )
    wrong = np.flatnonzero((np.abs(claimed - right) > bound).any(axis=1))
    if right.shape[1] < FEWEST or not len(wrong) or len(right) < FEWEST:
        return
    order = np.arange(len(right))
    for row in wrong:
        allowed = np.maximum(bound, bound[row])
        same = (np.abs(right - claimed[row]) <= allowed).all(axis=1) & right.any(axis=1)
        if not same.any():
            return
        order[row] = int(np.argmax(same))
    values, blur = matrix.right.copy(), np.zeros(matrix.right.shape)
    values[part] = np.moveaxis(right[order], 0, axis)
    blur[part] = np.moveaxis(bound[order], 0, axis)
    moves = [f"{kind} {row} holds what belongs in {kind} {order[row]}" for row in wrong[:4]]
    how = "; ".join(moves) + (", ..." if len(wrong) > 4 else "")
    pair = len(wrong) == 2 and order[wrong[0]] == wrong[1] and order[wrong[1]] == wrong[0]
    if pair:
        how = f"{kind}s {wrong[0]} and {wrong[1]} are exchanged"
    message = f"{kind}s of the Jacobian stand where others belong: {how}"
    fix = f"put every {kind} where it belongs: {how}"
    cost = 0.6 if pair or len(wrong) > 2 else 0.7
    yield Hypothesis(Bug.WRONG_INDEX, message, fix, cost, values, blur=blur)


def shifted_diagonals(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """Diagonals are shifted along themselves, as in banded storage that is aligned otherwise."""
    claimed, right = matrix.claimed, matrix.right
    rows, columns = np.nonzero(matrix.wrong)
    offsets = np.unique(columns - rows)
    if not 0 < len(offsets) <= 4 or not matrix.is_square:
        return
    for shift in (1, -1):
        values = right.copy()
        for offset in offsets.tolist():
            at = _diagonal(right.shape, offset)
            own = right[at]
            if len(own) <= FEWEST:
                return
            moved = np.roll(own, shift)
            end = 0 if shift == 1 else -1
            moved[end] = claimed[at][end]
            values[at] = moved
        names = " and ".join(f"the diagonal {offset:+d}" for offset in offsets.tolist())
        message = f"{names} is shifted along itself by one place"
        fix = "align the diagonals as they are stored: in solve_banded, ab[u + i - j, j] is J[i, j]"
        blur = np.max(matrix.bound, initial=0.0, where=matrix.wrong)
        yield Hypothesis(Bug.WRONG_INDEX, message, fix, 0.7, values, len(offsets), blur=blur)


def displaced_diagonal(matrix: ClaimedMatrix) -> Iterator[Hypothesis]:
    """What belongs on one diagonal stands on another: the neighbour on the other side is taken."""
    claimed, right = matrix.claimed, matrix.right
    rows, columns = np.nonzero(matrix.wrong)
    offsets = np.unique(columns - rows).tolist()
    if len(offsets) != 2 or not matrix.is_square or len(right) <= FEWEST:
        return
    for own, other in (offsets, offsets[::-1]):
        belongs, stands = _diagonal(right.shape, own), _diagonal(right.shape, other)
        if np.any(claimed[belongs]) or np.any(right[stands]):
            continue
        for axis in (0, 1):  # in the same row, or in the same column
            line = np.zeros(len(right))
            line[belongs[axis]] = right[belongs]
            values = right.copy()
            values[belongs] = 0.0
            known = np.isin(stands[axis], belongs[axis])
            values[stands] = np.where(known, line[stands[axis]], claimed[stands])
            message = f"what belongs on the diagonal {own:+d} stands on the diagonal {other:+d}"
            fix = f"take the neighbour on the other side: np.diag(..., {own})"
            spent = int((~known).sum())
            blur = np.max(matrix.bound, initial=0.0, where=matrix.wrong)
            yield Hypothesis(Bug.WRONG_INDEX, message, fix, 0.7, values, spent, blur=blur)


def _diagonal(shape: tuple[int, ...], offset: int) -> tuple[Array, Array]:
    first = np.arange(max(0, -offset), min(shape[0], shape[1] - offset))
    return first, first + offset
