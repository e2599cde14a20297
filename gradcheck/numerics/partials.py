"""Derivatives of functions of arrays: the derivative along one entry, or two, for each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradcheck.numerics.line import Diagonal, Line, float_type, lines_of
from gradcheck.numerics.polynomial_fit import FloatArray
from gradcheck.numerics.step_size import DerivativeEstimate
from gradcheck.numerics.two_sided import differentiate
from gradcheck_arguments import Positive, checked


@dataclass(frozen=True)
class Derivatives:
    """Many derivatives: arrays of values and bounds as in `Derivative`, and all evaluations."""

    value: FloatArray
    error_bound: FloatArray
    evaluations: int


@checked
def gradient(
    f: Callable[..., Any],
    x: ArrayLike,
    *,
    scale: Positive | None = None,
    vectorized: bool = False,
) -> Derivatives:
    """Differentiate a real function of an array by each entry.

    Parameters
    ----------
    f
        The function. It is given arrays of the shape and floating type of ``x`` and returns a
        number; see `derivative` for where it is undefined.
    x
        The point, of any shape.
    scale
        As in `derivative`, for every entry.
    vectorized
        Whether ``f`` takes points stacked along a first axis and returns a value for each.

    Returns
    -------
    Derivatives
        Arrays of the shape of ``x``; NaN ± infinity where undefined.
    """
    point = _array(x)
    lines = lines_of(f, point, scale, vectorized)
    found = [differentiate(line.only, line.closest)[0] for line in lines]
    return _collect([[each] for each in found], point.shape, lines)


@checked
def jacobian(
    f: Callable[..., Any],
    x: ArrayLike,
    *,
    scale: Positive | None = None,
    vectorized: bool = False,
) -> Derivatives:
    """Differentiate an array-valued function of an array: every output by every entry.

    Parameters
    ----------
    f, x, scale, vectorized
        As in `gradient`; the value of ``f`` may have any shape, which must not change.

    Returns
    -------
    Derivatives
        Arrays of the shape of ``f(x)`` followed by that of ``x``. The outputs share evaluations.
    """
    point = _array(x)
    lines = lines_of(f, point, scale, vectorized)
    shape = (*lines[0].base.shape, *point.shape) if lines else (*np.shape(f(point)), *point.shape)
    columns = [
        [differentiate(part, line.closest)[0] for part in line.components()] for line in lines
    ]
    return _collect(columns, shape, lines)


@checked
def hessian(
    f: Callable[..., Any],
    x: ArrayLike,
    *,
    scale: Positive | None = None,
    vectorized: bool = False,
) -> Derivatives:
    """Differentiate a real function of an array twice, by each two of its entries.

    Parameters
    ----------
    f, x, scale, vectorized
        As in `gradient`.

    Returns
    -------
    Derivatives
        Symmetric arrays of the shape of ``x`` twice; NaN ± infinity where undefined. Where the
        gradient has a kink, the bounds cover the second derivatives to all sides.

    Raises
    ------
    TypeError
        If ``f`` is not callable or its value not real, or ``x`` is not made of real numbers.
    ValueError
        If ``f`` returns more than one number, ``x`` is not finite or ``scale`` not positive.

    Notes
    -----
    Second derivatives are taken along every entry and along the diagonals of each two of them,
    ``d_i e_i + d_j e_j``, on which the mixed one follows by polarisation: ``2 d_i d_j H_ij`` is
    the second derivative there, less ``d_i**2 H_ii`` and ``d_j**2 H_jj``. The ``d_i`` are the
    distances over which the function varies, as the lines along the entries have shown: so both
    entries of a diagonal matter alike, however different their units are.

    Examples
    --------
    >>> import numpy as np
    >>> found = hessian(lambda x: x[0] ** 2 * np.sin(x[1]), np.array([1.0, 2.0]))
    >>> exact = [[2 * np.sin(2), 2 * np.cos(2)], [2 * np.cos(2), -np.sin(2)]]
    >>> bool(np.all(np.abs(found.value - exact) <= found.error_bound))
    True
    """
    point = _array(x)
    lines: list[Line] = lines_of(f, point, scale, vectorized)
    indices = list(np.ndindex(point.shape))
    own = [differentiate(line.only, line.closest, order=2)[0] for line in lines]
    reach = [2.0 ** (math.frexp(each.span)[1] - 1) for each in own]
    found = {(i, i): each for i, each in enumerate(own)}
    for i, j in combinations(range(len(own)), 2):
        for sign in (1, -1):  # at a corner of the domain, one of the diagonals may lead out
            moves = {indices[i]: reach[i], indices[j]: sign * reach[j]}
            line = Diagonal(f, point, moves, vectorized=vectorized, beside=lines[0])
            lines.append(line)
            diagonal = differentiate(line.only, line.closest, order=2)[0]
            if math.isfinite(diagonal.bound):
                break
        found[i, j] = found[j, i] = _mixed(diagonal, own[i], own[j], reach[i], sign * reach[j])
    rows = [[found[i, j] for j in range(len(own))] for i in range(len(own))]
    return _collect(rows, point.shape * 2, lines)


def _mixed(
    diagonal: DerivativeEstimate,
    first: DerivativeEstimate,
    second: DerivativeEstimate,
    d: float,
    e: float,
) -> DerivativeEstimate:
    """Return the mixed derivative from the one along (d, e) and those along both entries."""
    value = (diagonal.value / d / e - first.value * (d / e) - second.value * (e / d)) / 2
    bound = diagonal.bound / d / e + first.bound * (d / e) + second.bound * (e / d)
    return replace(diagonal, value=value, bound=abs(bound) / 2)


def _array(x: ArrayLike) -> NDArray[Any]:
    point = np.array(x)
    if point.dtype.kind not in "fiu":
        raise TypeError(f"x must be an array of real numbers, got dtype {point.dtype}")
    return point.astype(np.float64) if float_type(point) is float else point


def _collect(
    columns: list[list[DerivativeEstimate]], shape: tuple[int, ...], lines: Sequence[Line]
) -> Derivatives:
    """Arrange the derivatives by each entry of x, the last axes of ``shape``."""
    rows = list(zip(*columns, strict=True))
    value = np.array([[each.value for each in row] for row in rows]).reshape(shape)
    bound = np.array([[each.bound for each in row] for row in rows]).reshape(shape)
    return Derivatives(
        value,
        np.where(np.isfinite(value), bound, np.inf),
        sum(line.evaluations for line in lines),
    )
