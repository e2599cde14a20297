"""Patterns on tensors small enough to be seen whole: what the claim is instead of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.factors import Factor, name_factor
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.observation import Observation
from gradcheck.report.data import Explanation, Support

# A prediction with fitted numbers counts only if this many entries remain to contradict it, and
# if they are at least this share of all.
FREE_ENTRIES = 3
FREE_SHARE = 0.25

# What is this much smaller than the gradient is rounding: no multiple of it explains anything.
SIGNIFICANT = 1e-6

# Cost of fitting every entry: a prediction pays the share of it that it fitted.
COST_OF_FITTING = 1.0

# Explanations that cost this much more than the best are not worth reading beside it.
COST_OF_TIE = 0.15


@dataclass(frozen=True)
class Prediction:
    """What the claim would be if a bug were there.

    Attributes
    ----------
    code, message, fix, cost
        As of a `Part`.
    values
        The claim predicted, shaped like the tensor.
    fitted
        How many numbers in it were taken from the claim itself.
    scaled
        Whether a constant factor may come on top.
    sure
        Confidence at best: less where the claim's structure is told rather than its cause.
    blur
        Bound on ``values`` where they are not made of the measured gradient.
    """

    code: str
    message: str
    fix: str
    cost: float
    values: Array
    fitted: int = 0
    scaled: bool = False
    sure: float = 1.0
    blur: Array | float = 0.0


@dataclass(frozen=True)
class Match:
    """A prediction that the claim meets within the bounds at every known entry."""

    prediction: Prediction
    factors: tuple[Factor, ...]
    share: float
    error: float

    @property
    def cost(self) -> float:
        """Description length: of the bug, of its factors, and of the numbers fitted."""
        extra = sum(factor.cost for factor in self.factors)
        return self.prediction.cost + extra + COST_OF_FITTING * self.share


WholePattern = Callable[[MeasuredJacobian], Iterator[Prediction]]

WHOLE: list[WholePattern] = []


def whole(function: WholePattern) -> WholePattern:
    """Register a pattern: it yields what the claim would be under the bugs that it knows."""
    WHOLE.append(function)
    return function


def explain_whole(observation: Observation) -> list[list[Explanation]]:
    """Return the explanations that predict every known entry of the claim, simplest first."""
    with np.errstate(all="ignore"):  # what is not finite matches nothing
        measured = MeasuredJacobian.of(observation)
        if measured is None or not measured.wrong.any():
            return []
        matches = [
            match
            for make in WHOLE
            for prediction in _predictions(make, measured)
            if (match := _match(measured, prediction)) is not None
        ]
    matches.sort(key=lambda match: match.cost)
    ties: dict[str, Match] = {}
    for match in matches:
        if match.cost <= matches[0].cost + COST_OF_TIE:
            ties.setdefault(match.prediction.code, match)
    return [_told(measured, match, len(ties)) for match in ties.values()]


def _predictions(make: WholePattern, measured: MeasuredJacobian) -> list[Prediction]:
    """Return what a pattern predicts: nothing where it asks more of the layer than that can do."""
    try:
        return list(make(measured))
    except (ArithmeticError, LookupError, TypeError, ValueError, np.linalg.LinAlgError):
        return []


def _match(measured: MeasuredJacobian, prediction: Prediction) -> Match | None:
    known = measured.known
    free = int(known.sum()) - prediction.fitted
    if prediction.fitted and (free < FREE_ENTRIES or free < FREE_SHARE * known.sum()):
        return None
    share = prediction.fitted / max(1, int(known.sum()))
    values = np.broadcast_to(prediction.values, measured.shape)
    if not np.isfinite(values[known]).all():
        return None
    allowed = measured.bound + prediction.blur
    if np.all(
        np.abs(values - measured.gradient)[known] <= np.broadcast_to(allowed, known.shape)[known]
    ):
        return None  # as good as the gradient itself, which the claim is not
    if _agrees(measured, values, allowed):
        return Match(prediction, (), share, _error(measured, values))
    if not prediction.scaled or known.sum() < FREE_ENTRIES:
        return None
    return _scaled(measured, prediction, share, allowed)


def _scaled(
    measured: MeasuredJacobian, prediction: Prediction, share: float, allowed: Array
) -> Match | None:
    known = measured.known
    p, c, width = prediction.values[known], measured.claim[known], allowed[known]
    weight = 1 / np.maximum(width, np.finfo(float).tiny)
    denominator = float(np.sum((weight * p) ** 2))
    if not denominator > 0 or not np.isfinite(denominator):
        return None
    factor = float(np.sum(weight * p * weight * c)) / denominator
    vanishing = np.linalg.norm(p) <= SIGNIFICANT * np.linalg.norm(measured.gradient[known])
    if not np.isfinite(factor) or factor == 0 or vanishing:
        return None
    sure = float(np.sqrt(p.size / denominator))
    if not _agrees(measured, factor * prediction.values, allowed * max(1.0, abs(factor))):
        return None
    factors = tuple(name_factor(factor, sure + 1e-7 * abs(factor), measured.observation))
    if any(f.arbitrary for f in factors) and _one_number(p):
        return None
    return Match(prediction, factors, share, _error(measured, factor * prediction.values))


def _one_number(values: Array) -> bool:
    """Whether all entries are multiples of so few numbers that a factor would always fit them."""
    sizes = np.round(values / np.abs(values).max(), 9)
    signs = set(np.sign(sizes)) - {0.0}
    different = len(set(np.abs(sizes)) - {0.0})
    return different < FREE_ENTRIES and (len(signs) < 2 or len(values) < 2 * FREE_ENTRIES)


def _agrees(measured: MeasuredJacobian, values: Array, allowed: Array) -> bool:
    gap = np.abs(measured.claim - values)
    return bool(np.all(gap[measured.known] <= np.broadcast_to(allowed, gap.shape)[measured.known]))


def _error(measured: MeasuredJacobian, values: Array) -> float:
    gap = np.abs(measured.claim - values)[measured.known]
    size = float(np.abs(measured.claim).max(initial=0.0)) or 1.0
    return float(gap.max(initial=0.0)) / size


def _told(measured: MeasuredJacobian, match: Match, rivals: int) -> list[Explanation]:
    """Turn a match into explanations; what was fitted, and rivals, lower the confidence."""
    prediction, known = match.prediction, int(measured.known.sum())
    apart = float(np.abs(measured.claim - measured.gradient)[measured.known].max())
    size = float(np.abs(measured.claim).max(initial=0.0)) or 1.0
    fitted = f", {prediction.fitted} numbers fitted" if prediction.fitted else ""
    observation = (
        f"this predicts all of {known} entries to {match.error:.1g} of the largest{fitted}; "
        f"the numerical gradient differs by {apart / size:.2g}"
    )
    sure = prediction.sure * (1 - match.share) / rivals
    support = Support("whole", known, prediction.fitted, rivals - 1)
    told = [(prediction.code, prediction.message, prediction.fix)]
    told += [(factor.code, factor.message, factor.fix) for factor in match.factors]
    return [
        Explanation(code, (measured.observation.name,), sure, observation, message, fix, support)
        for code, message, fix in told
    ]
