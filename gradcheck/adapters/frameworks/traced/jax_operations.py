"""JAX's primitives, written with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from gradcheck._types import Array
from gradcheck.adapters.frameworks.traced.moves import added, moved, taken, windows, written

# Whole numbers below are told apart in float32.
EXACT_IN_FLOAT32 = 2**24

# Called with the operands and the equation's parameters.
Operation = Callable[..., Any]


def _elementwise(function: Any) -> Operation:
    return lambda *operands, **parameters: function(*operands)


def _integer_power(x: Any, y: int, **parameters: Any) -> Any:
    return np.square(x) if y == 2 else np.reciprocal(x) if y == -1 else np.power(x, float(y))


def _reduction(function: Any) -> Operation:
    return lambda x, axes, **parameters: function(x, axis=tuple(axes))


def _select(which: Array, *cases: Any, **parameters: Any) -> Any:
    if len(cases) != 2:
        raise NotImplementedError("a choice among more than two is not replayed")
    return np.where(np.asarray(which, dtype=bool), cases[1], cases[0])


def _product(a: Any, b: Any, dimension_numbers: Any, **parameters: Any) -> Any:
    ((of_a, of_b), (batch_a, batch_b)) = dimension_numbers
    plain = not batch_a and len(of_a) == 1 and np.ndim(a) <= 2 and np.ndim(b) <= 2
    if plain and np.ndim(a) and of_a[0] == np.ndim(a) - 1:
        if of_b[0] == 0:
            return np.matmul(a, b)
        return np.matmul(a, np.transpose(b))
    if plain and of_a[0] == 0 and of_b[0] == 0:
        return np.matmul(np.transpose(a), b)
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    left = [next(letters) for _ in range(np.ndim(a))]
    right = [next(letters) for _ in range(np.ndim(b))]
    for i, j in zip((*batch_a, *of_a), (*batch_b, *of_b), strict=True):
        right[j] = left[i]
    out = [left[i] for i in batch_a]
    out += [c for i, c in enumerate(left) if i not in (*batch_a, *of_a)]
    out += [c for j, c in enumerate(right) if j not in (*batch_b, *of_b)]
    return np.einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", a, b)


def _broadcast(x: Any, shape: Any, broadcast_dimensions: Any, **parameters: Any) -> Any:
    inner = [1] * len(shape)
    for axis, n in zip(broadcast_dimensions, np.shape(x), strict=True):
        inner[axis] = n
    if np.shape(x) != tuple(inner):
        x = np.reshape(x, tuple(inner))
    return x if tuple(inner) == tuple(shape) else np.broadcast_to(x, tuple(shape))


def _reshape(x: Any, new_sizes: Any, dimensions: Any = None, **parameters: Any) -> Any:
    return np.reshape(x if dimensions is None else np.transpose(x, dimensions), tuple(new_sizes))


def _slice(x: Any, start_indices: Any, limit_indices: Any, strides: Any, **parameters: Any) -> Any:
    steps = strides or [1] * len(start_indices)
    return x[tuple(map(slice, start_indices, limit_indices, steps))]


def _start(x: Any, sizes: Any, indices: Any) -> tuple[slice, ...]:
    """Return the block of the given sizes, moved inside where it would reach beyond an end."""
    starts = [
        int(np.clip(int(i), 0, n - size))
        for i, n, size in zip(indices, np.shape(x), sizes, strict=True)
    ]
    return tuple(slice(start, start + size) for start, size in zip(starts, sizes, strict=True))


def _dynamic_slice(x: Any, *indices: Any, slice_sizes: Any, **parameters: Any) -> Any:
    return x[_start(x, slice_sizes, indices)]


def _dynamic_update_slice(x: Any, values: Any, *indices: Any, **parameters: Any) -> Any:
    numbers = np.arange(np.size(x)).reshape(np.shape(x))
    return written(x, values, numbers[_start(x, np.shape(values), indices)])


def _pad(x: Any, value: Any, padding_config: Any, **parameters: Any) -> Any:
    if any(low < 0 or high < 0 or inside for low, high, inside in padding_config):
        raise NotImplementedError("padding between entries, or less than none, is not replayed")
    pairs = [(low, high) for low, high, _ in padding_config]
    return np.pad(x, pairs, constant_values=np.asarray(value))


def _split(x: Any, sizes: Any, axis: int, **parameters: Any) -> Any:
    return np.split(x, np.cumsum(sizes)[:-1], axis=axis)


def _cumulative_sum(x: Any, axis: int, reverse: bool = False, **parameters: Any) -> Any:
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)


def _clamp(low: Any, x: Any, high: Any, **parameters: Any) -> Any:
    return np.minimum(np.maximum(x, low), high)


def _sort(*operands: Any, dimension: int, num_keys: int, **parameters: Any) -> Any:
    if num_keys != 1:
        raise NotImplementedError("sorting by several keys is not replayed")
    order = np.argsort(np.asarray(operands[0]), axis=dimension, kind="stable")
    return [moved(x, lambda n: np.take_along_axis(n, order, dimension)) for x in operands]


def _gather(x: Any, indices: Any, **parameters: Any) -> Any:
    """Take what the primitive takes of the entries' numbers, counted from 1: others are outside."""
    import jax

    numbers = np.arange(1, np.size(x) + 1, dtype=np.int32).reshape(np.shape(x))
    found = jax.lax.gather_p.bind(jax.numpy.asarray(numbers), jax.numpy.asarray(indices),
                                  **parameters)  # fmt: skip
    return taken(x, np.asarray(found, dtype=np.int64) - 1)


