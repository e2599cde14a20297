"""Sums over large arrays, made part by part so that no temporary is as large as they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck._types import Array

# Entries of one part: large enough to be fast, small enough to stay in a processor's cache.
CHUNK = 1 << 15

# Norms beyond this, or below its inverse, may have overflowed or vanished when squared.
NORMAL = 1e-140


def project(left: Array, right: Array) -> float:
    """Return <left, right> in float64, summed pairwise by chunks and exactly across them."""
    return math.fsum(
        float(np.sum(np.multiply(a, b, dtype=np.float64))) for a, b in blocks(left, right)
    )


def blocks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """Yield the same part of every array in turn, so that no temporary is large.

    Parts are along the first axis; what has but few, long rows is cut as if it were flat.
    """
    first = arrays[0]
    if first.size <= CHUNK:
        yield arrays
        return
    if first.size > CHUNK * first.shape[0]:
        arrays = tuple(array.reshape(-1) for array in arrays)
    rows = max(1, CHUNK * len(arrays[0]) // first.size)
    for start in range(0, len(arrays[0]), rows):
        yield tuple(array[start : start + rows] for array in arrays)


def norm(left: Array, right: Array) -> float:
    """Return the 2-norm of the entry-wise product, free of overflow."""
    return math.hypot(*(_norm(np.multiply(a, b, dtype=np.float64)) for a, b in blocks(left, right)))


def _norm(product: Array) -> float:
    flat = product.reshape(-1)
    plain = math.sqrt(float(np.dot(flat, flat)))
    if NORMAL < plain < 1 / NORMAL:
        return plain
    largest = float(np.abs(flat).max(initial=0.0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * float(np.linalg.norm(flat / largest))


def largest(array: Array) -> float:
    """Return the largest magnitude among the finite entries, zero if there is none."""
    if array.size == 0:
        return 0.0
    return max(_largest(part) for (part,) in blocks(array))


def _largest(part: Array) -> float:
    most = max(float(part.max()), -float(part.min()))
    if math.isfinite(most):
        return most
    return float(np.max(np.abs(part), where=np.isfinite(part), initial=0.0))


def same(value: Any, other: Array) -> bool:
    """Whether a value is equal to an array bit for bit, up to the kind of NaN."""
    array = np.asarray(value)
    nans = other.dtype.kind in "fc"  # the comparison that lets NaN equal NaN is slow
    return array.shape == other.shape and all(
        np.array_equal(a, b) or (nans and np.array_equal(a, b, equal_nan=True))
        for a, b in blocks(array, other)
    )


def all_finite(array: Array) -> bool:
    """Whether every entry is finite: a sum is not where one is not."""
    with np.errstate(all="ignore"):
        return math.isfinite(float(np.sum(array))) or bool(np.isfinite(array).all())
