"""Whether there was anything to see: outputs that can be projected, and that react at all.

Agreement of a gradient with the numbers shows something only where they could have shown the
opposite. An output that holds no real numbers, that left the range of its type, or that stays the
same whatever is moved would agree with any gradient that is zero there.
"""

from __future__ import annotations

import math

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.evaluator import DirectionalFunction, Evaluator, Linearization
from gradcheck.numerics.directions import rademacher

# Steps over which a tensor may show that outputs depend on it, in its own size: beyond its own
# zero, to it, and small, for functions that are defined nearby only or saturate on the way.
REACHES = (4.0, 1.0, 2.0**-6)

# How closely the place is found at which outputs begin to move, and how near it may be, relatively.
NARROW = 2.0**-20

AWAY = "check at another input, with values of ordinary size"
EMPTY = "it is empty: there is nothing to differentiate; give at least one entry"
CONSTANT = f"the output stays the same to the last digit, whatever tensor is moved; {AWAY}"
UNDERFLOW = (
    "every output is zero because it is too small for its type: a gradient of zero would hide any "
    "factor; compute its logarithm, or check at an input at which it does not underflow"
)


def nothing_to_project(point: Linearization) -> str:
    """Say why no output at the point can be projected, and the way out; empty if one can.

    Only finite floating-point outputs with a cotangent that is not zero show a derivative.
    """
    pairs = list(zip(point.cotangents, point.outputs, strict=True))
    if any(y.dtype.kind == "f" and np.any((v != 0) & np.isfinite(y)) for v, y in pairs):
        return ""
    real = [(v, y) for v, y in pairs if y.dtype.kind == "f"]
    if not real:
        kinds = " and ".join(sorted({_in_words(y) for _, y in pairs})) or "nothing"
        return (
            f"the output holds {kinds}, which have no derivative; "
            "return floating-point numbers, those before the comparison or rounding"
        )
    if all(y.size == 0 for _, y in real):
        return "every output is empty, so that nothing moves; give at least one sample"
    full = [y for _, y in real if y.size]
    if not any(np.isfinite(y).any() for y in full):
        return (
            "every output is NaN or infinite, so that nothing moves; check at an input at which "
            "the forward is finite"
        )
    return (
        "the cotangent is zero wherever the outputs are finite, so that nothing moves; give "
        "another cotangent, or an input at which the forward is finite"
    )


def not_projected(point: Linearization, carried: tuple[bool, ...] | None) -> list[str]:
    """Say which outputs have no part in the check, beside others that have, as sentences."""
    said = []
    for position, y in enumerate(point.outputs):
        where = f"output {position}" if len(point.outputs) > 1 else "the output"
        if y.dtype.kind != "f":
            said.append(f"{where} holds {_in_words(y)}: not differentiated")
        elif carried is not None and not carried[position]:
            said.append(f"{where} carries no gradient: not differentiated")
        elif not np.isfinite(y).all():
            count = int(np.sum(~np.isfinite(y)))
            said.append(f"{count} of {y.size} entries of {where} are not finite: left out")
    return said


def reaction(
    evaluator: Evaluator, point: Linearization, name: str, rng: np.random.Generator
) -> tuple[float, str]:
    """Return the largest slope of the projected outputs over steps of the tensor's own size.

    The steps are random ones, and those to zero and away from it: what saturates moves at zero.
    Beside it stands in words what was seen. The slope is zero where no output that is projected
    changes by a single bit, and where outputs that are zero are so for want of smaller numbers:
    then a gradient of zero would hide any factor.
    """
    value = point.tensors[name]
    if value.size == 0:
        return 0.0, EMPTY
    at_random = rademacher(rng, evaluator.natural_scale(name, value), value)
    best = 0.0
    to_zero = np.where(np.isfinite(value), value, 0)
    for direction, reaches in ((at_random, REACHES), (to_zero, (1.0,))):
        directional = DirectionalFunction(evaluator, point, name, direction)
        phi = directional.functional(point.cotangents)
        slopes = {t: abs(phi(t)) / abs(t) for r in reaches for t in (-r, r)}
        seen = {t: slope for t, slope in slopes.items() if slope > 0 and math.isfinite(slope)}
        if seen and _underflows(directional, min(seen, key=abs)):
            return 0.0, UNDERFLOW
        best = max(best, *seen.values(), 0.0)
    return (best, "the output moves only farther away") if best > 0 else (0.0, CONSTANT)


def reaction_to_others(
    evaluator: Evaluator, point: Linearization, name: str, rng: np.random.Generator
) -> float:
    """Return the slope of the first other tensor to which the outputs react; zero if to none."""
    others = (other for other in point.tensors if other != name)
    slopes = (reaction(evaluator, point, other, rng)[0] for other in others)
    return next((slope for slope in slopes if slope > 0), 0.0)


def _underflows(directional: DirectionalFunction, t: float) -> bool:
    """Whether outputs that are zero shrink to it below what their dtype can hold, short of ``t``.

    A unit that is off moves by as much as the step is beyond its threshold; the smallest numbers
    are not seen there unless the function itself runs through all sizes down to them.
    """
    if any(np.any(y) for y in directional.point.outputs):
        return False

    def moved(step: float) -> bool:
        return any(np.any(change) for change in directional.changes(step))

    inner, outer = NARROW * t, t
    if moved(inner):
        return False  # zero at the point alone, as a squared error is where it is met
    while abs(outer - inner) > NARROW * abs(outer):
        middle = (inner + outer) / 2
        inner, outer = (inner, middle) if moved(middle) else (middle, outer)
    sizes = [np.max(np.abs(c), initial=0.0) for c in directional.changes(outer)]
    least = max(
        float(np.finfo(y.dtype).tiny) for y in directional.point.outputs if y.dtype.kind == "f"
    )
    return float(max(sizes)) < math.sqrt(least)


def _in_words(output: Array) -> str:
    return {"b": "truth values", "i": "whole numbers", "u": "whole numbers"}.get(
        output.dtype.kind, f"{output.dtype} values"
    )
