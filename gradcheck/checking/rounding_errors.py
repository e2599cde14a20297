"""Rounding errors of an analytic gradient, as its formula amplifies them: measured, not assumed.

A gradient is computed from rounded numbers, and a formula may enlarge what was rounded off: a
cancellation, an ill-conditioned solve, the exponential of a large number. How far, shows when what
goes into it is changed in ways that leave the gradient the same but for rounding.
"""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.checking.context import CheckContext
from gradcheck.numerics.blockwise import project

# So many times the largest of a few draws is allowed for.
AMPLIFIED = 16.0
DRAWS = 4

# Draws that differ by more than this share of the gradient are none of rounding, but jumps.
LARGEST = 1e-3

# What can be allowed for at most: larger differences need not be looked at.
MOST = AMPLIFIED * LARGEST


def spread(
    context: CheckContext,
    tensors: Tensors,
    cotangents: Outputs,
    name: str,
    analytic: Array,
    direction: Array,
    scale: float,
) -> float:
    """Return how far rounding errors of the analytic gradient may reach, as a share of it.

    Parameters
    ----------
    context, tensors, cotangents, name
        Where, and of which tensor, the gradient is.
    analytic, direction
        The analytic gradient, and the direction along which it is tested; shaped like the tensor.
    scale
        Size of the gradient along it.

    Returns
    -------
    float
        Relative to ``scale``; 0 where nothing was seen that is the size of rounding errors.

    Notes
    -----
    Two kinds of draws are made. Numbers moved by at most one rounding show conditioning. A
    cotangent times a number, and the gradient divided by it, shows what is rounded off on the way:
    a logarithm of a sum, say, is rounded in units of its own size, and so is the exponential of it,
    so that the gradient may lose as many digits as the largest number has before the point. More
    than that is no rounding error of numbers such as these, but of a lower precision inside.
    """
    target = context.native.target
    allowed = AMPLIFIED * context.eps * scale * _magnitude(context, tensors)
    largest = 0.0
    for draw in range(DRAWS):
        if draw % 2 or target.unit_cotangent:
            gap, limit = _shaken(context, tensors, cotangents, name) - analytic, LARGEST * scale
        else:
            factor = float(context.rng.uniform(1.0, 2.0))
            longer = tuple(v * factor for v in cotangents)
            gap, limit = context.gradient(tensors, longer, name) / factor - analytic, allowed
        reached = abs(project(gap, direction))
        if reached <= limit:
            largest = max(largest, reached)
    return AMPLIFIED * largest / scale


def _shaken(context: CheckContext, tensors: Tensors, cotangents: Outputs, name: str) -> Array:
    """Return the gradient with every number that goes into it moved by at most one rounding."""
    floats = {n: v for n, v in tensors.items() if v.dtype.kind == "f"}
    moved = dict(zip(floats, context.rounded(tuple(floats.values())), strict=True))
    own = tuple(
        v.astype(y.dtype) if y.dtype.kind == "f" else v
        for v, y in zip(cotangents, context.native_base.outputs, strict=True)
    )
    return context.gradient({**tensors, **moved}, context.rounded(own), name)


def _magnitude(context: CheckContext, tensors: Tensors) -> float:
    """Return the largest number that goes in or comes out, at least one."""
    numbers = [v for v in (*tensors.values(), *context.native_base.outputs) if v.dtype.kind == "f"]
    sizes = (np.max(np.abs(v), where=np.isfinite(v), initial=1.0) for v in numbers)
    return float(max(sizes, default=1.0))
