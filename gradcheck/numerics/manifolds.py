"""Manifolds that points may be bound to: a chart of each around a point, and how it is pulled back.

A chart takes every array t whatever to a point of the manifold, t = x0 to x0 itself, and there its
differential is the projection onto the tangent space. The charts are retractions: polynomial ones
for positive numbers and matrices [1]_, the Cayley transform for orthonormal columns [2]_.

References
----------
.. [1] B. Jeuris, R. Vandebril, B. Vandereycken, "A survey and comparison of contemporary algorithms
       for computing the matrix geometric mean", ETNA 39 (2012), section 4.
.. [2] Z. Wen, W. Yin, "A feasible method for optimization with orthogonality constraints",
       Mathematical Programming 142 (2013).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck._types import Array


@dataclass(frozen=True)
class Manifold:
    """Where a tensor has to stay.

    Attributes
    ----------
    chart
        ``chart(x0, t)`` is on it for every ``t``.
    pull
        ``pull(x0, t, g)`` takes a gradient at the chart's point to one by ``t``.
    off
        How far a point is off, as a share of its size; infinite where nothing makes it fit.
    draw
        Makes a point of normal numbers.
    rule
        What holds on it, and what helps a point that is off.
    compared
        The part of a gradient G that is compared.
    by_size
        Whether entries are moved by their own sizes: beside zero a chart bends as far from them.
    """

    chart: Callable[[Array, Array], Array]
    pull: Callable[[Array, Array, Array], Array]
    off: Callable[[Array], float]
    draw: Callable[[Array], Array]
    rule: str
    compared: str
    by_size: bool = False


def manifold(name: str) -> Manifold:
    """Return the manifold of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in MANIFOLDS:
        raise ValueError(f"constraint={name!r}: expected one of {', '.join(MANIFOLDS)}")
    return MANIFOLDS[name]


def _symmetric(a: Array) -> Array:
    return np.asarray((a + np.swapaxes(a, -1, -2)) / 2)


def _grown(x0: Array, t: Array) -> tuple[Array, Array]:
    """Return x0 (1 + s + s^2/2), positive for all s = (t - x0) / x0, and its slope by t."""
    d = t - x0
    return d + d * d / (2 * x0), 1 + d / x0


def _positive_chart(x0: Array, t: Array) -> Array:
    more, _ = _grown(x0, t)
    return np.asarray(x0 + more)


def _positive_pull(x0: Array, t: Array, g: Array) -> Array:
    return g * _grown(x0, t)[1]


def _share(x0: Array, more: Array) -> Array:
    """Return how much larger the sum has become; 1 exactly where nothing is added."""
    return np.asarray(1 + more.sum(-1, keepdims=True) / x0.sum(-1, keepdims=True))


def _simplex_chart(x0: Array, t: Array) -> Array:
    more, _ = _grown(x0, t)
    return np.asarray((x0 + more) / _share(x0, more))


def _simplex_pull(x0: Array, t: Array, g: Array) -> Array:
    more, slope = _grown(x0, t)
    total = _share(x0, more)
    mean = np.sum(g * (x0 + more) / total, axis=-1, keepdims=True) / x0.sum(-1, keepdims=True)
    return np.asarray((g - mean) / total * slope)


def _tangent(x0: Array, d: Array) -> Array:
    """Return the part of ``d`` across the vectors ``x0``."""
    square = np.sum(x0 * x0, axis=-1, keepdims=True)
    return np.asarray(d - x0 * np.sum(x0 * d, axis=-1, keepdims=True) / square)


def _unit_chart(x0: Array, t: Array) -> Array:
    d = _tangent(x0, t - x0)
    return np.asarray((x0 + d) / _stretched(x0, d))


def _stretched(x0: Array, d: Array) -> Array:
    """Return by how much x0 + d is longer than x0, for d across it."""
    lengths = [np.linalg.norm(a, axis=-1, keepdims=True) for a in (d, x0)]
    return np.asarray(np.hypot(1, lengths[0] / lengths[1]))


def _unit_pull(x0: Array, t: Array, g: Array) -> Array:
    length = _stretched(x0, _tangent(x0, t - x0))
    return _tangent(x0, _tangent(_unit_chart(x0, t), g) / length)


def _spd_chart(x0: Array, t: Array) -> Array:
    s = _symmetric(t - x0)
    return x0 + _symmetric(s + s @ np.linalg.solve(x0, s) / 2)


