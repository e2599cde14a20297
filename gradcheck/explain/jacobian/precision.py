"""Right but for a small error everywhere: numbers cut to low precision, or a crude formula."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.observation import UNASKED, Observation
from gradcheck.numerics.blockwise import norm
from gradcheck.report.data import Explanation, Support

# Relative errors up to this are small: of float16, and of approximations meant to be good.
SMALL = 5e-3

# A change of the tensors that numbers of low precision hardly see, as a share of their rounding
# unit, and how far from proportional the answer to it is then: float64 answers to 1e-6.
STEP_OF_UNIT = 2.0**-7
CURVED = 1e-2

# An inaccuracy that is meant is let pass up to so many times what is seen of it here.
MEANT = 3.0

# Roundings of a computation in low precision.
ROUNDINGS_INSIDE = 64.0


def whole_numbers(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The gradient is kept in integers: the fraction is cut off."""
    observation = measured.observation
    kept = observation.point.analytic[measured.name].dtype
    if kept.kind in "iub":
        message = f"the gradient is of type {kept}: its fractions are cut off"
        fix = (
            f"make its buffer one of {observation.value.dtype}: np.zeros(shape), not zeros_like of "
            "integers, and no astype"
        )
        yield Hypothesis(Bug.WRONG_DTYPE, message, fix, 0.6, np.trunc(measured.gradient))


def inaccurate(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """All errors are small beside the gradient."""
    typical = float(np.sqrt(np.mean(measured.gradient**2)))
    errors, own_sizes = np.abs(measured.excess), np.abs(measured.gradient)
    largest = float(errors[measured.known].max(initial=0.0))
    off = errors > 0
    # of those that are off most are nearly right by their own size, and not beside others alone
    near = np.mean(errors[off] <= SMALL * own_sizes[off]) if off.any() else 0.0
    if not (largest <= SMALL * typical and near > 1 / 2):
        return
    observation, name, relative = measured.observation, measured.name, largest / typical
    own, kept = observation.value.dtype, observation.point.analytic[name].dtype
    for dtype, unit in _coarser(observation, relative):
        exact = _representable(measured.analytic, dtype)
        near = dtype is np.float32 and unit / 64 <= relative
        if exact or (near and _is_rounded(observation, unit)):
            message = (
                f"the gradient {'has' if exact else 'is as inaccurate as'} the precision of "
                f"{np.dtype(dtype)}, not that of {name} ({own})"
            )
            fix = (
                f"keep {own} throughout the backward: no astype(np.{np.dtype(dtype)}), no buffer "
                "of another dtype"
            )
            code = Bug.WRONG_DTYPE if kept == dtype else Bug.PRECISION_LOST
            yield Hypothesis(code, message, fix, 0.9 if exact else 1.0, measured.analytic)
    message = f"every entry is nearly right: errors of {relative:.1g} of the gradient"
    allowed = 10.0 ** math.ceil(math.log10(MEANT * relative))
    fix = (
        "look for an approximation, a rounded constant, an eps or a solver's tolerance that only "
        f"one of forward and backward has; where it is meant, pass tolerance={allowed:g}"
    )
    yield Hypothesis(Bug.UNIFORMLY_INACCURATE, message, fix, 1.05, measured.analytic)


def explain_rounded(observation: Observation) -> list[list[Explanation]]:
    """Return the loss of precision of a gradient of any size, seen along the directions."""
    analytic, worst = observation.analytic, 0.0
    for direction in observation.directions:
        gap = observation.analytic_along(direction).value - observation.numerical(direction).value
        worst = max(worst, abs(gap) / norm(analytic, direction))
    for dtype, _ in _coarser(observation, worst):
        if _representable(analytic, dtype):
            size, coarse = analytic.size, np.dtype(dtype)
            evidence = (
                f"all {size} entries are numbers of {coarse}; the derivative differs by "
                f"{worst:.1g} of the gradient"
            )
            message = f"the gradient has the precision of {coarse} only"
            fix = f"no astype(np.{coarse}) and no buffer of that dtype in the backward"
            code, name, sure = Bug.PRECISION_LOST, observation.name, 1 - 2.0 ** -min(50, size)
            support = Support("whole", size)
            return [[Explanation(code, (name,), sure, evidence, message, fix, support)]]
    return []


def _coarser(
    observation: Observation, error: float
) -> Iterator[tuple[type[np.floating[Any]], float]]:
    """Yield types coarser than the layer's whose rounding may make an error, with their units."""
    for dtype in (np.float32, np.float16):
        unit = float(np.finfo(dtype).eps)
        if unit > 2 * observation.eps and error <= ROUNDINGS_INSIDE * unit:
            yield dtype, unit


def _is_rounded(observation: Observation, unit: float) -> bool:
    """Whether the gradient moves in steps, as numbers of low precision do, for changes below one.

    A rounded constant or a crude formula leaves it as smooth as the right one: twice the
    change of the tensors moves it twice as far.
    """
    backward = observation.backward
    if backward is None:
        return False
    change = unit * STEP_OF_UNIT

    def moved(factor: float) -> Array:
        # not all by one factor, which a normalisation cancels, and no labels, which are compared
        sizes = np.random.default_rng(0).uniform(0.5, 1.0, observation.shape)
        tensors, name = observation.point.tensors, observation.name
        tensors = {**tensors, name: tensors[name] * (1 + factor * change * sizes)}
        cotangents = tuple(v * (1 + factor * change) for v in observation.point.cotangents)
        return backward(tensors, cotangents) - at_rest

    try:
        at_rest = backward(observation.point.tensors, observation.point.cotangents)
        once, twice = moved(1.0), moved(2.0)
    except UNASKED:
        return False
    size = float(np.abs(once).max(initial=0.0) + np.abs(twice).max(initial=0.0))
    return bool(np.abs(twice - 2 * once).max(initial=0.0) > CURVED * size)


def _representable(values: Array, dtype: type[np.floating[Any]]) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.array_equal(values.astype(dtype).astype(np.float64), values))
