"""How gradients go back through NumPy's universal functions: one factor, or one product, each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.trace.node import Pull, unbroadcast
from gradcheck.formulas.elementwise import ELEMENTARY

# Derivative of an elementwise function of one variable, from its argument and its value.
Slope = Callable[[Array, Array], Any]

SLOPES: dict[str, Slope] = {name: function.slope for name, function in ELEMENTARY.items()}

# Derivatives of functions of two variables by each of them.
Slopes = tuple[Callable[[Array, Array, Array], Any], Callable[[Array, Array, Array], Any]]

PAIRS: dict[str, Slopes] = {
    "add": (lambda a, b, y: 1.0, lambda a, b, y: 1.0),
    "subtract": (lambda a, b, y: 1.0, lambda a, b, y: -1.0),
    "multiply": (lambda a, b, y: b, lambda a, b, y: a),
    "divide": (lambda a, b, y: 1 / b, lambda a, b, y: -a / b**2),
    "power": (lambda a, b, y: b * a ** (b - 1), lambda a, b, y: y * np.log(a)),
    "maximum": (
        lambda a, b, y: 1.0 * (a > b) + 0.5 * (a == b),
        lambda a, b, y: 1.0 * (b > a) + 0.5 * (a == b),
    ),
    "minimum": (
        lambda a, b, y: 1.0 * (a < b) + 0.5 * (a == b),
        lambda a, b, y: 1.0 * (b < a) + 0.5 * (a == b),
    ),
    "arctan2": (lambda a, b, y: b / (a**2 + b**2), lambda a, b, y: -a / (a**2 + b**2)),
    "hypot": (lambda a, b, y: a / y, lambda a, b, y: b / y),
    "logaddexp": (lambda a, b, y: np.exp(a - y), lambda a, b, y: np.exp(b - y)),
}
PAIRS["fmax"], PAIRS["fmin"] = PAIRS["maximum"], PAIRS["minimum"]
PAIRS["float_power"] = PAIRS["power"]


def pulls_of(name: str) -> tuple[Pull, ...] | None:
    """Return how gradients go back through the universal function ``name``; None if unknown."""
    if name in SLOPES:
        return (_of_one(SLOPES[name]),)
    if name in PAIRS:
        by_first, by_second = PAIRS[name]
        return (_of_two(by_first, 0), _of_two(by_second, 1))
    return (_matmul_left, _matmul_right) if name == "matmul" else None


def _of_one(slope: Slope) -> Pull:
    return lambda g, operands, y: unbroadcast(g * slope(operands[0], y), operands[0].shape)


def _of_two(slope: Callable[[Array, Array, Array], Any], k: int) -> Pull:
    return lambda g, operands, y: unbroadcast(
        g * slope(operands[0], operands[1], y), operands[k].shape
    )


def _matmul_left(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
    a, b = operands
    if b.ndim == 1:
        return unbroadcast(np.multiply.outer(g, b) if a.ndim > 1 else g * b, a.shape)
    if a.ndim == 1:
        return unbroadcast(np.squeeze(g[..., None, :] @ np.swapaxes(b, -1, -2), -2), a.shape)
    return unbroadcast(g @ np.swapaxes(b, -1, -2), a.shape)


def _matmul_right(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
    a, b = operands
    if a.ndim == 1:
        return unbroadcast(a[:, None] * g[..., None, :] if b.ndim > 1 else g * a, b.shape)
    if b.ndim == 1:
        return unbroadcast(np.einsum("...i,...ij->...j", g, a), b.shape)
    return unbroadcast(np.swapaxes(a, -1, -2) @ g, b.shape)
