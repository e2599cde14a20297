"""Kinds of values at which gradients go wrong, each under the name that a report gives it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck._types import Array

Shape = tuple[int, ...]
Family = Callable[[np.random.Generator, Shape], Array]


def _one_hot_rows(rng: np.random.Generator, shape: Shape) -> Array:
    values = np.zeros(shape)
    if values.size:
        rows = values.reshape(-1, shape[-1] if shape else 1)
        rows[np.arange(len(rows)), rng.integers(0, rows.shape[1], len(rows))] = 1.0
    return values


def _sorted(rng: np.random.Generator, shape: Shape) -> Array:
    return np.sort(rng.normal(size=shape), axis=-1) if shape else rng.normal(size=shape)


def _constant_rows(rng: np.random.Generator, shape: Shape) -> Array:
    """Every sample holds one value throughout."""
    values = rng.normal(size=(*shape[:1], *(1 for _ in shape[1:])))
    return np.broadcast_to(values, shape).copy()


FAMILIES: dict[str, Family] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    # both signs, eight decades
    "wide": lambda rng, shape: rng.choice([-1.0, 1.0], shape) * 10.0 ** rng.uniform(-4, 4, shape),
    "zeros": lambda rng, shape: np.zeros(shape),
    "ties": lambda rng, shape: rng.choice(rng.normal(size=3), shape),
    "negative": lambda rng, shape: -np.abs(rng.normal(size=shape)),
    "positive": lambda rng, shape: np.abs(rng.normal(size=shape)),
    "tiny": lambda rng, shape: 1e-8 * rng.normal(size=shape),
    "large": lambda rng, shape: 1e3 * rng.normal(size=shape),
    "integers": lambda rng, shape: rng.integers(-5, 6, shape).astype(float),
    "one-hot rows": _one_hot_rows,
    "sorted": _sorted,
    "constant rows": _constant_rows,
}
