"""Gradients that are no numbers to compare entry by entry: zeros, NaN, another shape."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.evaluator import OUTSIDE, Evaluator, Linearization
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.observation import Observation
from gradcheck.numerics.blockwise import norm
from gradcheck.report.data import Explanation

# Other values at which a forward has to give the very same outputs, to be one that uses none.
OTHER_VALUES = 2

# So far from the point no unit is still switched off by its bias.
FAR = 2.0**10


def is_unused(evaluator: Evaluator, point: Linearization, name: str) -> bool:
    """Whether the outputs stay the same, bit for bit, at quite other values of the tensor.

    A saturated or flat layer does not move for small steps; here entries change places, signs and
    sizes.
    """
    value, seen = point.tensors[name], 0
    turned = value.reshape(-1)[::-1].reshape(value.shape)
    for other in (-value, turned, 2 * value + 1, FAR * (value + 1), -FAR * (value + 1)):
        moved = np.ascontiguousarray(other, dtype=value.dtype)
        if np.array_equal(moved, value, equal_nan=True):
            continue
        try:
            run = evaluator.run({**point.tensors, name: moved})
        except OUTSIDE:
            continue
        pairs = zip(run.outputs, point.outputs, strict=True)
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs):
            return False
        seen += 1
    return seen >= OTHER_VALUES


def unused(name: str, size: int) -> Explanation:
    """Explain a gradient of a tensor on which no output depends."""
    evidence = (
        f"the outputs are the same, bit for bit, at {OTHER_VALUES} or more quite other values of "
        f"all {size} entries; the numerical gradient is zero"
    )
    message = (
        f"the output of the forward does not depend on {name}: the fault may be there, and the "
        "gradient right for the forward that was meant"
    )
    fix = (
        f"look for an output that is never assigned, is remembered from an earlier call, or is "
        f"made before {name} is used"
    )
    return Explanation(Bug.UNUSED_IN_FORWARD, (name,), 1.0, evidence, message, fix)


def vanishes(observation: Observation) -> bool:
    """Whether the gradient is zero but for the rounding of a computation of the gradient's size."""
    if not np.any(observation.analytic):
        return False
    rounding = ROUNDINGS * observation.eps
    return all(
        norm(observation.analytic, d) <= rounding * abs(observation.sketch(d).value)
        for d in observation.directions
    )


def zero(name: str, size: int, *, missing: bool) -> Explanation:
    """Explain a gradient that is zero up to rounding, or none at all."""
    zeros = f"all {size} entries are 0 up to rounding"
    what = "no gradient was returned or stored" if missing else zeros
    evidence = f"{what}; the numerical gradient is not zero"
    message = f"the backward leaves the gradient of {name} at zero"
    fix = f"compute d{name} in backward and store or return it"
    return Explanation(Bug.ZERO_GRADIENT, (name,), 1.0, evidence, message, fix)


def not_finite(name: str, analytic: Array) -> Explanation:
    """Explain a gradient with NaN or infinity in it."""
    bad = np.argwhere(~np.isfinite(analytic))
    count, first = f"{len(bad)} of {analytic.size} entries", tuple(bad[0].tolist())
    evidence = f"{count} are NaN or infinite, the first at {first}"
    message = f"the gradient of {name} is not finite where the outputs are"
    fix = "look for 0 * inf, log(0) or a division by zero in the backward at these entries"
    return Explanation(Bug.NOT_FINITE, (name,), 1.0, evidence, message, fix)


def wrong_shape(name: str, analytic: tuple[int, ...], shape: tuple[int, ...]) -> Explanation:
    """Explain a gradient that has not the shape of its tensor, by what would give it that."""
    code, fix = Bug.WRONG_SHAPE, f"return the gradient of {name} with the shape {shape}"
    extra = len(analytic) - len(shape)
    if analytic == shape[::-1]:
        code, fix = Bug.TRANSPOSED, f"d{name} = d{name}.T"
    elif extra >= 0 and analytic[extra:] == shape:
        code = Bug.BROADCAST_NOT_REDUCED
        fix = f"d{name} = d{name}.sum(axis={tuple(range(extra)) if extra > 1 else 0})"
    evidence = f"the gradient has shape {analytic}, the tensor {shape}"
    message = f"the gradient of {name} does not have the shape of {name}"
    return Explanation(code, (name,), 1.0, evidence, message, fix)
