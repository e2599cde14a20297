"""The usual ways in which forward and gradients of public code are called."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.field.item import Reading


def layer(
    forward: str = "forward",
    backward: str = "backward",
    values: Callable[[Any], Sequence[np.ndarray]] = lambda thing: (),
    grads: Callable[[Any], Sequence[np.ndarray]] | None = None,
    first: Callable[[Any], Any] = lambda returned: returned,
    rate: float = 0.0,
    more: tuple[Any, ...] = (),
    after: tuple[Any, ...] = (),
) -> Callable[..., Reading]:
    """Read an object whose backward takes the cotangent and returns the input's gradient.

    ``values`` and ``grads`` give its parameters and, after backward, their gradients; with a
    ``rate`` backward descends instead. ``first`` takes the input's gradient out of what backward
    returns, ``more`` and ``after`` are given to forward and backward besides.
    """

    def read(thing: Any, x: np.ndarray, *others: Any) -> Reading:
        def gradients(cotangent: Any) -> Sequence[Any]:
            other = copy.deepcopy(thing)
            getattr(other, forward)(x, *others, *more)
            before = [np.copy(value) for value in values(other)]
            dx = first(getattr(other, backward)(cotangent, *after))
            if rate:
                own = [(a - b) / rate for a, b in zip(before, values(other), strict=True)]
            else:
                own = list(grads(other)) if grads else []
            return [*(dx if isinstance(dx, tuple) else (dx,)), *own]

        inputs = [x, *(a for a in others if isinstance(a, np.ndarray) and a.dtype.kind == "f")]
        count = len(inputs) if first is every else 1
        return Reading(
            lambda: getattr(thing, forward)(x, *others, *more),
            gradients,
            [*inputs[:count], *values(thing)],
        )

    return read


def every(returned: Any) -> Any:
    """Take the gradients of all inputs."""
    return tuple(returned)


def elementwise(
    forward: str | Callable[..., Any] = "",
    backward: str | Callable[..., Any] = "",
    single: bool = False,
) -> Callable[..., Reading]:
    """Read a function and its derivative: methods by their names, or a pair of functions."""

    def read(thing: Any, x: np.ndarray, *others: Any) -> Reading:
        f, g = _both(thing, forward, backward)
        return Reading(lambda: f(x, *others), lambda c: [c * g(x, *others)], [x], single)

    return read


def loss(
    forward: str | Callable[..., Any] = "",
    backward: str | Callable[..., Any] = "",
    at: int = 0,
    remembers: bool = False,
) -> Callable[..., Reading]:
    """Read a scalar function and its gradient by one argument; one that remembers is given none."""

    def read(thing: Any, *inputs: Any) -> Reading:
        f, g = _both(thing, forward, backward)

        def gradients(cotangent: Any) -> Sequence[Any]:
            f(*inputs)
            return [cotangent * g(*(() if remembers else inputs))]

        return Reading(lambda: f(*inputs), gradients, [inputs[at]])

    return read


def value_and_gradient(thing: Callable[..., Any], *inputs: Any) -> Reading:
    """Read a function that returns its value and its gradient by the first argument."""
    return Reading(lambda: thing(*inputs)[0], lambda c: [c * thing(*inputs)[1]], [inputs[0]])


def _both(thing: Any, *names: Any) -> Sequence[Callable[..., Any]]:
    if isinstance(thing, tuple) and not any(names):
        return thing
    return [getattr(thing, name) if isinstance(name, str) else name for name in names]
