"""Whether the analytic gradient is a multiple of what hypotheses predict along directions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.factors import fitted_factor, matches, name_factor, vanish
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.match import SIGNIFICANT, Match
from gradcheck.explain.observation import Bounded, Observation
from gradcheck.report.data import Support

# A match is evidence only if a wrong prediction would have shown: the bounds, relative to the
# analytic gradient, must be below this.
SHARPNESS = 1e-3

# Many bugs predict a gradient that vanishes: a match of zeros is weaker evidence.
VANISHING_CONFIDENCE = 0.9

# One number is always a multiple of another: no evidence, but for named factors.
ONE_ENTRY_CONFIDENCE = 0.25

# More numbers than this are not counted: chance is out of the question.
MOST_COUNTED = 1000


def match_directions(observation: Observation, hypotheses: tuple[Hypothesis, ...]) -> Match | None:
    """Fit the remaining factor over all directions; None unless every one of them matches."""
    if is_out_of_question(observation, hypotheses):
        return None
    returned = [observation.analytic_along(direction) for direction in observation.directions]
    for look in (Observation.sketch, Observation.numerical):
        predicted: list[Bounded] = []
        for direction in observation.directions:
            predicted.append(_along(look, observation, hypotheses, direction))
            if not matches(predicted, returned[: len(predicted)]):
                return None
    if vanish(predicted):
        if not hypotheses:
            return None
        factor, bound = math.nan, max(p.bound for p in predicted)
    else:
        factor, bound = fitted_factor(predicted, returned)
        if factor == 0 or bound > SHARPNESS * abs(factor):
            return None
    factors = () if math.isnan(factor) else tuple(name_factor(factor, bound, observation))
    arbitrary = sum(f.arbitrary for f in factors)
    if any(h.operator.one_number for h in hypotheses) and arbitrary:
        return None
    if not hypotheses and not factors:
        return None
    ratio = (
        f"both the analytic gradient and the predicted one vanish, to within {bound:.1g},"
        if math.isnan(factor)
        else f"analytic / {'predicted' if hypotheses else 'numerical'} = {factor:.9g} ± {bound:.1g}"
    )
    analytic = observation.analytic
    if np.count_nonzero(analytic) == 1 and arbitrary:
        sure = ONE_ENTRY_CONFIDENCE
    else:
        sure = VANISHING_CONFIDENCE if math.isnan(factor) else max(0.0, 1 - bound)
    # numbers that are not zero and not one another
    different = min(MOST_COUNTED, len(np.unique(analytic[analytic != 0])))
    return Match(
        (*hypotheses, *factors),
        sure,
        f"{ratio} along {len(observation.directions)} directions over {analytic.size} entries",
        Support("pattern", different, arbitrary),
        factor=None if math.isnan(factor) else factor,
        bound=bound,
    )


def is_out_of_question(observation: Observation, hypotheses: tuple[Hypothesis, ...]) -> bool:
    """Whether no multiple of the prediction is the analytic gradient, at a glimpse.

    Along a direction on which that vanishes one look tells this, whatever the factor between them,
    but for one so small that it explains nothing.
    """
    if observation.contrast is None:
        return False
    predicted = _along(Observation.glimpse, observation, hypotheses, observation.contrast)
    rounding = observation.analytic_along(observation.contrast).bound / SIGNIFICANT
    return abs(predicted.value) > MARGIN * (predicted.bound + rounding)


def _along(
    look: Callable[[Observation, Array, Outputs | None], Bounded],
    observation: Observation,
    hypotheses: tuple[Hypothesis, ...],
    direction: Array,
) -> Bounded:
    """Return what is predicted along a direction: sketched first, then within bounds."""
    operators = [hypothesis.operator for hypothesis in hypotheses]
    source = next((o.observation for o in operators if o.observation is not None), observation)
    cotangents = source.point.cotangents
    for operator in operators:
        if operator.cotangents is not None:
            cotangents = operator.cotangents(source.point.outputs, cotangents)
        if operator.adjoint is not None:
            direction = operator.adjoint(direction)
    return look(source, direction, cotangents)
