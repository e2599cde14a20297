"""Whether a sparsity pattern holds all entries of a Jacobian that are not zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.jacobian.claimed import MOST_COLUMNS, ClaimedJacobian
from gradcheck.checking.jacobian.columns import column_groups, columns_at_once, rows_along
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.numerics.directions import varied

# So many entries outside of a pattern are named, each of another row.
MOST_NAMED = 6

Outside = list[tuple[int, int, float]]


def is_covered(claimed: ClaimedJacobian, pattern: Any) -> tuple[bool | None, str]:
    """Whether a Jacobian is zero outside of ``pattern``, by its numbers, and what was seen."""
    rows = rows_beyond(claimed, pattern)
    if rows is None:
        return None, f"the pattern has more than {MOST_COLUMNS} columns that share rows"
    if not rows.size:
        return True, "nothing outside of the pattern moves an output"
    return False, f"not zero, and outside of the pattern: {named(outside(claimed, pattern, rows))}"


def rows_beyond(claimed: ClaimedJacobian, pattern: Any) -> Array | None:
    """Return the rows in which entries outside of a pattern are not zero; None if they are many.

    Columns of the pattern without a common row are measured together; along random directions
    nothing else may then move the outputs.
    """
    from scipy.sparse import csr_array

    pattern = csr_array(pattern)
    groups = column_groups(pattern, MOST_COLUMNS)
    if groups is None:
        return None
    within = replace(claimed, matrix=csr_array(pattern.multiply(claimed.matrix)))
    return within.by_groups(pattern, groups).others


def outside(claimed: ClaimedJacobian, pattern: Any, rows: Array) -> Outside:
    """Return an entry outside of the pattern that is not zero, for each of the first rows."""
    from scipy.sparse import csr_array

    pattern = csr_array(pattern)
    return list(_entries(claimed, pattern, rows[:MOST_NAMED].tolist()))


def named(entries: Outside) -> str:
    """Write entries with their numbers, and that there may be more."""
    listed = ", ".join(f"[{row}, {column}] = {value:.4g}" for row, column, value in entries)
    return listed + (", ..." if len(entries) == MOST_NAMED else "")


def _entries(
    claimed: ClaimedJacobian, pattern: Any, rows: list[int]
) -> Iterator[tuple[int, int, float]]:
    """Halve the columns outside of the pattern for as long as they move the output of a row."""
    at = claimed.evaluator, claimed.point, claimed.name
    value = claimed.point.tensors[claimed.name]
    for row in rows:
        own = pattern.indices[pattern.indptr[row] : pattern.indptr[row + 1]]
        members = np.setdiff1d(np.arange(pattern.shape[1]), own)
        signs = varied(claimed.rng, claimed.scale, value).reshape(-1)

        def moves(columns: Array, row: int = row, signs: Array = signs) -> bool:
            direction = np.zeros(signs.size)
            direction[columns] = signs[columns]
            nothing = np.zeros((1, signs.size))
            slope, error = rows_along(*at, direction.reshape(value.shape), nothing)
            return bool(abs(slope[row]) > MARGIN * error[row])

        if not members.size or not moves(members):
            continue  # what is wrong with the row is a number
        while members.size > 1:
            left, right = np.array_split(members, 2)
            members = left if moves(left) else right
        column = int(members[0])
        slope, _ = columns_at_once(*at, claimed.scale, members, column)
        yield row, column, float(slope[row])
