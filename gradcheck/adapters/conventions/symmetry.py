"""Whether a Hessian is symmetric, as a matrix or by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.checking.jacobian.claimed import MOST_COLUMNS, ClaimedJacobian
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.target import Target


def by_products(target: Target, name: str, tensors: Tensors) -> dict[str, Array]:
    """Return the matrix of which a backward returns the products; none where it is large."""
    size = tensors[name].size
    if size > MOST_COLUMNS:
        return {}
    run = target.call(tensors)
    units = np.eye(size).reshape(size, *run.outputs[0].shape)
    columns = [np.asarray(run.pullback((unit,))[name]).reshape(-1) for unit in units]
    return {name: np.stack(columns, axis=1)}


def is_symmetric(
    target: Target, name: str, whole: Callable[[], Any] | None
) -> tuple[bool | None, str]:
    """Whether mirrored entries of a Hessian are the same; if not, which the numbers contradict.

    It is seen ``whole`` where it is a matrix, and by its products where it has few columns; of
    others along two random vectors.
    """
    assert target.jacobians is not None
    eps = float(np.finfo(target.tensors[name].dtype).eps)
    matrix = target.jacobians(target.tensors).get(name) if whole is None else whole()
    if matrix is None:
        return _is_symmetric_along(target, name, eps)
    gaps, largest = abs(matrix - matrix.T), float(abs(matrix).max())
    worst = float(gaps.max())
    if worst <= ROUNDINGS * eps * largest:
        return True, f"mirrored entries of H differ by {worst:.1g} at most"
    row, column = divmod(int(gaps.argmax()), matrix.shape[1])
    return False, _contradicted(target, name, matrix, row, column)


def _is_symmetric_along(target: Target, name: str, eps: float) -> tuple[bool | None, str]:
    run = target.call(target.tensors)
    size = target.tensors[name].shape
    if run.outputs[0].shape != size:
        return None, "the products with a few vectors were looked at alone"
    one, other = np.random.default_rng(0).standard_normal((2, *size))
    left, right = run.pullback((one,))[name] * other, run.pullback((other,))[name] * one
    gap = abs(float(np.sum(left)) - float(np.sum(right)))
    sizes = float(np.sum(np.abs(left)) + np.sum(np.abs(right)))
    return gap <= ROUNDINGS * eps * sizes, f"v.T H u and u.T H v differ by {gap:.1g}"


def _contradicted(target: Target, name: str, matrix: Any, row: int, column: int) -> str:
    """Say which of two mirrored entries is not the numerical derivative."""
    places = ((row, column), (column, row))
    pair = " and ".join(f"H[{i}, {j}] is {matrix[i, j]:.6g}" for i, j in places)
    claimed = ClaimedJacobian.at_point_of(target, name, matrix)
    if claimed.point.outputs[0].size != matrix.shape[0]:
        return pair
    entries = claimed.of_columns(np.array([column, row]))
    wrong = entries.dense(entries.wrong)
    values = entries.dense(entries.numerical)
    off = [(i, j) for i, j in places if wrong[i, j]]
    told = [f"H[{i}, {j}] should be {values[i, j]:.6g}" for i, j in off]
    return f"{pair}; by the numbers {' and '.join(told)}" if told else pair
