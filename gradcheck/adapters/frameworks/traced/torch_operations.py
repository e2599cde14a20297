"""PyTorch's operations, as they are called below autograd, written with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from gradcheck._types import Array
from gradcheck.adapters.frameworks.traced.moves import added, moved, taken, written


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


def _softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    e = np.exp(x - np.max(np.asarray(x), axis=dim, keepdims=True))
    return e / np.sum(e, axis=dim, keepdims=True)


def _log_softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    return x - _log_sum_exp(x, dim, keepdim=True)


def _layer_norm(x: Any, shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    return _normalized(x, tuple(range(-len(shape), 0)), weight, bias, eps)


def _batch_norm(
    x: Any, weight: Any, bias: Any, mean: Any, var: Any, training: bool, momentum: Any, eps: float
) -> Any:
    channels = (1, -1, *[1] * (np.ndim(x) - 2))
    weight, bias = (None if v is None else np.reshape(v, channels) for v in (weight, bias))
    if training:
        return _normalized(x, (0, *range(2, np.ndim(x))), weight, bias, eps)
    scale = 1 / np.sqrt(np.reshape(var, channels) + eps)
    return (_scaled((x - np.reshape(mean, channels)) * scale, weight, bias), None, None)


def _normalized(x: Any, axes: tuple[int, ...], weight: Any, bias: Any, eps: float) -> Any:
    mean = np.mean(x, axis=axes, keepdims=True)
    centred = x - mean
    inverse = 1 / np.sqrt(np.mean(np.square(centred), axis=axes, keepdims=True) + eps)
    return _scaled(centred * inverse, weight, bias), mean, inverse


def _scaled(x: Any, weight: Any, bias: Any) -> Any:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


def _elu(x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Any:
    below = alpha * np.expm1(np.minimum(x * input_scale, 0))
    return scale * np.where(np.asarray(x) > 0, x, below)


def _softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    return np.logaddexp(0, x * beta) / beta


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002 (PyTorch's names)
    x = x if min is None else np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def _reduced(losses: Any, reduction: int) -> Any:
    return (lambda x: x, np.mean, np.sum)[reduction](losses)


def _nll(x: Any, target: Array, weight: Any, reduction: int, ignore: int) -> Any:
    counted = target != ignore
    rows = np.arange(len(target))[counted]
    share = np.ones(np.shape(x)[1]) if weight is None else np.asarray(weight)
    losses = -x[rows, target[counted]] * share[target[counted]]
    if reduction == 1:
        return np.sum(losses) / share[target[counted]].sum(), None
    return (losses if reduction == 0 else np.sum(losses)), None


def _bce(p: Any, y: Any, weight: Any = None, reduction: int = 1) -> Any:
    losses = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return _reduced(losses if weight is None else weight * losses, reduction)


def _bce_with_logits(
    x: Any, y: Any, weight: Any = None, pos_weight: Any = None, reduction: int = 1
) -> Any:
    positive = y if pos_weight is None else y * pos_weight
    losses = (1 - y) * np.logaddexp(0, x) + positive * np.logaddexp(0, -x)
    return _reduced(losses if weight is None else weight * losses, reduction)


def _huber(a: Any, b: Any, reduction: int = 1, delta: float = 1) -> Any:
    size = np.abs(a - b)
    inner = np.asarray(size) <= delta
    losses = np.where(inner, 0.5 * np.square(size), delta * (size - 0.5 * delta))
    return _reduced(losses, reduction)


def _smooth_l1(a: Any, b: Any, reduction: int = 1, beta: float = 1) -> Any:
    return _huber(a, b, 0, beta) / beta if not reduction else _huber(a, b, reduction, beta) / beta


def _add_matmul(c: Any, a: Any, b: Any, beta: float = 1, alpha: float = 1) -> Any:
    product = np.matmul(a, b)
    return (c if beta == 1 else beta * c) + (product if alpha == 1 else alpha * product)


def _attention(
    q: Any, k: Any, v: Any, dropout: float = 0, is_causal: bool = False, attn_mask: Any = None,
    scale: float | None = None,
) -> Any:  # fmt: skip
    if dropout:
        raise NotImplementedError("attention with dropout is not replayed")
    scores = np.matmul(q, _swap(k)) * (1 / np.sqrt(np.shape(q)[-1]) if scale is None else scale)
    if is_causal:
        scores = np.where(np.tri(*np.shape(scores)[-2:], dtype=bool), scores, -np.inf)
    return np.matmul(_softmax(scores if attn_mask is None else scores + attn_mask, -1), v), None


def _swap(x: Any, a: int = -2, b: int = -1) -> Any:
    return np.swapaxes(x, a, b) if np.ndim(x) > 1 else x


def _squeeze(x: Any, dim: Any = None) -> Any:
    wanted = range(np.ndim(x)) if dim is None else np.atleast_1d(dim)
    return np.squeeze(x, tuple(int(d) for d in wanted if np.shape(x)[d] == 1))


def _reshape(x: Any, shape: Any) -> Any:
    return np.reshape(x, tuple(shape))


def _expand(x: Any, shape: Any, implicit: bool = False) -> Any:
    padded = (1,) * (len(shape) - np.ndim(x)) + np.shape(x)
    full = tuple(own if n == -1 else n for n, own in zip(shape, padded, strict=True))
    return np.broadcast_to(x, full)


def _slice(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return x[(*[slice(None)] * (dim % np.ndim(x)), slice(start, end, step))]


def _select(x: Any, dim: int, index: int) -> Any:
    return x[(*[slice(None)] * (dim % np.ndim(x)), index)]


def _index(x: Any, indices: Any) -> Any:
    return x[_at(indices)]


def _at(indices: Any) -> tuple[Any, ...]:
    return tuple(slice(None) if i is None else np.asarray(i) for i in indices)


def _numbers(x: Any) -> Array:
    return np.arange(np.size(x)).reshape(np.shape(x))


def _index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    places = _numbers(x)[_at(indices)]
    return (added if accumulate else written)(x, np.broadcast_to(values, places.shape), places)


def _scatter(x: Any, dim: int, index: Array, values: Any) -> Any:
    return written(x, _scattered(values, index), _along(x, dim, index))


def _scatter_add(x: Any, dim: int, index: Array, values: Any) -> Any:
    return added(x, _scattered(values, index), _along(x, dim, index))


def _scattered(values: Any, index: Array) -> Any:
    if np.ndim(values) == 0:
        return np.broadcast_to(values, index.shape)
    return values[tuple(slice(n) for n in index.shape)]


def _along(x: Any, dim: int, index: Array) -> Array:
    numbers = _numbers(x)
    inside = [slice(None) if k == dim % numbers.ndim else slice(n) for k, n in
              enumerate(index.shape)]  # fmt: skip
    return np.take_along_axis(numbers[tuple(inside)], index, dim)


def _gather(x: Any, dim: int, index: Array, sparse_grad: bool = False) -> Any:
    return taken(x, _along(x, dim, index))


def _index_add(x: Any, dim: int, index: Array, values: Any, alpha: float = 1) -> Any:
    places = np.take(_numbers(x), index, dim)
    return added(x, values if alpha == 1 else alpha * values, places)


def _index_copy(x: Any, dim: int, index: Array, values: Any) -> Any:
    return written(x, values, np.take(_numbers(x), index, dim))


def _index_fill(x: Any, dim: int, index: Array, value: Any) -> Any:
    places = np.take(_numbers(x), index, dim)
    return written(x, np.broadcast_to(value, places.shape), places)


def _split(x: Any, size: Any, dim: int = 0) -> Any:
    length = np.shape(x)[dim]
    ends = np.arange(size, length, size) if np.ndim(size) == 0 else np.cumsum(size)[:-1]
    return [_slice(x, dim, a, b) for a, b in zip([0, *ends], [*ends, length], strict=True)]


def _pad(x: Any, pad: Any, value: float = 0) -> Any:
    pairs = [(0, 0)] * (np.ndim(x) - len(pad) // 2)
    pairs += list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    if min(pad) < 0:
        raise NotImplementedError("negative padding is not replayed")
    return np.pad(x, pairs, constant_values=value)


def _windows(x: Any, dim: int, size: int, step: int) -> Any:
    def windows(numbers: Array) -> Array:
        seen = np.lib.stride_tricks.sliding_window_view(numbers, size, dim)
        return seen[(*[slice(None)] * (dim % numbers.ndim), slice(None, None, step))]

    return moved(x, windows)


def _convolution(
    x: Any, w: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> Any:  # fmt: skip
    if transposed:
        raise NotImplementedError("a transposed convolution is not replayed")
    space = len(stride)
    if any(padding):
        x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in padding)])

    def windows(numbers: Array) -> Array:
        sizes = [d * (n - 1) + 1 for d, n in zip(dilation, np.shape(w)[2:], strict=True)]
        seen = np.lib.stride_tricks.sliding_window_view(numbers, sizes, range(2, 2 + space))
        return seen[
            (..., *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation))
        ]

    seen = moved(x, windows)  # sample, channel, place..., offset...
    places, offsets = "pqr"[:space], "uvw"[:space]
    parts = []
    for inside, outside in zip(_split_even(seen, groups, 1), _split_even(w, groups, 0), strict=True):
        equation = f"nc{places}{offsets},oc{offsets}->no{places}"
        parts.append(np.einsum(equation, inside, outside))
    y = parts[0] if groups == 1 else np.concatenate(parts, axis=1)
    return y if bias is None else y + np.reshape(bias, (1, -1, *[1] * space))


def _split_even(x: Any, parts: int, dim: int) -> Any:
    return [x] if parts == 1 else _split(x, np.shape(x)[dim] // parts, dim)


def _same(x: Any, *others: Any, **options: Any) -> Any:
    return x


# Written by their names below autograd, without the underscore of what works in place.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": _plus, "sub": _minus, "rsub": lambda a, b, alpha=1: _minus(b, a, alpha),
    "mul": np.multiply, "div": _divide, "pow": _power, "neg": np.negative, "exp": np.exp,
    "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sqrt": np.sqrt, "rsqrt": lambda x: np.reciprocal(np.sqrt(x)),
    "square": np.square, "reciprocal": np.reciprocal, "abs": np.abs, "sin": np.sin, "cos": np.cos,
    "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "hypot": np.hypot,
    "sigmoid": special.expit, "erf": special.erf, "erfc": special.erfc,
    "special_ndtr": special.ndtr, "logaddexp": np.logaddexp, "maximum": np.maximum,
    "minimum": np.minimum, "relu": lambda x: np.maximum(x, 0), "clamp": _clamp,
    "clamp_min": _clamp, "clamp_max": lambda x, bound: np.minimum(x, bound),
    "hardtanh": lambda x, low=-1, high=1: _clamp(x, low, high),
    "leaky_relu": lambda x, slope=0.01: np.where(np.asarray(x) > 0, x, slope * x),
    "threshold": lambda x, bound, value: np.where(np.asarray(x) > bound, x, value),
    "elu": _elu, "gelu": _gelu, "softplus": _softplus, "silu": lambda x: x * special.expit(x),
    "log_sigmoid_forward": lambda x: (special.log_expit(x), None),
    "_softmax": _softmax, "_log_softmax": _log_softmax, "logsumexp": _log_sum_exp,
    "native_layer_norm": _layer_norm, "native_batch_norm": _batch_norm,
    "sum": _sum, "mean": _mean, "var": _var, "std": _std, "var_mean": _var_mean,
    "amax": lambda x, dim=None, keepdim=False: np.max(x, axis=_axes(dim), keepdims=keepdim),
    "amin": lambda x, dim=None, keepdim=False: np.min(x, axis=_axes(dim), keepdims=keepdim),
    "max": _extreme(np.max, np.argmax), "min": _extreme(np.min, np.argmin),
    "prod": lambda x, dim=None, keepdim=False, dtype=None: np.prod(x, axis=dim, keepdims=keepdim),
    "cumsum": lambda x, dim, dtype=None: np.cumsum(x, dim),
    "linalg_vector_norm": _vector_norm,
    "mse_loss": lambda a, b, reduction=1: _reduced(np.square(a - b), reduction),
    "huber_loss": _huber, "smooth_l1_loss": _smooth_l1, "nll_loss_forward": _nll,
    "binary_cross_entropy": _bce, "binary_cross_entropy_with_logits": _bce_with_logits,
    "mm": np.matmul, "bmm": np.matmul, "mv": np.matmul, "dot": np.matmul, "vdot": np.matmul,
    "addmm": _add_matmul, "addmv": _add_matmul, "baddbmm": _add_matmul,
    "convolution": _convolution, "lerp": lambda a, b, weight: a + weight * (b - a),
    "addcmul": lambda x, a, b, value=1: x + (a * b if value == 1 else value * a * b),
    "addcdiv": lambda x, a, b, value=1: x + (a / b if value == 1 else value * a / b),
    "linalg_inv_ex": lambda x, check_errors=False: (np.linalg.inv(x), None),
    "t": _swap, "transpose": _swap, "permute": lambda x, dims: np.transpose(x, tuple(dims)),
    "view": _reshape, "_unsafe_view": _reshape, "reshape": _reshape, "expand": _expand,
    "unsqueeze": lambda x, dim: np.expand_dims(x, dim), "squeeze": _squeeze, "slice": _slice,
    "select": _select, "index": _index, "gather": _gather,
    "index_select": lambda x, dim, index: np.take(x, index, dim),
    "embedding": lambda w, index, *options: w[index], "split": _split, "split_with_sizes": _split,
    "unbind": lambda x, dim=0: [_select(x, dim, n) for n in range(np.shape(x)[dim])],
    "cat": lambda xs, dim=0: np.concatenate(xs, axis=dim),
    "stack": lambda xs, dim=0: np.stack(xs, axis=dim),
    "flip": lambda x, dims: np.flip(x, tuple(dims)),
    "roll": lambda x, shifts, dims=None: np.roll(x, tuple(shifts), _axes(dims)),
    "repeat": lambda x, times: np.tile(x, tuple(times)),
    "constant_pad_nd": _pad, "unfold": _windows,
    "diagonal": lambda x, offset=0, a=0, b=1: np.diagonal(x, offset, a, b),
    "tril": lambda x, diagonal=0: np.tril(x, diagonal),
    "triu": lambda x, diagonal=0: np.triu(x, diagonal),
    "where": lambda mask, a, b: np.where(mask, a, b),
    "masked_fill": lambda x, mask, value: np.where(mask, value, x),
    "index_put": _index_put, "scatter": _scatter, "scatter_add": _scatter_add,
    "index_add": _index_add, "index_copy": _index_copy,
    "index_fill": _index_fill, "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "copy": lambda x, source, *options: np.broadcast_to(source, np.shape(x)),
    "fill": lambda x, value: np.broadcast_to(value, np.shape(x)),
    "zero": lambda x: np.zeros(np.shape(x)),
    "detach": _same, "alias": _same, "clone": _same, "_to_copy": _same, "contiguous": _same,
    "lift_fresh": _same, "view_as": _same,
}  # fmt: skip

# What they return depends on nothing's numbers, or nowhere changes with them.
CONSTANTS = frozenset({
    "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "new_zeros",
    "new_ones", "new_empty", "new_full", "new_empty_strided", "sign", "sgn", "floor", "ceil",
    "round", "trunc", "heaviside", "bernoulli",
})  # fmt: skip
