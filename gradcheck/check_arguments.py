"""What `check` is given besides a target, brought into shape before any work is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Outputs
from gradcheck.checking.context import CheckContext
from gradcheck.target import Target


def chosen_tensors(context: CheckContext, tensors: str | Iterable[str] | None) -> list[str]:
    """Return the tensors to check: those asked for, else all of which there is a gradient."""
    target = context.native.target
    if tensors is None:
        # an input without a gradient, such as a loss's targets, is none of the layer's business
        return [
            name
            for name in target.tensors
            if name in context.base.analytic or target.role(name) == "parameter"
        ]
    names = [tensors] if isinstance(tensors, str) else list(tensors)
    unknown = [name for name in names if name not in target.tensors]
    if unknown:
        raise ValueError(f"tensors={unknown}: expected some of {list(target.tensors)}")
    return names


def given_points(points: Sequence[Any], inputs: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Return the inputs at every point; what is no tuple of them is the only one."""
    if inputs:
        raise ValueError(
            f"points: given besides {len(inputs)} inputs, as which of them to check is not clear; "
            "put these into points, as in points=[(x1,), (x2,)]"
        )
    if not len(points):
        raise ValueError("points=[]: expected the inputs of one point at least")
    return [point if isinstance(point, tuple) else (point,) for point in points]


def given_cotangents(target: Target, cotangent: Any) -> Outputs | None:
    """Bring the user's cotangent into the shape and dtype of the outputs."""
    if cotangent is None:
        return None
    outputs = target.call(target.tensors).outputs
    given = cotangent if isinstance(cotangent, tuple | list) else (cotangent,)
    if len(given) != len(outputs):
        raise ValueError(f"cotangent: {len(given)} given for {len(outputs)} outputs")
    arrays = []
    for v, y in zip(given, outputs, strict=True):
        array = np.asarray(v, dtype=y.dtype)
        if array.shape != y.shape:
            raise ValueError(f"cotangent of shape {array.shape} given for an output of {y.shape}")
        if not np.isfinite(array).all():
            count = int(np.sum(~np.isfinite(array)))
            raise ValueError(
                f"cotangent: {count} of {array.size} entries are NaN or infinite, with which "
                "nothing can be compared; give finite numbers, or leave it out for random ones"
            )
        arrays.append(array)
    if any(array.size for array in arrays) and not any(map(np.any, arrays)):
        raise ValueError(
            "cotangent: every entry is zero, with which every gradient is zero, right or wrong; "
            "give other numbers, or leave it out for random ones"
        )
    return tuple(arrays)
