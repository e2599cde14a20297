"""What only moves entries of PyTorch's tensors, or writes into some, written with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.frameworks.traced.moves import added, moved, taken, written


def swapped(x: Any, a: int = -2, b: int = -1) -> Any:
    """Return a tensor with two axes exchanged, one of a single axis as it is."""
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


def pieces(x: Any, size: Any, dim: int = 0) -> Any:
    """Return the pieces of one size, or of given sizes, along an axis."""
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


def _same(x: Any, *others: Any, **options: Any) -> Any:
    return x


LAYOUT: dict[str, Callable[..., Any]] = {
    "t": swapped, "transpose": swapped, "permute": lambda x, dims: np.transpose(x, tuple(dims)),
    "view": _reshape, "_unsafe_view": _reshape, "reshape": _reshape, "expand": _expand,
    "unsqueeze": lambda x, dim: np.expand_dims(x, dim), "squeeze": _squeeze, "slice": _slice,
    "select": _select, "index": _index, "gather": _gather,
    "index_select": lambda x, dim, index: np.take(x, index, dim),
    "embedding": lambda w, index, *options: w[index], "split": pieces, "split_with_sizes": pieces,
    "unbind": lambda x, dim=0: [_select(x, dim, n) for n in range(np.shape(x)[dim])],
    "cat": lambda xs, dim=0: np.concatenate(xs, axis=dim),
    "stack": lambda xs, dim=0: np.stack(xs, axis=dim),
    "flip": lambda x, dims: np.flip(x, tuple(dims)),
    "roll": lambda x, shifts, dims=None: np.roll(x, tuple(shifts), tuple(dims) if dims else None),
    "repeat": lambda x, times: np.tile(x, tuple(times)), "constant_pad_nd": _pad,
    "unfold": _windows, "diagonal": lambda x, offset=0, a=0, b=1: np.diagonal(x, offset, a, b),
    "tril": lambda x, diagonal=0: np.tril(x, diagonal),
    "triu": lambda x, diagonal=0: np.triu(x, diagonal),
    "where": lambda mask, a, b: np.where(mask, a, b),
    "masked_fill": lambda x, mask, value: np.where(mask, value, x), "index_put": _index_put,
    "scatter": _scatter, "scatter_add": _scatter_add, "index_add": _index_add,
    "index_copy": _index_copy, "index_fill": _index_fill,
    "copy": lambda x, source, *options: np.broadcast_to(source, np.shape(x)),
    "fill": lambda x, value: np.broadcast_to(value, np.shape(x)),
    "zero": lambda x: np.zeros(np.shape(x)), "detach": _same, "alias": _same, "clone": _same,
    "_to_copy": _same, "contiguous": _same, "lift_fresh": _same, "view_as": _same,
}  # fmt: skip
