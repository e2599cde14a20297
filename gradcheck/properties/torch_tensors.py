"""Functions of torch tensors, called with arrays."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def of_arrays(fn: Callable[..., Any], *example: Any) -> Callable[..., Any]:
    """Return ``fn`` itself, or where it takes torch tensors only, ``fn`` of arrays.

    Parameters
    ----------
    fn
        The function under test.
    *example
        Arguments by which it is asked, with and without ``dim=-1``.
    """
    if "torch" not in sys.modules or any(_takes(fn, *example, **dim) for dim in ({}, {"dim": -1})):
        return fn

    @functools.wraps(fn)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        return _to_array(fn(*map(_to_tensor, arguments), **options))

    if any(_takes(wrapped, *example, **dim) for dim in ({}, {"dim": -1})):
        return wrapped
    return fn


def _takes(fn: Callable[..., Any], *arguments: Any, **options: Any) -> bool:
    try:
        with np.errstate(all="ignore"):
            fn(*(np.copy(argument) for argument in arguments), **options)
    except Exception:  # noqa: BLE001 (whatever a user's function raises means: no)
        return False
    return True


def _to_tensor(value: Any) -> Any:
    import torch

    if not isinstance(value, np.ndarray):
        return value
    negative = any(stride < 0 for stride in value.strides)  # which torch has not
    return torch.as_tensor(value.copy() if negative else value)


def _to_array(value: Any) -> Any:
    import torch

    if isinstance(value, tuple):
        return tuple(map(_to_array, value))
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
