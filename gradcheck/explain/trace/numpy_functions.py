"""What NumPy's functions record when they are called on traced arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.trace.node import Pull, Scatter, unbroadcast
from gradcheck.explain.trace.traced_array import Rule, Tape, TracedArray, into, strip
from gradcheck.explain.trace.vjps import LINEAR_ALGEBRA, pulls_of

# What only moves entries: where each came from is seen by moving their numbers.
MOVES = (
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze,
    np.expand_dims, np.broadcast_to, np.concatenate, np.stack, np.vstack, np.hstack, np.dstack,
    np.column_stack, np.pad, np.roll, np.flip, np.fliplr, np.flipud, np.rot90, np.take,
    np.take_along_axis, np.repeat, np.tile, np.split, np.array_split, np.hsplit, np.vsplit,
    np.diag, np.diagonal, np.tril, np.triu, np.where, np.copy, np.atleast_1d, np.atleast_2d,
    np.atleast_3d, np.delete, np.append, np.broadcast_arrays,
)  # fmt: skip

# What numpy makes of universal functions and methods that are recorded themselves.
COMPOSED = (
    np.sum, np.mean, np.var, np.std, np.prod, np.max, np.min, np.amax, np.amin, np.average,
    np.ptp, np.linalg.multi_dot,
)  # fmt: skip


def apply_function(tape: Tape, function: Any, args: Any, kwargs: Any) -> tuple[bool, Any]:
    """Record a call; (False, None) where numpy's own implementation records its steps."""
    if function in RULES:
        return True, RULES[function](tape, *args, **kwargs)
    if function in MOVES:
        return True, move(tape, function, args, kwargs)
    if function in COMPOSED:
        return False, None
    plain = {key: strip(value) for key, value in kwargs.items()}
    return True, function(*(strip(arg) for arg in args), **plain)


def apply_ufunc(tape: Tape, ufunc: Any, method: str, inputs: Any, options: dict[str, Any]) -> Any:
    """Record a call of a universal function, or of its ``reduce`` and the like."""
    out = options.pop("out", None)
    plain = [strip(value) for value in inputs]
    if method == "at":
        return _at(tape, ufunc, inputs)
    value, name = getattr(ufunc, method)(*plain, **options), ufunc.__name__
    traceable = getattr(value, "dtype", np.dtype(object)).kind == "f"
    pulls: tuple[Pull, ...] | None = None
    if method == "outer" and isinstance(inputs[0], np.ndarray):
        inputs = [inputs[0][(..., *[None] * np.ndim(inputs[1]))], inputs[1]]
    if traceable and options.get("where", True) is True:
        if method in ("__call__", "outer"):
            pulls = pulls_of(name)
        elif method == "reduce":
            pulls, name = _reduction(name, np.shape(plain[0]), options), f"{name} over axis"
    if pulls is not None:
        made = tape.add(name, value, tuple(inputs), pulls)
    else:
        made = TracedArray.of(np.asarray(value), None, tape) if traceable else value
    return into(tape, out[0], made) if out and out[0] is not None else made


