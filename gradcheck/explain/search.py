"""Finds the simplest hypotheses whose prediction is the analytic gradient, within the errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice, product
from typing import TypeVar

import numpy as np

from gradcheck._types import Array
from gradcheck.array_containers import is_sparse
from gradcheck.checking.context import CheckContext
from gradcheck.checking.jacobian.columns import flat
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug, Trait
from gradcheck.explain.clipping import clipped
from gradcheck.explain.describe import explain_few, explain_region, left_out, unexplained
from gradcheck.explain.hypotheses import (
    ALONG_DIRECTIONS,
    AT_EVERY_ENTRY,
    OF_MATRICES,
    ON_THE_WAY_BACK,
)
from gradcheck.explain.hypothesis import Hypothesis, Stage
from gradcheck.explain.invalid_gradients import (
    is_unused,
    not_finite,
    unused,
    vanishes,
    wrong_shape,
    zero,
)
from gradcheck.explain.jacobian.claimed_matrix import ClaimedMatrix
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.jacobian.precision import explain_rounded
from gradcheck.explain.match import IMPOSSIBLE, Gradients, Match, match_entries
from gradcheck.explain.match_directions import match_directions
from gradcheck.explain.observation import Observation
from gradcheck.explain.rank_explanations import COST_OF_TIE, Alternative, joined, simplest
from gradcheck.explain.trace.backward_pass import BackwardPass
from gradcheck.report.data import Entry

# A gradient of fewer entries fits too many hypotheses to tell of the Jacobian that it is made of.
FEWEST_OF_GRADIENT = 6

# Steps walked back for all hypotheses together, large ones counting for several: a few seconds.
MOST_STEPS = 400_000

Evidence = TypeVar("Evidence")


def explain_tensor(
    context: CheckContext, name: str, worst: tuple[Entry, ...] = ()
) -> list[Alternative]:
    """Return the bugs that would produce the analytic gradient of ``name``, best first.

    Parameters
    ----------
    context, name
        Where to measure, and the tensor.
    worst
        Wrong entries that are known already.
    """
    analytic = context.base.analytic.get(name)
    value = context.base.tensors[name]
    if analytic is None:
        return [[zero(name, value.size, missing=True)]]
    if not np.isfinite(analytic).all():
        return [[not_finite(name, analytic)]]
    if analytic.size != value.size and analytic.size != 1:
        return [[wrong_shape(name, analytic.shape, value.shape)]]
    if analytic.shape == value.shape[::-1] != value.shape and _is_right(context, name, analytic.T):
        return [[wrong_shape(name, analytic.shape, value.shape)]]
    fitted = np.broadcast_to(
        analytic if analytic.size == 1 else analytic.reshape(value.shape), value.shape
    )
    same = analytic.shape == value.shape
    unsure = context.base.unsure[name] if same else np.zeros(())
    observation = _evidence(context, name, fitted, unsure)
    if is_unused(context.wide, context.base, name):
        return [[unused(name, value.size)]]
    if limited := clipped(observation):
        return [[limited]]
    if vanishes(observation):  # what is fitted to rounding is no finding
        observation = _evidence(context, name, np.zeros_like(fitted), unsure)
    return explain(observation, worst)


def _evidence(context: CheckContext, name: str, analytic: Array, unsure: Array) -> Observation:
    gradients = {**context.base.analytic, name: analytic}
    point = replace(context.base, analytic=gradients, unsure={**context.base.unsure, name: unsure})
    return Observation.of(context, point, name)


def _is_right(context: CheckContext, name: str, analytic: Array) -> bool:
    """Whether a gradient would be right, seen along a few directions."""
    observation = _evidence(context, name, analytic, np.zeros(()))
    pairs = [
        (observation.analytic_along(d), observation.numerical(d)) for d in observation.directions
    ]
    return all(abs(c.value - n.value) <= MARGIN * (c.bound + n.bound) for c, n in pairs)


def explain(observation: Observation, worst: tuple[Entry, ...] = ()) -> list[Alternative]:
    """Return the bugs that would produce the analytic gradient, best first."""
    if of_matrix := _of_matrix(observation, worst):
        return of_matrix
    return _of_gradient(observation, worst)


def _of_matrix(observation: Observation, worst: tuple[Entry, ...]) -> list[Alternative]:
    """Return the bugs that would produce every entry of a claimed Jacobian, else where it is wrong.

    A gradient made of it is one sum of its rows, and of few entries: it fits what has no part in
    them. Where it has more, what explains it says more than where the Jacobian is wrong.
    """
    claimed = observation.matrix()
    entries = None if claimed is None else claimed.entries()
    if claimed is not None and entries is None:
        return left_out(claimed)
    if claimed is None or entries is None or not (entries.is_whole and entries.wrong.any()):
        return []
    matrix = ClaimedMatrix(
        observation.name,
        entries,
        observation.value.reshape(-1).astype(np.float64),
        flat(observation.point.outputs),
        is_sparse(claimed.matrix),
        "symmetric" in observation.evaluator.target.promises,
    )
    known = np.ones(entries.shape, dtype=bool)
    gradients = Gradients(
        observation, matrix.right, matrix.bound, known, "whole", "this predicts", matrix.claimed
    )
    tried = (match_entries(gradients, h) for h in _proposed(OF_MATRICES, matrix))
    found = simplest(observation.name, [match for match in tried if match is not None])
    if not found and observation.analytic.size >= FEWEST_OF_GRADIENT:
        found = _of_gradient(observation, worst)
        found = [a for a in found if not all(Trait.AMBIGUOUS in Bug(e.code).traits for e in a)]
    return found or [[explain_region(matrix)]]


def _of_gradient(observation: Observation, worst: tuple[Entry, ...]) -> list[Alternative]:
    found = simplest(observation.name, _along_directions(observation))
    if not np.any(observation.analytic):
        found.insert(0, [zero(observation.name, observation.analytic.size, missing=False)])
    elif not found:
        with np.errstate(all="ignore"):  # what is not finite matches nothing
            whole, steps = _at_every_entry(observation), _on_the_way_back(observation)
        found = (
            joined(simplest(observation.name, whole), simplest(observation.name, steps))
            or explain_few(observation, worst)
            or explain_rounded(observation)
        )
    return found or [[unexplained(observation)]]


def _along_directions(observation: Observation) -> list[Match]:
    """Try every combination of hypotheses on tensors of any size, simplest first."""
    found: list[Match] = []
    for hypotheses in _combinations(observation):
        cheapest = min((match.cost for match in found), default=math.inf)
        if sum(hypothesis.cost for hypothesis in hypotheses) > cheapest + COST_OF_TIE:
            break
        match = match_directions(observation, hypotheses)
        if match is not None:
            found.append(match)
    return found


def _combinations(observation: Observation) -> list[tuple[Hypothesis, ...]]:
    """Return all combinations of at most one hypothesis per stage, by increasing cost."""
    stages: dict[Stage, list[Hypothesis | None]] = {stage: [None] for stage in Stage}
    for hypothesis in _proposed(ALONG_DIRECTIONS, observation):
        stages[hypothesis.operator.stage].append(hypothesis)
    combinations = (
        tuple(hypothesis for hypothesis in chosen if hypothesis is not None)
        for chosen in product(*stages.values())
    )
    sensible = (c for c in combinations if len(c) == 1 or not any(h.operator.alone for h in c))
    return sorted(sensible, key=lambda chosen: sum(hypothesis.cost for hypothesis in chosen))


def _at_every_entry(observation: Observation) -> list[Match]:
    """Return what predicts every known entry of a tensor small enough to be measured whole."""
    measured = MeasuredJacobian.of(observation)
    if measured is None or not measured.wrong.any():
        return []
    gradients = Gradients(
        observation, measured.gradient, measured.bound, measured.known, "whole", "this predicts"
    )
    tried = (match_entries(gradients, h) for h in _proposed(AT_EVERY_ENTRY, measured))
    return [match for match in tried if match is not None]


def _on_the_way_back(observation: Observation) -> list[Match]:
    """Return the wrong steps of the user's own forward that predict every entry.

    The forward is recorded once; each hypothesis then predicts the whole gradient by one walk back
    through the recording, at no further forwards, however large the tensor and deep the step.
    """
    way = BackwardPass.of(observation)
    while way is not None:
        means = (
            f"a backward with this step wrong, through the {len(way.nodes)} recorded steps of the "
            "forward, gives"
        )
        known = np.ones(observation.shape, dtype=bool)
        gradients = Gradients(observation, way.gradient, way.bound, known, "step", means)
        tried = islice(_proposed(ON_THE_WAY_BACK, way), MOST_STEPS // max(1, way.effort))
        found = [match for h in tried if (match := match_entries(gradients, h)) is not None]
        if found:
            return found
        way = way.without_idle()
    return []


def _proposed(
    patterns: Iterable[Callable[[Evidence], Iterator[Hypothesis]]], evidence: Evidence
) -> Iterator[Hypothesis]:
    """Yield what patterns propose: nothing where they ask more of a layer than it can do."""
    for pattern in patterns:
        try:
            proposed = list(pattern(evidence))
        except IMPOSSIBLE:
            continue
        yield from proposed