def _scatter(x: Any, indices: Any, values: Any, **parameters: Any) -> Any:
    """Write where the primitive writes the numbers of the entries, counted from 1."""
    import jax

    numbers = np.arange(1, np.size(values) + 1, dtype=np.int32).reshape(np.shape(values))
    start = np.zeros(np.shape(x), np.int32)
    landed = jax.lax.scatter(start, indices, numbers, **_where(parameters))
    source = np.asarray(landed, dtype=np.int64) - 1
    return np.where(source >= 0, taken(values, source), x)


def _scatter_add(x: Any, indices: Any, values: Any, **parameters: Any) -> Any:
    """Add to the entries whose numbers, counted from 1, a gradient brings back to each value."""
    import jax

    if np.size(x) >= EXACT_IN_FLOAT32:
        raise NotImplementedError("float32 cannot number so many entries")

    def added_up(v: Any) -> Any:
        start = np.zeros(np.shape(x), np.float32)
        return jax.lax.scatter_add(start, indices, v, **_where(parameters))

    numbers = np.arange(1, np.size(x) + 1, dtype=np.float32).reshape(np.shape(x))
    _, pull = jax.vjp(added_up, np.zeros(np.shape(values), np.float32))
    places = np.asarray(pull(jax.numpy.asarray(numbers))[0]).astype(int) - 1
    if (places < 0).any():
        raise NotImplementedError("indices beyond the end are not replayed")
    return added(x, values, places)


def _where(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a primitive that say where it writes."""
    names = ("dimension_numbers", "indices_are_sorted", "unique_indices", "mode")
    return {name: parameters[name] for name in names}


def _convolution(
    x: Any, w: Any, dimension_numbers: Any, window_strides: Any, padding: Any, lhs_dilation: Any,
    rhs_dilation: Any, feature_group_count: int, batch_group_count: int, **parameters: Any,
) -> Any:  # fmt: skip
    if feature_group_count != 1 or batch_group_count != 1 or any(n != 1 for n in lhs_dilation):
        raise NotImplementedError("a convolution in groups, or a dilated input, is not replayed")
    of_x, of_w, of_y = dimension_numbers
    x, w = np.transpose(x, of_x), np.transpose(w, of_w)
    space = len(window_strides)
    x = np.pad(x, [(0, 0), (0, 0), *map(tuple, padding)]) if np.any(padding) else x
    seen = windows(x, np.shape(w)[2:], window_strides, rhs_dilation)
    places, offsets = "pqr"[:space], "uvw"[:space]
    y = np.einsum(f"nc{places}{offsets},oc{offsets}->no{places}", seen, w)
    return np.transpose(y, tuple(np.argsort(of_y)))


def _same(x: Any, **parameters: Any) -> Any:
    return x


OPERATIONS: dict[str, Operation] = {
    **{
        name: _elementwise(function)
        for name, function in {
            "add": np.add, "add_any": np.add, "sub": np.subtract, "mul": np.multiply,
            "div": np.divide, "neg": np.negative, "pow": np.power, "max": np.maximum,
            "min": np.minimum, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log,
            "log1p": np.log1p, "sqrt": np.sqrt, "cbrt": np.cbrt, "square": np.square,
            "rsqrt": lambda x: np.reciprocal(np.sqrt(x)), "abs": np.abs, "sin": np.sin,
            "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
            "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
            "logistic": special.expit, "erf": special.erf, "erfc": special.erfc,
        }.items()
    },
    "integer_pow": _integer_power, "select_n": _select, "clamp": _clamp,
    "reduce_sum": _reduction(np.sum), "reduce_max": _reduction(np.max),
    "reduce_min": _reduction(np.min), "reduce_prod": _reduction(np.prod),
    "cumsum": _cumulative_sum, "dot_general": _product, "conv_general_dilated": _convolution,
    "transpose": lambda x, permutation, **parameters: np.transpose(x, tuple(permutation)),
    "reshape": _reshape, "broadcast_in_dim": _broadcast, "slice": _slice, "pad": _pad,
    "squeeze": lambda x, dimensions, **parameters: np.squeeze(x, tuple(dimensions)),
    "expand_dims": lambda x, dimensions, **parameters: np.expand_dims(x, tuple(dimensions)),
    "concatenate": lambda *xs, dimension, **parameters: np.concatenate(xs, axis=dimension),
    "rev": lambda x, dimensions, **parameters: np.flip(x, tuple(dimensions)),
    "split": _split, "dynamic_slice": _dynamic_slice, "sort": _sort,
    "dynamic_update_slice": _dynamic_update_slice,
    "convert_element_type": _same, "reduce_precision": _same, "copy": _same, "copy_p": _same,
    "stop_gradient": _same, "optimization_barrier": lambda *xs, **parameters: list(xs),
    "sharding_constraint": _same, "name": _same, "gather": _gather, "scatter": _scatter,
    "scatter-add": _scatter_add, "stack": lambda *xs, axis, **parameters: np.stack(xs, axis=axis),
    "unstack": lambda x, axis, **parameters: list(np.moveaxis(x, axis, 0)),
}  # fmt: skip

# Nowhere do they change with what they are of.
CONSTANTS = frozenset({"sign", "floor", "ceil", "round"})