def _reduction(name: str, shape: tuple[int, ...], options: dict[str, Any]) -> tuple[Pull] | None:
    axis, ndim = options.get("axis", 0), len(shape)
    chosen = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(a % ndim for a in chosen) if ndim else ()

    def wide(g: Array) -> Array:
        return g if options.get("keepdims") else np.expand_dims(g, axes)

    def total(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.broadcast_to(wide(g), shape)

    def extreme(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        winners = operands[0] == wide(y)
        return np.asarray(wide(g) * winners / winners.sum(axis=axes, keepdims=True))

    def product(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.asarray(wide(g * y) / operands[0])

    known: dict[str, Pull] = {
        "add": total, "maximum": extreme, "minimum": extreme, "multiply": product,
    }  # fmt: skip
    return (known[name],) if name in known else None


def _at(tape: Tape, ufunc: Any, inputs: Any) -> None:
    """Record np.add.at(x, index, values)."""
    target, index = inputs[0], strip(inputs[1])
    values = inputs[2] if len(inputs) > 2 else 0.0
    if not isinstance(target, TracedArray):
        ufunc.at(target, index, strip(values))
        return
    before = TracedArray.of(strip(target).copy(), target.node, tape)
    ufunc.at(strip(target), index, strip(values))
    shape = np.shape(strip(values))

    def to_values(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return unbroadcast(g[index], shape)

    known = ufunc.__name__ == "add"
    pulls: tuple[Pull, ...] = (lambda g, operands, y: g, to_values)
    made = tape.add("add.at", strip(target), (before, values), pulls)
    target.node = made.node if known else None


def move(tape: Tape, function: Any, args: Any, kwargs: Any) -> Any:
    """Record a rearrangement, having seen from numbered entries where each went."""
    sources: list[TracedArray] = []
    values = function(*(strip(arg) for arg in args), **{k: strip(v) for k, v in kwargs.items()})
    numbered = [
        _numbered(arg, sources, function is np.where and n > 0) for n, arg in enumerate(args)
    ]
    options = {k: _numbered(v, sources, k == "constant_values") for k, v in kwargs.items()}
    places = function(*numbered, **options)
    if isinstance(values, list | tuple):
        moved = [_moved(tape, v, p, sources, function) for v, p in zip(values, places, strict=True)]
        return type(values)(moved)
    return _moved(tape, values, places, sources, function)


def _numbered(value: Any, sources: list[TracedArray], filler: bool) -> Any:
    """Return the numbers of a traced array's entries, from 1; 0 for all that is no such entry."""
    if isinstance(value, TracedArray) and value.dtype.kind == "f":
        start = 1 + sum(source.size for source in sources)
        sources.append(value)
        return np.arange(start, start + value.size).reshape(value.shape)
    if isinstance(value, list | tuple) and not filler:
        return type(value)(_numbered(part, sources, filler) for part in value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.zeros(value.shape, dtype=np.int64)
    if filler or isinstance(value, float):
        return np.zeros(np.shape(value), dtype=np.int64)
    return strip(value)


def _moved(tape: Tape, value: Any, places: Any, sources: list[TracedArray], function: Any) -> Any:
    pulls: list[Pull] = []
    start = 1
    places = np.asarray(places)
    for source in sources:
        own = (places >= start) & (places < start + source.size)
        pulls.append(Scatter(np.where(own, places - start, -1), source.shape))
        start += source.size
    return tape.add(function.__name__, value, tuple(sources), tuple(pulls))


def _clip(
    tape: Tape, a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **named: Any
) -> Any:
    low, high = named.get("min", a_min), named.get("max", a_max)
    made = a if low is None else np.maximum(a, low)
    made = made if high is None else np.minimum(made, high)
    return made if out is None else into(tape, out, made)


def _cumsum(tape: Tape, a: Any, axis: Any = None, **options: Any) -> Any:
    flat = np.ravel(a) if axis is None else a
    along = 0 if axis is None else axis

    def pull(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.flip(np.cumsum(np.flip(g, along), along), along)

    return tape.add("cumsum", np.cumsum(strip(flat), along), (flat,), (pull,))


def _copyto(tape: Tape, dst: Any, src: Any, **options: Any) -> None:
    whole = isinstance(src, TracedArray) and src.node is not None and dst.shape == src.shape
    if isinstance(dst, TracedArray) and (options or not whole):
        dst[...] = np.where(options["where"], src, dst) if "where" in options else src
        return
    np.copyto(strip(dst), strip(src), **options)
    if whole and isinstance(dst, TracedArray):
        dst.node = src.node
    elif whole:
        tape.aliases.insert(0, (dst, src.node))


def _like(function: Any) -> Rule:
    def made(tape: Tape, a: Any, *args: Any, **options: Any) -> Any:
        value = function(strip(a), *(strip(x) for x in args), **{**options, "subok": False})
        return TracedArray.of(value, None, tape) if value.dtype.kind == "f" else value

    return made


# What is recorded for a function, called with the tape and its arguments.
RULES: dict[Any, Rule] = {
    **LINEAR_ALGEBRA,
    np.clip: _clip,
    np.cumsum: _cumsum,
    np.copyto: _copyto,
    **{made: _like(made) for made in (np.zeros_like, np.ones_like, np.empty_like, np.full_like)},
}
