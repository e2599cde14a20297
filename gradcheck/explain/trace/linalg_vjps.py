"""What products and other linear algebra record when they are called on traced arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.trace.node import Pull
from gradcheck.explain.trace.traced_array import Rule, Tape, TracedArray, into, strip


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
    of_a, of_b = [n % a.ndim for n in of_a], [n % b.ndim for n in of_b]
    rest_a = [n for n in range(a.ndim) if n not in of_a]
    rest_b = [n for n in range(b.ndim) if n not in of_b]
    size = int(np.prod([a.shape[n] for n in of_a]))
    left = np.reshape(np.transpose(a, rest_a + of_a), (-1, size))
    right = np.reshape(np.transpose(b, of_b + rest_b), (size, -1))
    shape = [a.shape[n] for n in rest_a] + [b.shape[n] for n in rest_b]
    return np.reshape(left @ right, shape)


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
        flipped = np.swapaxes(y, -1, -2)
        return np.asarray(-flipped @ g @ flipped)

    return tape.add("inv", np.linalg.inv(strip(a)), (a,), (pull,))


def _det(tape: Tape, a: Any) -> Any:
    def pull(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.asarray(
            (g * y)[..., None, None] * np.swapaxes(np.linalg.inv(operands[0]), -1, -2)
        )

    return tape.add("det", np.linalg.det(strip(a)), (a,), (pull,))


def _slogdet(tape: Tape, a: Any) -> Any:
    found = np.linalg.slogdet(strip(a))

    def pull(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.asarray(g[..., None, None] * np.swapaxes(np.linalg.inv(operands[0]), -1, -2))

    return type(found)(found.sign, tape.add("slogdet", found.logabsdet, (a,), (pull,)))


def _solve(tape: Tape, a: Any, b: Any) -> Any:
    def to_right(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        return np.asarray(np.linalg.solve(np.swapaxes(operands[0], -1, -2), g))

    def to_matrix(g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        back = to_right(g, operands, y)
        return -np.multiply.outer(back, y) if y.ndim == 1 else -back @ np.swapaxes(y, -1, -2)

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
