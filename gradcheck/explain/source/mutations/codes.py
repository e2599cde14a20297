"""The bug's name where a change alone does not tell it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.explain.source.mutations.mutation import Role, Scope

# What it means to read another value than the right one, by what it is read for.
MISREAD = {
    Role.VALUE: "derivative_at_wrong_point",
    Role.INDEX: "wrong_index",
    Role.RANGE: "path_missing",
    Role.MASK: "wrong_mask",
    Role.AXIS: "wrong_axis",
    Role.EXPONENT: "derivative_at_wrong_point",
}


def factor_code(value: Any, scope: Scope) -> str:
    """Name a factor too many, or missing, by what it is."""
    if isinstance(value, np.ndarray) and value.ndim:
        return "mask_not_applied" if value.dtype == bool else "derivative_at_wrong_point"
    size = abs(float(value))
    if size in (2.0, 0.5):
        return "factor_two"
    if any(size in (batch, 1 / batch) for batch in scope.batches):
        return "factor_batch_size"
    return "sign_flipped" if value == -1 else "constant_factor"
