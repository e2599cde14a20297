"""What counts as an output, as a differentiable value and as one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck._types import Outputs
from gradcheck.array_containers import numbers_of


class TargetError(TypeError):
    """What was given cannot be checked as it is; the message says what would make it work."""


def as_outputs(raw: Any) -> Outputs:
    """Return what a forward returned as a tuple of copied arrays.

    Raises
    ------
    TargetError
        If something in ``raw`` is no array of numbers.
    """
    parts = raw if isinstance(raw, tuple | list) else (raw,)
    outputs = tuple(np.array(numbers_of(part)) for part in parts)
    for part in outputs:
        if part.dtype.kind not in "fciub":
            raise TargetError(
                f"the forward returned {type(raw).__name__} holding {part.dtype} values; "
                "expected an array of numbers, or a tuple of them"
            )
    return outputs


def is_differentiable(value: Any) -> bool:
    """Whether ``value`` is an array (or scalar) of real or complex floating-point numbers."""
    if isinstance(value, np.ndarray | np.generic):
        return bool(value.dtype.kind in "fc")
    return isinstance(value, float | complex)


def is_scalar(value: Any) -> bool:
    """Whether ``value`` is one number: a Python number or a 0-d array, also with a unit."""
    value = numbers_of(value)
    return isinstance(value, int | float | complex | np.generic) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    )
