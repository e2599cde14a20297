"""Finds the simplest hypothesis whose prediction matches the claim within the error bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from gradcheck.explain.catalogue import Bug, Trait

from gradcheck.explain.jacobian import (  # noqa: F401 # isort: skip (the order of their tries)
    additive_term,
    elementwise,
    loss_formulas,
    jacobian_misuse,
)
from gradcheck.explain.operators import (  # noqa: F401 # isort: skip (the order of their tries)
    losses,
)
from gradcheck.explain.jacobian import (  # noqa: F401 # isort: skip (the order of their tries)
    output_factors,
    chain_rule_terms,
    index_moves,
    precision,
    ratios,
    regions,
)
from gradcheck.explain.operators import (  # noqa: F401 # isort: skip (the order of their tries)
    samples,
    layout,
)
from gradcheck.explain.jacobian import (  # noqa: F401 # isort: skip (the order of their tries)
    reductions,
)
from gradcheck.explain.operators import (  # noqa: F401 # isort: skip (the order of their tries)
    other_tensor,
)
from gradcheck.explain.jacobian import (  # noqa: F401 # isort: skip (the order of their tries)
    class_weights,
)
from gradcheck._types import Array, Outputs
from gradcheck.checking.linearization import CheckContext
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.describe import unexplained
from gradcheck.explain.factors import Factor, name_factor
from gradcheck.explain.hypothesis import PATTERNS, Part, Pattern, Stage
from gradcheck.explain.invalid_gradients import (
    is_unused,
    not_finite,
    unused,
    vanishes,
    wrong_shape,
    zero,
)
from gradcheck.explain.jacobian.prediction import explain_whole
from gradcheck.explain.match import explain_forward
from gradcheck.explain.observation import UNASKED, Bounded, Observation
from gradcheck.explain.operators.few_entries import explain_few
from gradcheck.explain.proportionality import fitted_factor, matches, vanish
from gradcheck.report.data import Entry, Explanation, Support

# A match is evidence only if a wrong prediction would have shown: the bounds, relative to the
# claim, must be below this.
SHARPNESS = 1e-3

# Many bugs predict a gradient that vanishes: a match of zeros is weaker evidence.
VANISHING_CONFIDENCE = 0.9

# One number is always a multiple of another: no evidence, but for named factors.
ONE_ENTRY_CONFIDENCE = 0.25

# More numbers than this are not counted: chance is out of the question.
MOST_COUNTED = 1000

# How a prediction is measured: a sketch first, then within bounds.
Look = Callable[[Observation, Array, Outputs | None], Bounded]

# One hypothesis in words: the explanations of all that it takes to be wrong.
Alternative = list[Explanation]

# Explanations that cost this much more than the best are not worth reading beside it.
COST_OF_TIE = 0.25

# What fits as well, but is the longer story, gets this share of the other's confidence.
SECOND = 0.4


@dataclass(frozen=True)
class Fit:
    """A hypothesis that matches, with the factor that remains; NaN where both sides vanish."""

    parts: tuple[Part, ...]
    factors: tuple[Factor, ...]
    value: float
    bound: float
    of_one_entry: bool = False

    @property
    def cost(self) -> float:
        """Description length of all that is wrong."""
        return sum(part.cost for part in self.parts) + sum(f.cost for f in self.factors)

    @property
    def confidence(self) -> float:
        """How sharply the prediction was met; no numbers, or a single one, tell less."""
        if self.of_one_entry and any(factor.arbitrary for factor in self.factors):
            return ONE_ENTRY_CONFIDENCE
        return VANISHING_CONFIDENCE if math.isnan(self.value) else max(0.0, 1 - self.bound)


def explain_tensor(
    context: CheckContext, name: str, worst: tuple[Entry, ...] = ()
) -> list[Alternative]:
    """Return the bugs that would produce the claimed gradient of ``name``, best first.

    Parameters
    ----------
    context, name
        Where to measure, and the tensor.
    worst
        Wrong entries that are known already.
    """
    claim = context.base.claimed.get(name)
    value = context.base.tensors[name]
    if claim is None:
        return [[zero(name, value.size, missing=True)]]
    if not np.isfinite(claim).all():
        return [[not_finite(name, claim)]]
    if claim.size != value.size and claim.size != 1:
        return [[wrong_shape(name, claim.shape, value.shape)]]
    if claim.shape == value.shape[::-1] != value.shape and _is_right(context, name, claim.T):
        return [[wrong_shape(name, claim.shape, value.shape)]]
    fitted = np.broadcast_to(claim if claim.size == 1 else claim.reshape(value.shape), value.shape)
    same = claim.shape == value.shape
    unsure = context.base.unsure[name] if same else np.zeros(())
    observation = _evidence(context, name, fitted, unsure)
    if is_unused(observation):
        return [[unused(name, value.size)]]
    if vanishes(observation):  # what is fitted to rounding is no finding
        observation = _evidence(context, name, np.zeros_like(fitted), unsure)
    return explain(observation, worst)


def _evidence(context: CheckContext, name: str, claim: Array, unsure: Array) -> Observation:
    claimed = {**context.base.claimed, name: claim}
    point = replace(context.base, claimed=claimed, unsure={**context.base.unsure, name: unsure})
    return Observation.of(context, point, name)


def _is_right(context: CheckContext, name: str, claim: Array) -> bool:
    """Whether a gradient would be right, seen along a few directions."""
    observation = _evidence(context, name, claim, np.zeros(()))
    pairs = [(observation.claimed(d), observation.numerical(d)) for d in observation.directions]
    return all(abs(c.value - n.value) <= MARGIN * (c.bound + n.bound) for c, n in pairs)


def explain(observation: Observation, worst: tuple[Entry, ...] = ()) -> list[Alternative]:
    """Try every combination of parts, simplest first, and keep the simplest that fit."""
    best: list[Fit] = []
    for parts in _hypotheses(observation):
        cheapest = min((fit.cost for fit in best), default=math.inf)
        if sum(part.cost for part in parts) > cheapest + COST_OF_TIE:
            break
        fit = _fit(observation, parts)
        if fit is not None and (fit.parts or fit.factors):
            best.append(fit)
    best.sort(key=lambda fit: fit.cost)
    ties = [fit for fit in best if fit.cost <= best[0].cost + COST_OF_TIE]
    alternatives = [_explanations(observation, fit, len(ties)) for fit in ties]
    nothing = not np.any(observation.claim)
    if not alternatives and not nothing:
        alternatives = (
            _steps_or_whole(observation)
            or explain_few(observation, worst)
            or precision.explain_rounded(observation)
        )
    if nothing:
        alternatives.insert(0, [zero(observation.name, observation.claim.size, missing=False)])
    return alternatives or [[unexplained(observation)]]


def _steps_or_whole(observation: Observation) -> list[Alternative]:
    """Return what predicts every entry: the tensor seen whole, and single steps of the forward.

    A pattern of the whole tensor is the shorter story, unless it tells of a derivative somewhere:
    then the step says where.
    """
    whole, steps = explain_whole(observation), explain_forward(observation)
    somewhere = bool(whole) and all(Trait.SOMEWHERE in Bug(e.code).traits for e in whole[0])
    first, second = (steps, whole) if somewhere and steps else (whole, steps)
    if not first:
        return second
    told = {e.code for alternative in first for e in alternative}
    sure = min(e.confidence for alternative in first for e in alternative)
    others = [other for other in second if not told & {e.code for e in other}]
    return first + [[replace(e, confidence=SECOND * sure) for e in other] for other in others]


def _hypotheses(observation: Observation) -> list[tuple[Part, ...]]:
    """Return all combinations of at most one part per stage, by increasing cost."""
    stages: dict[Stage, list[Part | None]] = {stage: [None] for stage in Stage}
    for make in PATTERNS:
        for part in _parts(make, observation):
            stages[part.stage].append(part)
    combinations = (
        tuple(part for part in chosen if part is not None) for chosen in product(*stages.values())
    )
    sensible = (
        parts for parts in combinations if len(parts) == 1 or not any(part.alone for part in parts)
    )
    return sorted(sensible, key=lambda parts: sum(part.cost for part in parts))


def _parts(make: Pattern, observation: Observation) -> list[Part]:
    """Return what a pattern proposes: nothing where a layer cannot be asked what it asks."""
    try:
        return list(make(observation))
    except UNASKED:
        return []


def _fit(observation: Observation, parts: tuple[Part, ...]) -> Fit | None:
    """Fit the remaining factor over all directions; None unless every one of them matches."""
    claimed = [observation.claimed(direction) for direction in observation.directions]
    for look in (Observation.sketch, Observation.numerical):
        predicted: list[Bounded] = []
        for direction in observation.directions:
            predicted.append(_predict(look, observation, parts, direction))
            if not matches(predicted, claimed[: len(predicted)]):
                return None
    if vanish(predicted):
        return Fit(parts, (), math.nan, max(p.bound for p in predicted)) if parts else None
    factor, bound = fitted_factor(predicted, claimed)
    if factor == 0 or bound > SHARPNESS * abs(factor):
        return None
    factors = tuple(name_factor(factor, bound, observation))
    if any(part.one_number for part in parts) and any(factor.arbitrary for factor in factors):
        return None
    return Fit(parts, factors, factor, bound, np.count_nonzero(observation.claim) == 1)


def _predict(
    look: Look, observation: Observation, parts: tuple[Part, ...], direction: Array
) -> Bounded:
    source = next((part.observation for part in parts if part.observation is not None), observation)
    cotangents = source.point.cotangents
    for part in parts:
        if part.cotangents is not None:
            cotangents = part.cotangents(source.point.outputs, cotangents)
        if part.adjoint is not None:
            direction = part.adjoint(direction)
    return look(source, direction, cotangents)


def _numbers(claim: Array) -> int:
    """Count the numbers of a claim that are not zero and not one another."""
    return min(MOST_COUNTED, len(np.unique(claim[claim != 0])))


def _explanations(observation: Observation, fit: Fit, rivals: int) -> Alternative:
    """Turn a fit into explanations; confidence is shared among rivals that fit as well."""
    what = "what this predicts" if fit.parts else "the numerical derivative"
    ratio = (
        f"both the claim and what this predicts vanish, to within {fit.bound:.1g},"
        if math.isnan(fit.value)
        else f"claimed / {what} = {fit.value:.9g} ± {fit.bound:.1g}"
    )
    text = (
        f"{ratio} along {len(observation.directions)} directions over "
        f"{observation.claim.size} entries"
    )
    fitted = sum(factor.arbitrary for factor in fit.factors)
    support = Support("pattern", _numbers(observation.claim), fitted, rivals - 1)
    deviations: list[Part | Factor] = [*fit.parts, *fit.factors]
    return [
        Explanation(
            deviation.code,
            (observation.name,),
            fit.confidence / rivals,
            text,
            deviation.message,
            deviation.fix,
            support,
            None if math.isnan(fit.value) else fit.value,
            fit.bound,
        )
        for deviation in deviations
    ]
