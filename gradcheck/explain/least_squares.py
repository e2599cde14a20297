"""Least squares over the known entries: the error as a combination of given arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from gradcheck._types import Array


def subsets(axes: int) -> Iterator[tuple[int, ...]]:
    """Yield all sets of axes but the empty one, small ones first."""
    for size in range(1, axes + 1):
        yield from combinations(range(axes), size)


def other_axes(ndim: int, *axes: int) -> tuple[int, ...]:
    """Return the axes of an array but these."""
    return tuple(axis for axis in range(ndim) if axis not in axes)


def named_axes(axes: tuple[int, ...]) -> str:
    """Name axes in a sentence."""
    return f"axis {axes[0]}" if len(axes) == 1 else f"the axes {axes}"


def fit(target: Array, columns: Sequence[Array], known: Array) -> tuple[Array, Array] | None:
    """Fit ``target`` by a combination of ``columns``; return the fit and its coefficients.

    None where the columns are not independent over the known entries.
    """
    matrix = np.stack([np.broadcast_to(c, target.shape).reshape(-1) for c in columns], axis=1)
    inside = matrix[known.reshape(-1)]
    if not np.isfinite(inside).all():
        return None
    sizes = np.linalg.norm(inside, axis=0)
    if len(inside) < matrix.shape[1] or not sizes.all():
        return None
    solution, _, rank, _ = np.linalg.lstsq(
        inside / sizes, target.reshape(-1)[known.reshape(-1)], rcond=1e-10
    )
    if rank < matrix.shape[1]:
        return None
    coefficients = solution / sizes
    return (matrix @ coefficients).reshape(target.shape), coefficients


def fit_along(
    target: Array, columns: Sequence[Array], axes: tuple[int, ...], known: Array
) -> tuple[Array, int] | None:
    """Fit ``target`` with coefficients of their own for every group of entries along ``axes``.

    Returns
    -------
    tuple or None
        The fit and how many coefficients it took; None where a group is too small to tell.
    """
    order = (*other_axes(target.ndim, *axes), *axes)
    length = int(np.prod([target.shape[axis] for axis in axes]))
    if length < len(columns) + 1:
        return None

    def grouped(array: Array) -> Array:
        return np.broadcast_to(array, target.shape).transpose(order).reshape(-1, length)

    parts = [grouped(column) for column in columns]
    fitted = np.empty(grouped(target).shape)
    count = 0
    for group, (values, inside) in enumerate(zip(grouped(target), grouped(known), strict=True)):
        if not np.any(values[inside]):
            fitted[group] = 0.0
            continue
        found = fit(values, [part[group] for part in parts], inside)
        if found is None:
            return None
        fitted[group] = found[0]
        count += len(columns)
    shape = tuple(target.shape[axis] for axis in order)
    return fitted.reshape(shape).transpose(np.argsort(order)), count
