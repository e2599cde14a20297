"""Whether a sparsity pattern holds all entries of a Jacobian that are not zero."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.jacobian.claimed import MOST_COLUMNS, ClaimedJacobian
from gradcheck.checking.jacobian.columns import column_groups

# So many entries, or rows, outside of a pattern are named.
MOST_NAMED = 6


def is_covered(claimed: ClaimedJacobian, pattern: Any) -> tuple[bool | None, str]:
    """Whether a Jacobian is zero outside of ``pattern``, by its numbers, and what was seen.

    Columns of the pattern without a common row are measured together; along random directions
    nothing else may then move the outputs.
    """
    from scipy.sparse import csr_array

    groups = column_groups(pattern, MOST_COLUMNS)
    if groups is None:
        return None, f"the pattern has more than {MOST_COLUMNS} columns that share rows"
    within = replace(claimed, matrix=csr_array(pattern.multiply(claimed.matrix)))
    measured = within.by_groups(pattern, groups)
    if not measured.others.size:
        return True, (
            f"with {len(groups)} groups of columns measured, nothing outside of the pattern moves "
            "an output"
        )
    outside = _named_entries(claimed, pattern)
    if outside is None:
        rows = ", ".join(map(str, measured.others[:MOST_NAMED].tolist()))
        more = ", ..." if measured.others.size > MOST_NAMED else ""
        return False, f"rows {rows}{more} are not zero outside of the pattern"
    return False, f"not zero, and outside of the pattern: {outside}"


def _named_entries(claimed: ClaimedJacobian, pattern: Any) -> str | None:
    """Name the entries outside of the pattern, None where they are too many to be measured."""
    if claimed.matrix.shape[1] > MOST_COLUMNS:
        return None
    entries = claimed.of_columns(np.arange(claimed.matrix.shape[1]))
    allowed: Array = np.asarray(pattern.todense() if hasattr(pattern, "todense") else pattern)
    numerical = entries.dense(entries.numerical)
    found = np.argwhere((np.abs(numerical) > entries.dense(entries.bound)) & ~allowed.astype(bool))
    named = [f"[{i}, {j}] = {numerical[i, j]:.4g}" for i, j in found[:MOST_NAMED].tolist()]
    return ", ".join(named) + (
        f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    )
