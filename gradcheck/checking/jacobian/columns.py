"""Derivatives of every output at once: along any direction, and by groups of entries.

Columns of which no two have a row in common are measured with the evaluations of one (Curtis,
Powell and Reid, On the estimation of sparse Jacobian matrices, 1974).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.checking.evaluator import DirectionalFunction, Evaluator, Linearization

# Changes of the outputs, the step that made them and its length become a slope of every output.
Reduce = Callable[[Array, Array, float], Array]


def column_groups(pattern: Any, most: int) -> list[Array] | None:
    """Return groups of columns that share no row, greedily; None where there are more than that.

    Parameters
    ----------
    pattern
        A boolean matrix, dense or sparse: where the Jacobian may be other than zero.
    most
        How many groups there may be.
    """
    sparse = _by_columns(pattern)
    groups: list[list[int]] = []
    taken: list[Array] = []
    for column in np.argsort(-np.diff(sparse.indptr), kind="stable").tolist():
        rows = sparse.indices[sparse.indptr[column] : sparse.indptr[column + 1]]
        free = next((n for n, rows_of in enumerate(taken) if not rows_of[rows].any()), len(taken))
        if free == most:
            return None
        if free == len(taken):
            groups.append([])
            taken.append(np.zeros(sparse.shape[0], dtype=bool))
        groups[free].append(column)
        taken[free][rows] = True
    return [np.sort(np.array(group)) for group in groups]


def _by_columns(pattern: Any) -> Any:
    from scipy.sparse import csc_array  # which few checks need

    return csc_array(pattern)


def columns_at_once(
    evaluator: Evaluator,
    point: Linearization,
    name: str,
    scale: Array,
    columns: Array,
    owner: Array | int,
) -> tuple[Array, Array]:
    """Return the derivative of every output by the one entry of a group that acts on it.

    Parameters
    ----------
    evaluator, point, name
        What is evaluated, around which point, and the tensor.
    scale
        The natural step of every entry.
    columns
        The entries that move.
    owner
        By output, the entry that acts on it; or the only one that moves.

    Returns
    -------
    value, error
        One number for each output. Along several entries, those on which none acts are nonsense.
    """
    direction = np.zeros(point.tensors[name].shape)
    direction.flat[columns] = scale.flat[columns]

    def by_own_step(change: Array, step: Array, _: float) -> Array:
        return change / step.reshape(-1)[owner]

    ray = DirectionalFunction(evaluator, point, name, direction)
    return _extrapolated(ray, by_own_step, scale.reshape(-1)[owner])


def rows_along(
    evaluator: Evaluator, point: Linearization, name: str, direction: Array, matrix: Any
) -> tuple[Array, Array]:
    """Return the derivative of every output along a direction, less that of a linear function.

    Parameters
    ----------
    evaluator, point, name, direction
        As for `DirectionalFunction`.
    matrix
        The linear function's, (outputs, entries).

    Returns
    -------
    value, error
        One number for each output.
    """

    def less_linear(change: Array, step: Array, t: float) -> Array:
        rest: Array = (change - matrix @ step.reshape(-1)) / t
        return rest

    ray = DirectionalFunction(evaluator, point, name, direction)
    return _extrapolated(ray, less_linear, np.ones(()))


def _extrapolated(ray: DirectionalFunction, reduce: Reduce, lengths: Array) -> tuple[Array, Array]:
    """Return slopes of all outputs by central differences at three steps, twice extrapolated."""
    outputs = ray.point.outputs
    # fourth-order truncation h**4 meets the noise eps / h
    dtype = ray.point.tensors[ray.name].dtype
    largest = 2.0 ** (round(np.log2(np.finfo(dtype).eps) / 5) + 1)
    slopes = [_central(ray, reduce, largest / 2**k) for k in range(3)]
    # Richardson: (4 D(h/2) - D(h)) / 3 is free of the error in h**2
    coarse, fine = ((4 * b - a) / 3 for a, b in pairwise(slopes))
    units = [np.finfo(y.dtype).eps if y.dtype.kind == "f" else 0.0 for y in outputs]
    unit = np.repeat(np.array(units, dtype=np.float64), [y.size for y in outputs])
    noise = np.abs(flat(outputs)) * unit / (largest / 4 * lengths)
    with np.errstate(invalid="ignore"):
        return fine, np.abs(fine - coarse) + 2 * noise


def _central(ray: DirectionalFunction, reduce: Reduce, t: float) -> Array:
    (above, up), (below, down) = ray.at(t), ray.at(-t)
    with np.errstate(all="ignore"):
        change = flat(above) - flat(below)
        size = sum(y.size for y in ray.point.outputs)
        if change.size != size:
            return np.full(size, np.nan)
        return reduce(change, up - down, 2 * t)


def flat(arrays: Outputs) -> Array:
    """Return all numbers of several arrays in a row, in float64."""
    return np.concatenate([np.asarray(a, dtype=np.float64).reshape(-1) for a in arrays])
