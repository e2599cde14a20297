"""Names the step of the user's own forward whose way back is wrong.

The forward is recorded once; each suspicion then predicts the whole claim by one walk back through
the recording, at no further forwards, however large the tensor and however deep the step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.explain.catalogue import Bug

from gradcheck.explain.trace import (  # noqa: F401 # isort: skip (the order of their tries)
    skipped_steps,
    other_loss,
    accumulation,
    indexing,
    axis_order,
    saved_values,
    local_derivatives,
)
from gradcheck._types import Array
from gradcheck.checking.measurement import ROUNDINGS
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.factors import name_factor
from gradcheck.explain.observation import Observation
from gradcheck.explain.trace import (
    record,
)
from gradcheck.explain.trace.backward_pass import SEARCHES, BackwardPass, Suspicion
from gradcheck.numerics.blockwise import norm
from gradcheck.report.data import Explanation, Support

# Roundings of a walk back in float64, beside those of the claim, and the error of a fitted factor.
WALK = 1e-10

# Steps walked in all suspicions together, large ones counting for several: a few seconds.
MOST_STEPS = 400_000

# Explanations that cost this much more than the best are not worth reading beside it.
COST_OF_TIE = 0.1

# A part of the gradient below this share of it cannot be told from nothing.
SIGNIFICANT = 1e-6

# What claims and gradient differ in at so few entries says little about where it comes from.
FEWEST_ENTRIES = 3


@dataclass(frozen=True)
class Match:
    """A suspicion that predicts the claim, and how well."""

    suspicion: Suspicion
    error: float


def explain_forward(observation: Observation) -> list[list[Explanation]]:
    """Return the wrong steps that predict every entry of the claim, simplest first."""
    recording = record(observation.evaluator, observation.point.tensors)
    if recording is None or observation.name not in recording.leaves:
        return []
    with np.errstate(all="ignore"):
        way = BackwardPass(observation, recording)
        if not _faithful(way):
            return []
        matches = _matches(way)
        if not matches and (other := way.without_idle()) is not way:
            way, matches = other, _matches(other)
    matches.sort(key=lambda match: match.suspicion.cost)
    ties: dict[str, Match] = {}
    for match in matches:
        if match.suspicion.cost <= matches[0].suspicion.cost + COST_OF_TIE:
            ties.setdefault(match.suspicion.code, match)
    return [_told(way, match, len(ties)) for match in ties.values()]


def _faithful(way: BackwardPass) -> bool:
    """Whether the recording's gradient is the numerical one, and the claim is not."""
    for direction in way.observation.directions:
        measured = way.observation.numerical(direction)
        walked = float(np.sum(way.right * direction))
        allowed = MARGIN * measured.bound + WALK * norm(way.right, direction)
        if not abs(walked - measured.value) <= allowed:
            return False
    return bool(np.isfinite(way.right).all()) and not _agrees(way, way.right)


def _matches(way: BackwardPass) -> list[Match]:
    found: list[Match] = []
    left = MOST_STEPS
    for search in SEARCHES:
        for suspicion in search(way):
            left -= way.effort
            if left < 0:
                return found
            predicted = _predict(way, suspicion)
            if predicted is None:
                continue
            if _agrees(way, predicted):
                found.append(Match(suspicion, _error(way, predicted)))
            elif suspicion.cuts:
                found += _with_factor(way, suspicion, predicted)
            elif suspicion.scaled:
                found += _scaled(way, suspicion, predicted)
    return found


def _predict(way: BackwardPass, suspicion: Suspicion) -> Array | None:
    """Return the claim predicted, None where the step cannot be changed so or nothing changes."""
    try:
        predicted = way.with_(suspicion.deviation)
    except (ValueError, TypeError, IndexError, ArithmeticError, np.linalg.LinAlgError):
        return None
    changed = np.abs(predicted - way.right).max(initial=0.0)
    size = float(np.abs(way.right).max(initial=0.0))
    if not np.isfinite(predicted).all() or changed <= SIGNIFICANT * size:
        return None
    return predicted


def _with_factor(way: BackwardPass, suspicion: Suspicion, without: Array) -> list[Match]:
    """Fit the factor with which the claim has the part that the suspicion leaves out."""
    part, claimed = way.right - without, way.observation.claim - without
    rest = float(np.linalg.norm(without)) > SIGNIFICANT * float(np.linalg.norm(way.right))
    if np.count_nonzero(part) < FEWEST_ENTRIES or not rest:
        return []
    factor = float(np.vdot(part, claimed)) / float(np.vdot(part, part))
    predicted = without + factor * part
    if not _agrees(way, predicted) or abs(factor) < SIGNIFICANT:
        return []
    bound = 1e-6 * abs(factor)
    named = name_factor(factor, bound, way.observation)
    if not named:
        return []
    where = suspicion.message.removeprefix("what goes back ").removesuffix(" is missing")
    message = f"what goes back {where} comes {factor:.6g} times"
    fix = f"mend the factor of what goes back {where}: it should be 1, not {factor:.6g}"
    cost = suspicion.cost + sum(f.cost for f in named) / 2
    code = suspicion.code if suspicion.code == Bug.ADDITIVE_TERM else named[0].code
    changed = replace(suspicion, code=code, message=message, fix=fix, cost=cost)
    return [Match(changed, _error(way, predicted))]


def _scaled(way: BackwardPass, suspicion: Suspicion, direction: Array) -> list[Match]:
    """Fit the factor of a claim that a suspicion predicts but for its size."""
    length = float(np.vdot(direction, direction))
    along = float(np.vdot(direction, way.right)) / length * direction
    if np.count_nonzero(direction) < FEWEST_ENTRIES or _close(along, way.right):
        return []  # as good as the gradient's own direction, which the loss has
    predicted = float(np.vdot(direction, way.observation.claim)) / length * direction
    if float(np.vdot(direction, predicted)) <= 0 or not _agrees(way, predicted):
        return []
    return [Match(suspicion, _error(way, predicted))]


def _close(one: Array, other: Array) -> bool:
    return float(np.linalg.norm(one - other)) <= SIGNIFICANT * float(np.linalg.norm(other))


def _agrees(way: BackwardPass, predicted: Array) -> bool:
    observation = way.observation
    claim = observation.claim
    typical = norm(claim, observation.scale) / math.sqrt(claim.size)
    sizes = np.maximum(np.abs(claim), typical / observation.scale)
    unsure = np.broadcast_to(observation.point.unsure[observation.name], claim.shape)
    allowed = MARGIN * ((ROUNDINGS * observation.eps + WALK) * sizes + 4 * unsure)
    return bool(np.all(np.abs(claim - predicted) <= allowed))


def _error(way: BackwardPass, predicted: Array) -> float:
    size = float(np.abs(way.observation.claim).max(initial=0.0)) or 1.0
    return float(np.abs(way.observation.claim - predicted).max(initial=0.0)) / size


def _told(way: BackwardPass, match: Match, rivals: int) -> list[Explanation]:
    claim = way.observation.claim
    apart = float(np.abs(claim - way.right).max())
    size = float(np.abs(claim).max(initial=0.0)) or 1.0
    observation = (
        f"a backward with this step wrong, through the {len(way.nodes)} recorded steps of the "
        f"forward, gives all of {claim.size} entries to {match.error:.1g} of the largest; the "
        f"gradient differs by {apart / size:.2g}"
    )
    s = match.suspicion
    support = Support("step", claim.size, rivals=rivals - 1)
    return [Explanation(s.code, (way.name,), 1.0 / rivals, observation, s.message, s.fix, support)]
