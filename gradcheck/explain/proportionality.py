"""Whether numbers along a few directions are multiples of what is predicted, within bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.observation import Bounded


def matches(predicted: list[Bounded], claimed: list[Bounded]) -> bool:
    """Whether the claims are multiples of the predictions, or vanish as all of them do."""
    if not all(math.isfinite(p.value) and math.isfinite(p.bound) for p in predicted):
        return False
    if vanish(predicted):
        return all(
            abs(c.value) <= MARGIN * (c.bound + p.bound)
            for c, p in zip(claimed, predicted, strict=True)
        )
    factor, bound = fitted_factor(predicted, claimed)
    return math.isfinite(factor) and all(
        abs(c.value - factor * p.value)
        <= MARGIN * (c.bound + abs(factor) * p.bound) + bound * abs(p.value)
        for p, c in zip(predicted, claimed, strict=True)
    )


def vanish(predicted: list[Bounded]) -> bool:
    """Whether every prediction is zero within its bound."""
    return all(abs(p.value) <= p.bound for p in predicted)


def fitted_factor(predicted: Iterable[Bounded], claimed: Iterable[Bounded]) -> tuple[float, float]:
    """Return the factor claimed / predicted from the direction that tells it most sharply."""
    best = math.nan, math.inf
    for p, c in zip(predicted, claimed, strict=True):
        if abs(p.value) > p.bound:
            factor = c.value / p.value
            bound = MARGIN * (c.bound + abs(factor) * p.bound) / (abs(p.value) - p.bound)
            if bound < best[1]:
                best = factor, bound
    return best
