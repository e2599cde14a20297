"""Hypothesis strategies for predictions with their targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck.properties.strategies import (
    Draw,
    draw_classes,
    draw_grid,
    draw_shape,
    one_hot,
)
from gradcheck.properties.violation import Array

LOGIT_SCALES = (1.0, 8.0, 48.0)
_weights = st.integers(1, 16)


@st.composite
def predictions(
    draw: Draw,
    kind: str,
    *,
    min_rows: int = 1,
    min_classes: int = 1,
    soft: bool = False,
    logit_scales: Sequence[float] = LOGIT_SCALES,
) -> dict[str, Any]:
    """Draw predictions ``p`` and targets ``t`` of the same shape ``(samples, classes)``."""
    rows, classes = draw_shape(draw, rows=4 - min_rows, classes=5 - min_classes)
    shape = (rows + min_rows - 1, classes + min_classes - 1)
    p = draw_predictions(draw, kind, shape, logit_scales)
    if kind == "squared":
        return {"p": p, "t": draw_grid(draw, shape, 4.0)}
    t = draw_distributions(draw, shape) if soft else one_hot(draw_classes(draw, *shape), shape[1])
    return {"p": p, "t": t}


def draw_predictions(
    draw: Draw, kind: str, shape: tuple[int, int], scales: Sequence[float] = LOGIT_SCALES
) -> Array:
    """Draw what such a loss is given: distributions, logits, or any numbers."""
    if kind == "probabilities":
        return draw_distributions(draw, shape)
    return draw_grid(draw, shape, draw(st.sampled_from(list(scales))))


def draw_distributions(draw: Draw, shape: tuple[int, int]) -> Array:
    """Draw rows of small integers, divided by their sum: no probability is below 1/50 or so."""
    weights = np.array([draw(_weights) for _ in range(int(np.prod(shape)))], dtype=np.float64)
    weights = weights.reshape(shape)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


@st.composite
def reordered(draw: Draw, kind: str, *, axis: int) -> dict[str, Any]:
    """Draw predictions, targets and an ``order`` of the samples (axis 0) or classes (axis 1)."""
    inputs: dict[str, Any] = draw(predictions(kind))
    return {**inputs, "order": draw(st.permutations(range(inputs["p"].shape[axis])))}


@st.composite
def receding(draw: Draw, kind: str) -> dict[str, Any]:
    """Draw predictions ``near`` and ``far`` on one line that leads away from the target ``t``."""
    classes = draw(st.integers(2, 4))
    true = draw(st.integers(0, classes - 1))
    first, second = sorted(draw(st.lists(st.integers(1, 15), min_size=2, max_size=2, unique=True)))
    t = one_hot([true], classes)
    away = _direction_away(kind, t)
    start = np.zeros_like(t) if kind == "logits" else t
    return {"near": start + first / 16 * away, "far": start + second / 16 * away, "t": t}


def _direction_away(kind: str, t: Array) -> Array:
    """Return the way from right to wrong: the true class loses what the others gain."""
    if kind == "probabilities":
        return np.asarray((1 - t) / (t.shape[-1] - 1) - t)
    return -4.0 * t
