"""Elementary functions and activations with their derivatives, in forms that do not overflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from gradcheck._types import Array

INF = float("inf")

Function = Callable[[Array], Any]


@dataclass(frozen=True)
class Elementwise:
    """A function of every entry by itself.

    Attributes
    ----------
    value
        The function.
    derivative
        Its derivative at the input.
    from_output
        The same from the output alone, where that determines it: for all inputs, not for those of
        one sign.
    range
        Bounds that no value leaves.
    kinks
        Inputs at which the derivative jumps.
    """

    value: Function
    derivative: Function
    from_output: Function | None = None
    range: tuple[float, float] = (-INF, INF)
    kinks: tuple[float, ...] = ()

    def slope(self, x: Array, y: Array) -> Any:
        """Return the derivative at input ``x`` and output ``y``, from the output where possible."""
        return self.derivative(x) if self.from_output is None else self.from_output(y)


LN2, LN10 = np.log(2.0), np.log(10.0)


def _density(x: Array) -> Any:
    return np.exp(-(np.clip(x, -1e3, 1e3) ** 2) / 2) / np.sqrt(2 * np.pi)


# By the names that NumPy and SciPy give them.
ELEMENTARY: dict[str, Elementwise] = {
    "negative": Elementwise(np.negative, lambda x: -1.0, lambda y: -1.0),
    "positive": Elementwise(np.positive, lambda x: 1.0, lambda y: 1.0),
    "exp": Elementwise(np.exp, np.exp, lambda y: y, (0, INF)),
    "exp2": Elementwise(np.exp2, lambda x: LN2 * np.exp2(x), lambda y: LN2 * y, (0, INF)),
    "expm1": Elementwise(np.expm1, np.exp, lambda y: y + 1, (-1, INF)),
    "log": Elementwise(np.log, lambda x: 1 / x),
    "log2": Elementwise(np.log2, lambda x: 1 / (LN2 * x)),
    "log10": Elementwise(np.log10, lambda x: 1 / (LN10 * x)),
    "log1p": Elementwise(np.log1p, lambda x: 1 / (1 + x)),
    "tanh": Elementwise(np.tanh, lambda x: 1 - np.tanh(x) ** 2, lambda y: 1 - y**2, (-1, 1)),
    "sinh": Elementwise(np.sinh, np.cosh),
    "cosh": Elementwise(np.cosh, np.sinh, range=(1, INF)),
    "sin": Elementwise(np.sin, np.cos, range=(-1, 1)),
    "cos": Elementwise(np.cos, lambda x: -np.sin(x), range=(-1, 1)),
    "tan": Elementwise(np.tan, lambda x: 1 + np.tan(x) ** 2, lambda y: 1 + y**2),
    "arctan": Elementwise(np.arctan, lambda x: 1 / (1 + x**2)),
    "arcsin": Elementwise(np.arcsin, lambda x: 1 / np.sqrt(1 - x**2)),
    "arccos": Elementwise(np.arccos, lambda x: -1 / np.sqrt(1 - x**2)),
    "sqrt": Elementwise(np.sqrt, lambda x: 0.5 / np.sqrt(x), lambda y: 0.5 / y, (0, INF)),
    "cbrt": Elementwise(np.cbrt, lambda x: 1 / (3 * np.cbrt(x) ** 2), lambda y: 1 / (3 * y**2)),
    "square": Elementwise(np.square, lambda x: 2 * x, range=(0, INF)),
    "reciprocal": Elementwise(np.reciprocal, lambda x: -1 / x**2, lambda y: -(y**2)),
    "absolute": Elementwise(np.abs, np.sign, range=(0, INF), kinks=(0.0,)),
    "expit": Elementwise(
        special.expit,
        lambda x: special.expit(x) * special.expit(-x),
        lambda y: y * (1 - y),
        (0, 1),
    ),
    "log_expit": Elementwise(
        special.log_expit, lambda x: special.expit(-x), lambda y: -np.expm1(y), (-INF, 0)
    ),
    "erf": Elementwise(special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-(x**2)), range=(-1, 1)),
    "erfc": Elementwise(
        special.erfc, lambda x: -2 / np.sqrt(np.pi) * np.exp(-(x**2)), range=(0, 2)
    ),
    "ndtr": Elementwise(special.ndtr, _density, range=(0, 1)),
}
ELEMENTARY["fabs"] = ELEMENTARY["absolute"]


# Minima of swish and of the two GELUs, rounded down (found by minimising the formulas).
SWISH_LOW, GELU_LOW = -0.278465, -0.170041


def _swish_slope(x: Array) -> Any:
    s = special.expit(x)
    return s + x * s * special.expit(-x)


def _gelu_tanh_gate(x: Array) -> tuple[Any, Any]:
    """Return the gate s of the GELU's approximation x s, and the derivative of its argument."""
    # 0.5 x (1 + tanh(z)) = x sigmoid(2 z), z = sqrt(2/pi) (x + 0.044715 x^3); tanh is flat by 1e3.
    bounded, scale = np.clip(x, -1e3, 1e3), np.sqrt(8 / np.pi)
    gate = special.expit(scale * (bounded + 0.044715 * bounded**3))
    return gate, scale * (1 + 3 * 0.044715 * bounded**2)


def _gelu_tanh_slope(x: Array) -> Any:
    gate, inner = _gelu_tanh_gate(x)
    return gate + np.clip(x, -1e3, 1e3) * gate * (1 - gate) * inner


# By their usual names, simple ones first: a function is taken for the first that it agrees with.
ACTIVATIONS: dict[str, Elementwise] = {
    "identity": Elementwise(lambda x: x, np.ones_like, np.ones_like),
    "relu": Elementwise(
        lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0, lambda y: (y > 0) * 1.0, (0, INF), (0,)
    ),
    "leaky_relu": Elementwise(
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda x: np.where(x > 0, 1.0, 0.01),
        lambda y: np.where(y > 0, 1.0, 0.01),
        kinks=(0,),
    ),
    "sigmoid": ELEMENTARY["expit"],
    "tanh": ELEMENTARY["tanh"],
    "softplus": Elementwise(
        lambda x: np.logaddexp(0, x), special.expit, lambda y: -np.expm1(-y), (0, INF)
    ),
    "elu": Elementwise(
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
        lambda x: np.exp(np.minimum(x, 0)),
        lambda y: np.minimum(y, 0) + 1,
        (-1, INF),
    ),
    "swish": Elementwise(lambda x: x * special.expit(x), _swish_slope, range=(SWISH_LOW, INF)),
    "gelu": Elementwise(
        lambda x: x * special.ndtr(x),
        lambda x: special.ndtr(x) + x * _density(x),
        range=(GELU_LOW, INF),
    ),
    "gelu_tanh": Elementwise(
        lambda x: x * _gelu_tanh_gate(x)[0], _gelu_tanh_slope, range=(GELU_LOW - 1e-4, INF)
    ),
    "softsign": Elementwise(
        lambda x: x / (1 + np.abs(x)),
        lambda x: (1 + np.abs(x)) ** -2.0,
        lambda y: (1 - np.abs(y)) ** 2,
        (-1, 1),
    ),
}
