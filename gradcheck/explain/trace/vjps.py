"""How gradients go back through NumPy's universal functions, products and linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.trace.node import Pull, unbroadcast
from gradcheck.explain.trace.traced_array import Rule, Tape, TracedArray, into, strip
from gradcheck.formulas.elementwise import ELEMENTARY

# Derivative of an elementwise function by one of its operands, from all of them and its value.
Slope = Callable[..., Any]

SLOPES: dict[str, Slope] = {name: function.slope for name, function in ELEMENTARY.items()}

# Functions of two variables, with their derivatives by each.
PAIRS: dict[str, tuple[Slope, Slope]] = {
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
    if name == "matmul":
        return _matmul_left, _matmul_right
    slopes = (SLOPES[name],) if name in SLOPES else PAIRS.get(name)
    return None if slopes is None else tuple(_times(slope, k) for k, slope in enumerate(slopes))


def _times(slope: Slope, k: int) -> Pull:
    return lambda g, operands, y: unbroadcast(g * slope(*operands, y), operands[k].shape)


def _matmul_left(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
    a, b = operands
    if b.ndim == 1:
        return unbroadcast(np.multiply.outer(g, b) if a.ndim > 1 else g * b, a.shape)
    if a.ndim == 1:
        return unbroadcast(np.squeeze(g[..., None, :] @ _turned(b), -2), a.shape)
    return unbroadcast(g @ _turned(b), a.shape)


def _matmul_right(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
    a, b = operands
    if a.ndim == 1:
        return unbroadcast(a[:, None] * g[..., None, :] if b.ndim > 1 else g * a, b.shape)
    if b.ndim == 1:
        return unbroadcast(np.einsum("...i,...ij->...j", g, a), b.shape)
    return unbroadcast(_turned(a) @ g, b.shape)


def _turned(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


def _wrapped(tape: Tape, value: Any) -> TracedArray:
    if isinstance(value, TracedArray):
        return value
    return TracedArray.of(np.asarray(value), tape.node_of(value), tape)


def _dot(tape: Tape, a: Any, b: Any, out: Any = None) -> Any:
    made = a * b if not (np.ndim(a) and np.ndim(b)) else np.matmul(_wrapped(tape, a), b)
    return made if out is None else into(tape, out, made)


def _inner(tape: Tape, a: Any, b: Any) -> Any:
    return _wrapped(tape, a) @ np.swapaxes(b, -1, -2) if np.ndim(b) > 1 else _wrapped(tape, a) @ b


def _vdot(tape: Tape, a: Any, b: Any) -> Any:
    return np.ravel(_wrapped(tape, a)) @ np.ravel(_wrapped(tape, b))


def _outer(tape: Tape, a: Any, b: Any) -> Any:
    return np.ravel(_wrapped(tape, a))[:, None] * np.ravel(_wrapped(tape, b))[None, :]


def _tensordot(tape: Tape, a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = _wrapped(tape, a), _wrapped(tape, b)
    if isinstance(axes, int):
        axes = (list(range(a.ndim - axes, a.ndim)), list(range(axes)))
    of_a, of_b = ([n] if isinstance(n, int) else list(n) for n in axes)
    count = len(of_a)
    left, right = np.moveaxis(a, of_a, range(-count, 0)), np.moveaxis(b, of_b, range(count))
    shape = left.shape[: left.ndim - count] + right.shape[count:]
    size = int(np.prod(right.shape[:count]))
    return np.reshape(np.reshape(left, (-1, size)) @ np.reshape(right, (size, -1)), shape)


def _einsum(tape: Tape, subscripts: str, *operands: Any, **options: Any) -> Any:
    value = np.einsum(subscripts, *(strip(x) for x in operands))
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    if not arrow:
        output = "".join(sorted(c for c in set(inputs) - {","} if inputs.count(c) == 1))
    terms = inputs.split(",")
    if "." in text or any(len(set(term)) < len(term) for term in terms):
        return TracedArray.of(np.asarray(value), None, tape)

    def pull_of(k: int) -> Pull:
        others = [n for n in range(len(terms)) if n != k]

        def pull(g: Array, values: tuple[Array, ...], y: Array) -> Array:
            sizes = dict(zip(terms[k], values[k].shape, strict=True))
            seen = set(output).union(*(terms[n] for n in others))
            alone = [c for c in terms[k] if c not in seen]
            left = ",".join([output, *(terms[n] for n in others), *alone])
            ones = [np.ones(sizes[c]) for c in alone]
            return np.asarray(
                np.einsum(f"{left}->{terms[k]}", g, *(values[n] for n in others), *ones)
            )

        return pull

    return tape.add("einsum", value, operands, tuple(map(pull_of, range(len(terms)))))


def _norm(tape: Tape, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord not in (None, 2, "fro") or (ord == 2 and axis is None and x.ndim > 1):
        return TracedArray.of(np.asarray(np.linalg.norm(strip(x), ord, axis, keepdims)), None, tape)
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def _inv(tape: Tape, a: Any) -> Any:
    def pull(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.asarray(-_turned(y) @ g @ _turned(y))

    return tape.add("inv", np.linalg.inv(strip(a)), (a,), (pull,))


def _det(tape: Tape, a: Any) -> Any:
    def pull(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.asarray((g * y)[..., None, None] * _turned(np.linalg.inv(operands[0])))

    return tape.add("det", np.linalg.det(strip(a)), (a,), (pull,))


def _slogdet(tape: Tape, a: Any) -> Any:
    found = np.linalg.slogdet(strip(a))

    def pull(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.asarray(g[..., None, None] * _turned(np.linalg.inv(operands[0])))

    return type(found)(found.sign, tape.add("slogdet", found.logabsdet, (a,), (pull,)))


def _solve(tape: Tape, a: Any, b: Any) -> Any:
    def to_right(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.asarray(np.linalg.solve(_turned(operands[0]), g))

    def to_matrix(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        back = to_right(g, operands, y)
        return -np.multiply.outer(back, y) if y.ndim == 1 else -back @ _turned(y)

    return tape.add("solve", np.linalg.solve(strip(a), strip(b)), (a, b), (to_matrix, to_right))


# What is recorded for a function, called with the tape and its arguments.
LINEAR_ALGEBRA: dict[Any, Rule] = {
    np.dot: _dot,
    np.inner: _inner,
    np.vdot: _vdot,
    np.outer: _outer,
    np.tensordot: _tensordot,
    np.einsum: _einsum,
    np.linalg.norm: _norm,
    np.linalg.inv: _inv,
    np.linalg.det: _det,
    np.linalg.slogdet: _slogdet,
    np.linalg.solve: _solve,
}
