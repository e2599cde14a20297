"""Hypothesis strategies for predictions with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.formulas.losses import LOGITS, NUMBERS, PROBABILITIES
from gradcheck.properties.inputs import draw_classes, draw_grid, draw_shape, one_hot
from gradcheck.properties.loss.kinds import LossKind
from gradcheck.properties.loss.loss_under_test import LossUnderTest
from gradcheck.properties.strategies.shapes import filled

LOGIT_SCALES = (1.0, 8.0, 48.0)
_weights = st.integers(1, 16)
_sixteenths = st.integers(1, 15)
_answers = st.integers(0, 1)


@st.composite
def predictions(
    draw: st.DrawFn,
    loss: LossUnderTest,
    *,
    min_rows: int = 1,
    soft: bool = False,
    logit_scales: Sequence[float] = LOGIT_SCALES,
) -> dict[str, Any]:
    """Draw predictions ``p`` and targets ``t`` of the same shape ``(samples, classes)``."""
    most = loss.convention
    rows, classes = draw_shape(
        draw, rows=max(1, most.most_rows + 1 - min_rows), classes=most.most_classes
    )
    shape = (min(rows + min_rows - 1, most.most_rows), classes)
    p = draw_predictions(draw, loss.kind, shape, logit_scales)
    return {"p": p, "t": draw_targets(draw, loss.kind, shape, soft)}


def draw_predictions(
    draw: st.DrawFn, kind: LossKind, shape: tuple[int, int], scales: Sequence[float] = LOGIT_SCALES
) -> Array:
    """Draw what such a loss is given: distributions, odds of each entry, logits, or any numbers."""
    if kind.given != PROBABILITIES:
        return draw_grid(draw, shape, draw(st.sampled_from(list(scales))))
    return draw_odds(draw, shape) if kind.binary else draw_distributions(draw, shape)


def draw_targets(draw: st.DrawFn, kind: LossKind, shape: tuple[int, int], soft: bool) -> Array:
    """Draw what such a prediction should have been."""
    if kind.given == NUMBERS:
        return draw_grid(draw, shape, 4.0)
    if kind.binary:
        return draw_odds(draw, shape) if soft else filled(draw, _answers, shape)
    return (
        draw_distributions(draw, shape) if soft else one_hot(draw_classes(draw, *shape), shape[1])
    )


def draw_distributions(draw: st.DrawFn, shape: tuple[int, int]) -> Array:
    """Draw rows of small integers, divided by their sum: no probability is below 1/50 or so."""
    weights = filled(draw, _weights, shape)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def draw_odds(draw: st.DrawFn, shape: tuple[int, int]) -> Array:
    """Draw sixteenths, 0 and 1 left out: the probability that each entry is a yes."""
    return filled(draw, _sixteenths, shape) / 16


@st.composite
def reordered(draw: st.DrawFn, loss: LossUnderTest, *, axis: int) -> dict[str, Any]:
    """Draw predictions, targets and an ``order`` of the samples (axis 0) or classes (axis 1)."""
    inputs: dict[str, Any] = draw(predictions(loss))
    return {**inputs, "order": draw(st.permutations(range(inputs["p"].shape[axis])))}


@st.composite
def receding(draw: st.DrawFn, loss: LossUnderTest) -> dict[str, Any]:
    """Draw predictions ``near`` and ``far`` on one line that leads away from the target ``t``."""
    first, second = sorted(draw(st.lists(st.integers(1, 15), min_size=2, max_size=2, unique=True)))
    if loss.kind.binary:
        t = filled(draw, _answers, (1, draw(st.integers(1, loss.convention.most_classes))))
    else:
        classes = draw(st.integers(2, 4))
        t = one_hot(draw_classes(draw, 1, classes), classes)
    away = _direction_away(loss.kind, t)
    start = np.zeros_like(t) if loss.kind.given == LOGITS else t
    return {"near": start + first / 16 * away, "far": start + second / 16 * away, "t": t}


def _direction_away(kind: LossKind, t: Array) -> Array:
    """Return the way from right to wrong: the true class loses what the others gain."""
    if kind.given == PROBABILITIES:
        return np.asarray(1 - 2 * t if kind.binary else (1 - t) / (t.shape[-1] - 1) - t)
    return -4.0 * (2 * t - 1 if kind.binary else t)
