"""Directions to move a tensor along, sizes of step natural for it, and cotangents to project on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.target import Array, Outputs


def random_cotangents(outputs: Outputs, rng: np.random.Generator, *, unit: bool = False) -> Outputs:
    """Draw cotangents of varied size and sign, exact in every floating-point type.

    Entries are ± k/16 with k in 8..24: none vanishes, and they differ, because a constant
    cotangent gives softmax and batch-norm a zero gradient. Outputs that are no floating-point
    numbers, and entries that are not finite, get zero.
    """
    drawn = []
    for output in outputs:
        if output.dtype.kind != "f":
            drawn.append(np.zeros(output.shape))
            continue
        sizes = rng.integers(8, 25, output.shape) / 16
        signs = rng.integers(0, 2, output.shape) * 2 - 1
        values = np.ones(output.shape) if unit else sizes * signs
        drawn.append(np.where(np.isfinite(output), values, 0).astype(output.dtype))
    return tuple(drawn)


def per_entry_scale(value: Array) -> Array:
    """Return the size of step natural for every entry, as powers of two.

    An entry's own magnitude, but no less than the root mean square of the smallest slice
    (row, column, ...) through it: entries that happen to be small are moved as their neighbours
    are, features kept in small units are moved in those units. Zero tensors move by one.
    """
    magnitude = np.abs(np.where(np.isfinite(value), value, 0).astype(np.float64))
    if magnitude.ndim < 2:
        typical: Any = _rms(magnitude, None)
    else:
        slices = (
            _rms(magnitude, tuple(other for other in range(magnitude.ndim) if other != axis))
            for axis in range(magnitude.ndim)
        )
        typical = _smallest_positive(list(slices))
    scale = np.maximum(magnitude, typical)
    scale = np.where(scale > 0, scale, scale.max(initial=0.0) or 1.0)
    return np.asarray(np.exp2(np.round(np.log2(scale))))


def _rms(magnitude: Array, axes: tuple[int, ...] | None) -> Any:
    if magnitude.size == 0:
        return np.zeros(())
    largest = magnitude.max()
    if largest == 0:
        return np.zeros((1,) * magnitude.ndim)
    return largest * np.sqrt(np.mean((magnitude / largest) ** 2, axis=axes, keepdims=True))


def _smallest_positive(candidates: Sequence[Any]) -> Any:
    smallest: Any = np.inf
    for candidate in candidates:
        smallest = np.minimum(smallest, np.where(candidate > 0, candidate, np.inf))
    return np.where(np.isfinite(smallest), smallest, 0.0)


def varied(rng: np.random.Generator, scale: Array, value: Array) -> Array:
    """Draw a direction of random signs and sizes (8..24 sixteenths of ``scale``).

    Along it, errors of like size in several entries do not cancel as they may under signs alone.
    """
    return rademacher(rng, scale * rng.integers(8, 25, scale.shape) / 16, value)


def rademacher(rng: np.random.Generator, scale: Array, value: Array) -> Array:
    """Draw a direction of random signs times ``scale``, at rest where ``value`` is not finite."""
    direction = (1 - 2 * rng.integers(0, 2, scale.shape, dtype=np.int8)) * scale
    return np.where(np.isfinite(value), direction, 0.0)
