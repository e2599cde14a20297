"""What PyTorch computes entry by entry, along axes and as products, written with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special


def _axes(dim: Any) -> Any:
    """Return axes as NumPy takes them: none given are all."""
    return tuple(dim) if isinstance(dim, list | tuple) and len(dim) else dim if dim != [] else None


def _plus(a: Any, b: Any, alpha: float = 1) -> Any:
    return np.add(a, b if alpha == 1 else np.multiply(alpha, b))


def _minus(a: Any, b: Any, alpha: float = 1) -> Any:
    return np.subtract(a, b if alpha == 1 else np.multiply(alpha, b))


def _divide(a: Any, b: Any, rounding_mode: str | None = None) -> Any:
    if rounding_mode is not None:
        raise NotImplementedError("a rounded quotient has no derivative")
    return np.divide(a, b)


def _power(a: Any, b: Any) -> Any:
    if np.ndim(b) == 0 and float(b) == 2:  # the mathematics of a square, and no logarithm of x
        return np.square(a)
    return np.power(a, b)


def _sum(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    return np.sum(x, axis=_axes(dim), keepdims=keepdim)


def _mean(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    return np.mean(x, axis=_axes(dim), keepdims=keepdim)


def _var(x: Any, dim: Any = None, correction: Any = None, keepdim: bool = False) -> Any:
    axes = _axes(dim)
    centred = x - np.mean(x, axis=axes, keepdims=True)
    total = np.sum(np.square(centred), axis=axes, keepdims=keepdim)
    return total / (np.size(x) / np.size(total) - (1 if correction is None else correction))


def _std(x: Any, dim: Any = None, correction: Any = None, keepdim: bool = False) -> Any:
    return np.sqrt(_var(x, dim, correction, keepdim))


def _var_mean(x: Any, dim: Any = None, correction: Any = None, keepdim: bool = False) -> Any:
    return _var(x, dim, correction, keepdim), _mean(x, dim, keepdim)


def _extreme(function: Any, where: Any) -> Callable[..., Any]:
    """Return the largest or smallest, and where along an axis it is."""

    def found(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
        if dim is None:
            return function(x)
        return function(x, axis=dim, keepdims=keepdim), where(np.asarray(x), dim)

    return found


def _vector_norm(
    x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    if ord == 1:
        return np.sum(np.abs(x), axis=_axes(dim), keepdims=keepdim)
    if ord != 2:
        raise NotImplementedError(f"the norm of order {ord} is not replayed")
    return np.sqrt(np.sum(np.square(x), axis=_axes(dim), keepdims=keepdim))


def _log_sum_exp(x: Any, dim: Any, keepdim: bool = False) -> Any:
    axes = _axes(dim)
    largest = np.max(np.asarray(x), axis=axes, keepdims=True)  # cancels, so it is a constant
    total = np.sum(np.exp(x - largest), axis=axes, keepdims=True)
    found = np.log(total) + largest
    return found if keepdim else np.squeeze(found, axes)


def softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    """Return the softmax along an axis, the shift by the largest being a constant."""
    e = np.exp(x - np.max(np.asarray(x), axis=dim, keepdims=True))
    return e / np.sum(e, axis=dim, keepdims=True)


def _log_softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    return x - _log_sum_exp(x, dim, keepdim=True)


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


def _elu(x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Any:
    below = alpha * np.expm1(np.minimum(x * input_scale, 0))
    return scale * np.where(np.asarray(x) > 0, x, below)


def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    return np.logaddexp(0, x * beta) / beta


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    x = x if min is None else np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def _add_matmul(c: Any, a: Any, b: Any, beta: float = 1, alpha: float = 1) -> Any:
    product = np.matmul(a, b)
    return (c if beta == 1 else beta * c) + (product if alpha == 1 else alpha * product)


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": _plus, "sub": _minus, "rsub": lambda a, b, alpha=1: _minus(b, a, alpha),
    "mul": np.multiply, "div": _divide, "pow": _power, "neg": np.negative, "exp": np.exp,
    "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sqrt": np.sqrt, "rsqrt": lambda x: np.reciprocal(np.sqrt(x)),
    "square": np.square, "reciprocal": np.reciprocal, "abs": np.abs, "sin": np.sin, "cos": np.cos,
    "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "hypot": np.hypot,
    "sigmoid": special.expit, "erf": special.erf, "erfc": special.erfc,
    "special_ndtr": special.ndtr, "logaddexp": np.logaddexp, "maximum": np.maximum,
    "minimum": np.minimum, "relu": lambda x: np.maximum(x, 0), "clamp": _clamp, "clamp_min": _clamp,
    "clamp_max": lambda x, bound: np.minimum(x, bound),
    "hardtanh": lambda x, low=-1, high=1: _clamp(x, low, high),
    "leaky_relu": lambda x, slope=0.01: np.where(np.asarray(x) > 0, x, slope * x),
    "threshold": lambda x, bound, value: np.where(np.asarray(x) > bound, x, value), "elu": _elu,
    "gelu": _gelu, "softplus": _softplus, "silu": lambda x: x * special.expit(x),
    "log_sigmoid_forward": lambda x: (special.log_expit(x), None), "_softmax": softmax,
    "_log_softmax": _log_softmax, "logsumexp": _log_sum_exp, "sum": _sum, "mean": _mean,
    "var": _var, "std": _std, "var_mean": _var_mean,
    "amax": lambda x, dim=None, keepdim=False: np.max(x, axis=_axes(dim), keepdims=keepdim),
    "amin": lambda x, dim=None, keepdim=False: np.min(x, axis=_axes(dim), keepdims=keepdim),
    "max": _extreme(np.max, np.argmax), "min": _extreme(np.min, np.argmin),
    "prod": lambda x, dim=None, keepdim=False, dtype=None: np.prod(x, axis=dim, keepdims=keepdim),
    "cumsum": lambda x, dim, dtype=None: np.cumsum(x, dim), "linalg_vector_norm": _vector_norm,
    "mm": np.matmul, "bmm": np.matmul, "mv": np.matmul, "dot": np.matmul, "vdot": np.matmul,
    "addmm": _add_matmul, "addmv": _add_matmul, "baddbmm": _add_matmul,
    "lerp": lambda a, b, weight: a + weight * (b - a),
    "addcmul": lambda x, a, b, value=1: x + (a * b if value == 1 else value * a * b),
    "addcdiv": lambda x, a, b, value=1: x + (a / b if value == 1 else value * a / b),
    "linalg_inv_ex": lambda x, check_errors=False: (np.linalg.inv(x), None),
}  # fmt: skip
