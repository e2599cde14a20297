"""Right but for a small error everywhere: numbers cut to low precision, or a crude formula."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.evaluator import norm
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.observation import UNASKED, Observation
from gradcheck.report.data import Explanation, Support

# Relative errors up to this are small: of float16, and of approximations meant to be good.
SMALL = 5e-3

# A change of the tensors that numbers of low precision hardly see, as a share of their rounding
# unit, and how far from proportional the answer to it is then: float64 answers to 1e-6.
STEP_OF_UNIT = 2.0**-7
CURVED = 1e-2

# Roundings of a computation in low precision.
ROUNDINGS_INSIDE = 64.0


def whole_numbers(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The claim is kept in integers: the fraction is cut off."""
    claimed = measured.observation.point.claimed[measured.name].dtype
    if claimed.kind in "iub":
        yield Hypothesis(
            Bug.WRONG_DTYPE,
            f"the gradient is of type {claimed}: its fractions are cut off",
            f"make its buffer one of {_dtype(measured)}: np.zeros(shape), not zeros_like of "
            "integers, and no astype",
            0.6,
            np.trunc(measured.gradient),
        )


def _dtype(measured: MeasuredJacobian) -> np.dtype[Any]:
    return measured.observation.point.tensors[measured.name].dtype


def inaccurate(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """All errors are small beside the gradient."""
    typical = float(np.sqrt(np.mean(measured.gradient**2)))
    error = np.abs(measured.excess)[measured.known]
    largest = float(error.max(initial=0.0))
    if not largest <= SMALL * typical:
        return
    name, own = measured.name, _dtype(measured)
    relative = largest / typical
    for dtype in (np.float32, np.float16):
        unit = float(np.finfo(dtype).eps)
        if unit > 2 * measured.observation.eps and relative <= ROUNDINGS_INSIDE * unit:
            exact = _representable(measured.claim, dtype)
            near = dtype is np.float32 and unit / 64 <= relative
            if exact or (near and _is_rounded(measured.observation, unit)):
                kept = measured.observation.point.claimed[name].dtype == dtype
                yield Hypothesis(
                    Bug.WRONG_DTYPE if kept else Bug.PRECISION_LOST,
                    f"the claim {'has' if exact else 'is as inaccurate as'} the precision of "
                    f"{np.dtype(dtype)}, not that of {name} ({own})",
                    f"keep {own} throughout the backward: no "
                    f"astype(np.{np.dtype(dtype)}), no buffer of another dtype",
                    0.9 if exact else 1.0,
                    measured.claim,
                )
    yield Hypothesis(
        Bug.UNIFORMLY_INACCURATE,
        f"every entry is nearly right: errors of {relative:.1g} of the gradient",
        "look for an approximation, a rounded constant or an eps that only one of forward and "
        "backward has",
        1.05,
        measured.claim,
    )


def explain_rounded(observation: Observation) -> list[list[Explanation]]:
    """Return the loss of precision of a claim of any size, seen along the directions."""
    worst = 0.0
    for direction in observation.directions:
        claimed, numerical = observation.claimed(direction), observation.numerical(direction)
        worst = max(
            worst, abs(claimed.value - numerical.value) / norm(observation.claim, direction)
        )
    for dtype in (np.float32, np.float16):
        unit = float(np.finfo(dtype).eps)
        small = worst <= ROUNDINGS_INSIDE * unit and unit > 2 * observation.eps
        if small and _representable(observation.claim, dtype):
            told = Explanation(
                Bug.PRECISION_LOST,
                (observation.name,),
                1 - 2.0 ** -min(50, observation.claim.size),
                f"all {observation.claim.size} entries are numbers of {np.dtype(dtype)}; the "
                f"derivative differs by {worst:.1g} of the gradient",
                f"the claim has the precision of {np.dtype(dtype)} only",
                f"no astype(np.{np.dtype(dtype)}) and no buffer of that dtype in the backward",
                Support("whole", observation.claim.size),
            )
            return [[told]]
    return []


def _is_rounded(observation: Observation, unit: float) -> bool:
    """Whether the claim moves in steps, as numbers of low precision do, for changes below one.

    A rounded constant or a crude formula leaves the claim as smooth as the right one: twice the
    change of the tensors moves it twice as far.
    """
    hear = observation.hear
    if hear is None:
        return False
    change = unit * STEP_OF_UNIT

    def moved(factor: float) -> Array:
        tensors = {
            name: value * (1 + factor * change) if value.dtype.kind == "f" else value
            for name, value in observation.point.tensors.items()
        }
        cotangents = tuple(v * (1 + factor * change) for v in observation.point.cotangents)
        return hear(tensors, cotangents) - at_rest

    try:
        at_rest = hear(observation.point.tensors, observation.point.cotangents)
        once, twice = moved(1.0), moved(2.0)
    except UNASKED:
        return False
    size = float(np.abs(once).max(initial=0.0) + np.abs(twice).max(initial=0.0))
    return bool(np.abs(twice - 2 * once).max(initial=0.0) > CURVED * size)


def _representable(claim: Array, dtype: type[np.floating[Any]]) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.array_equal(claim.astype(dtype).astype(np.float64), claim))
