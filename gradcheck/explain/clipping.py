"""A backward that limits its gradients: what arrives faint enough passes through as it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.observation import Observation
from gradcheck.report.data import Explanation, Support

# Cotangents this faint stay below any limit that is meant; a power of two scales them exactly.
FAINT = 2.0**-20

# What is the same but for roundings: entries at one limit, or what is below it.
SAME = 1e-9


def clipped(observation: Observation) -> Explanation | None:
    """Explain a gradient that is right for faint cotangents; None where it is not."""
    faint = observation.ask(tuple(FAINT * v for v in observation.point.cotangents))
    if faint is None or faint.shape != observation.shape:
        return None
    analytic, released = observation.analytic, faint / FAINT
    changed = ~np.isclose(analytic, released, rtol=SAME, atol=0.0)
    if not changed.any():
        return None
    unlimited = replace(
        observation.point, analytic={**observation.point.analytic, observation.name: released}
    )
    right = replace(observation, point=unlimited)
    for direction in right.directions:
        passed, numerical = right.analytic_along(direction), right.numerical(direction)
        if abs(passed.value - numerical.value) > MARGIN * (passed.bound + numerical.bound):
            return None
    sizes = np.abs(analytic[changed])
    limit = float(sizes.max(initial=0.0))
    by_value = np.allclose(sizes, limit, rtol=SAME, atol=0.0)
    how = f"clipped by value, at {limit:.6g}" if by_value else "limited as a whole, as by a norm"
    return Explanation(
        Bug.GRADIENT_CLIPPED,
        (observation.name,),
        1.0,
        f"a backward of cotangents {1 / FAINT:.0f} times smaller gives the numerical gradient, so "
        f"many times smaller; of this one {np.count_nonzero(changed)} of {changed.size} entries "
        "are limited",
        f"the gradient is {how}: for faint cotangents it is right",
        "where it is meant, check without it: before it the gradient is right",
        Support("fact", int(changed.size)),
    )
