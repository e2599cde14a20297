"""Arguments of low precision as the same numbers in float64."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.signatures import pytree
from gradcheck.numerics import real_parts
from gradcheck.values import is_differentiable


def widened(arguments: Sequence[Any]) -> list[Any]:
    """Return arguments with their floating-point numbers in float64, containers rebuilt.

    Those of JAX are left: it computes in float64 where it is told to.
    """
    return [_widened(argument) for argument in arguments]


def _widened(argument: Any) -> Any:
    wide = {path: _wide(leaf) for path, leaf in pytree.paths("x", argument)}
    return pytree.rebuilt("x", argument, wide)


def _wide(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray | np.generic) and is_differentiable(leaf):
        return real_parts.cast(np.asarray(leaf), np.float64)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(leaf, torch.Tensor):
        if leaf.is_complex():
            return leaf.detach().to(torch.complex128)
        return leaf.detach().double() if leaf.is_floating_point() else leaf
    return leaf
