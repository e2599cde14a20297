"""Textbook activations in forms that do not overflow, with their ranges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from gradcheck._types import Array

INF = float("inf")


@dataclass(frozen=True)
class Known:
    """An activation: its values and the range that they never leave."""

    value: Callable[[Array], Array]
    range: tuple[float, float]


# Minima of swish and of the two GELUs, rounded down (found by minimising the formulas).
SWISH_LOW, GELU_LOW = -0.278465, -0.170041

KNOWN = {
    "identity": Known(lambda x: x, (-INF, INF)),
    "relu": Known(lambda x: np.maximum(x, 0), (0, INF)),
    "leaky_relu": Known(lambda x: np.where(x > 0, x, 0.01 * x), (-INF, INF)),
    "sigmoid": Known(special.expit, (0, 1)),
    "tanh": Known(np.tanh, (-1, 1)),
    "softplus": Known(lambda x: np.logaddexp(0, x), (0, INF)),
    "elu": Known(lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), (-1, INF)),
    "swish": Known(lambda x: x * special.expit(x), (SWISH_LOW, INF)),
    "gelu": Known(lambda x: x * special.ndtr(x), (GELU_LOW, INF)),
    "gelu_tanh": Known(lambda x: _gelu_tanh(x), (GELU_LOW - 1e-4, INF)),
    "softsign": Known(lambda x: x / (1 + np.abs(x)), (-1, 1)),
}


def _gelu_tanh(x: Array) -> Array:
    # 0.5 x (1 + tanh(z)) = x sigmoid(2 z), z = sqrt(2/pi) (x + 0.044715 x^3); tanh is flat by 1e3.
    bounded = np.clip(x, -1e3, 1e3)
    return np.asarray(x * special.expit(np.sqrt(8 / np.pi) * (bounded + 0.044715 * bounded**3)))