def _spd_pull(x0: Array, t: Array, g: Array) -> Array:
    turned = np.linalg.solve(x0, _symmetric(t - x0))  # x0^-1 s, whose transpose is s x0^-1
    g = _symmetric(g)
    return g + _symmetric(turned @ g)


def _tall(function: Callable[..., Array]) -> Callable[..., Array]:
    """Have a function of matrices of orthonormal columns take those of orthonormal rows, too."""

    def turned(x0: Array, *others: Array) -> Array:
        if x0.ndim < 2 or x0.shape[-2] >= x0.shape[-1]:
            return function(x0, *others)
        return np.swapaxes(function(*(np.swapaxes(a, -1, -2) for a in (x0, *others))), -1, -2)

    return turned


def _across(x0: Array, d: Array) -> Array:
    """Return P d, with P = 1 - x0 x0^T / 2."""
    return np.asarray(d - x0 @ (np.swapaxes(x0, -1, -2) @ d) / 2)


def _halves(x0: Array, t: Array) -> tuple[Array, Array]:
    """Return W/2 with W = P d x0^T - x0 d^T P, which takes x0 to d's tangent part, and 1."""
    w = _across(x0, t - x0) @ np.swapaxes(x0, -1, -2)
    return (w - np.swapaxes(w, -1, -2)) / 2, np.eye(x0.shape[-2])


@_tall
def _orthogonal_chart(x0: Array, t: Array) -> Array:
    half, one = _halves(x0, t)
    return x0 + np.linalg.solve(one - half, 2 * half @ x0)


@_tall
def _orthogonal_pull(x0: Array, t: Array, g: Array) -> Array:
    half, one = _halves(x0, t)
    x = _orthogonal_chart(x0, t)
    s = np.linalg.solve(one + half, g) @ np.swapaxes((x + x0) / 2, -1, -2)
    return _across(x0, (s - np.swapaxes(s, -1, -2)) @ x0)


def _largest(a: Array) -> float:
    return float(np.max(np.abs(a), initial=0.0))


def _off_symmetric(x: Array) -> float:
    return _largest(x - np.swapaxes(x, -1, -2)) / (_largest(x) or 1.0)


def _off_positive(x: Array) -> float:
    return 0.0 if np.all(x > 0) else float("inf")


@_tall
def _gram(x: Array) -> Array:
    return np.asarray(np.swapaxes(x, -1, -2) @ x - np.eye(x.shape[-1]))


def _off_spd(x: Array) -> float:
    np.linalg.cholesky(x)
    return _off_symmetric(x)


MANIFOLDS = {
    "symmetric": Manifold(
        lambda x0, t: x0 + _symmetric(t - x0),
        lambda _, __, g: _symmetric(g),
        _off_symmetric,
        _symmetric,
        "square matrices equal to their transposes: (x + x.T) / 2 is one",
        "(G + G.T) / 2",
    ),
    "positive": Manifold(
        _positive_chart,
        _positive_pull,
        _off_positive,
        np.exp,
        "numbers above zero",
        "all of it",
        by_size=True,
    ),
    "simplex": Manifold(
        _simplex_chart,
        _simplex_pull,
        lambda x: max(_off_positive(x), _largest(x.sum(-1) - 1)),
        lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True),
        "numbers above zero that sum to 1 along the last axis: x / x.sum(-1, keepdims=True) does",
        "G - sum(x * G)",
        by_size=True,
    ),
    "unit": Manifold(
        _unit_chart,
        _unit_pull,
        lambda x: _largest(np.sum(x * x, axis=-1) - 1),
        lambda z: z / np.linalg.norm(z, axis=-1, keepdims=True),
        "vectors of length 1 along the last axis",
        "G - x * sum(x * G)",
    ),
    "orthogonal": Manifold(
        _orthogonal_chart,
        _orthogonal_pull,
        lambda x: _largest(_gram(x)),
        _tall(lambda z: np.linalg.qr(z)[0]),
        "matrices of orthonormal columns, or rows: np.linalg.qr(x)[0] has them",
        "G - x (x.T G + G.T x) / 2",
    ),
    "spd": Manifold(
        _spd_chart,
        _spd_pull,
        _off_spd,
        lambda z: z @ np.swapaxes(z, -1, -2) + np.eye(z.shape[-1]),
        "symmetric positive definite matrices: a @ a.T + np.eye(n) is one",
        "(G + G.T) / 2",
    ),
}
