"""The ways in which people call their optimisers, each as one run from given parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.function_under_test import call

METHODS = ("step", "update", "apply", "apply_gradients", "update_params", "__call__")

# What is passed on as the learning rate, and what counts the steps.
RATE = 0.01
RATES = ("lr", "learning_rate", "rate", "eta", "alpha", "step_size", "learningrate")
COUNTERS = ("t", "step", "i", "iteration", "epoch", "n")

# How the attributes of parameters and of a layer, and those of their gradients, are called.
VALUES = (("data", "grad"), ("value", "grad"))
LAYERS = (
    (("weights", "dweights"), ("biases", "dbiases")),
    (("W", "dW"), ("b", "db")),
    (("w", "dw"), ("b", "db")),
    (("weights", "grad_weights"), ("bias", "grad_bias")),
)


# Takes gradients, and whether dicts are to be turned around; makes a step of a fresh optimiser and
# returns the parameters, and the gradients as they are after it.
Step = Callable[[list[Array], bool], tuple[list[Any], list[Any]]]

# From what makes the optimiser, and where the parameters begin; the arrays may be changed.
Begin = Callable[[Callable[..., Any], list[Array]], Step]


def ways(*, of_params: bool) -> Iterator[tuple[str, str, Begin]]:
    """Yield how the call is written, what holds the parameters, and how a run begins.

    Of optimisers that are made from their parameters where ``of_params``, else of the others.
    """
    for method in METHODS:
        taken = "grads" if of_params else "params, grads"
        for held, pack, unpack in CONTAINERS:
            yield f"{method}({taken})", held, partial(_packed, of_params, method, pack, unpack)
        if of_params:
            for value, grad in VALUES:
                held = f"parameters with {value} and {grad}"
                yield f"{method}()", held, partial(_owning, method, value, grad)
        else:
            for names in LAYERS:
                held = "layers with " + ", ".join(name for pair in names for name in pair)
                yield f"{method}(layer)", held, partial(_layers, method, names)


def _packed(
    of_params: bool,
    method: str,
    pack: Any,
    unpack: Any,
    make: Callable[..., Any],
    start: list[Array],
) -> Step:
    """``step(params, grads)``, or ``step(grads)`` of an optimiser made from its parameters.

    It changes the parameters in place or returns new ones.
    """
    held, number, state = pack(start), 0, None
    fn = _bound(call(make, held) if of_params else make(), method)

    def step(grads: list[Array], turned: bool) -> tuple[list[Any], list[Any]]:
        nonlocal held, number, state
        number += 1
        sent = _named_as_gradients(held, pack(grads))
        if of_params:
            result = call(fn, sent)
        else:
            if turned and isinstance(held, dict):
                held, sent = (dict(reversed(pack.items())) for pack in (held, sent))
            result = call(fn, held, sent, *_more(fn, number, state))
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict):
            result, state = result
        params = unpack(held if result is None else result)
        held = held if of_params else pack([np.asarray(value) for value in params])
        return [np.array(value) for value in params], unpack(_named_as_values(sent))

    return step


def _more(fn: Callable[..., Any], number: int, state: Any) -> list[Any]:
    """Return what is asked for beyond parameters and gradients: a rate, a counter, a state."""
    try:
        parameters = list(inspect.signature(fn).parameters.values())[2:]
    except (TypeError, ValueError):  # some builtins tell no signature
        return []
    more: list[Any] = []
    for parameter in parameters:
        name = parameter.name.lower()
        if name in ("config", "state", "cache") and state is not None:
            more.append(state)
        elif parameter.default is not parameter.empty or parameter.kind in UNNAMED:
            break
        elif name in RATES:
            more.append(RATE)
        elif name in COUNTERS:
            more.append(number)
    return more


UNNAMED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _owning(
    method: str, value: str, grad: str, make: Callable[..., Any], start: list[Array]
) -> Step:
    """An optimiser made from parameters that keep their gradients, and ``step()``."""
    params = [SimpleNamespace(**{value: p, grad: np.zeros_like(p)}) for p in start]
    fn = _bound(call(make, params), method)

    def step(grads: list[Array], turned: bool) -> tuple[list[Any], list[Any]]:
        for param, gradient in zip(params, grads, strict=True):
            setattr(param, grad, gradient)
        call(fn)
        return [np.array(getattr(param, value)) for param in params], grads

    return step


def _layers(
    method: str,
    names: Sequence[tuple[str, str]],
    make: Callable[..., Any],
    start: list[Array],
) -> Step:
    """``update_params(layer)``: each tensor is the weights of a layer; the biases have none."""
    optimizer, ((weights, slope), (bias, its_slope)) = make(), names
    layers = [
        SimpleNamespace(**{weights: p, bias: np.zeros(1), its_slope: np.zeros(1)}) for p in start
    ]

    def announce(name: str) -> None:
        if callable(announced := getattr(optimizer, name, None)):
            call(announced)

    def step(grads: list[Array], turned: bool) -> tuple[list[Any], list[Any]]:
        announce("pre_update_params")
        for layer, gradient in zip(layers, grads, strict=True):
            setattr(layer, slope, gradient)
            call(_bound(optimizer, method), layer)
        announce("post_update_params")
        return [np.array(getattr(layer, weights)) for layer in layers], grads

    return step


def _bound(optimizer: Any, method: str) -> Any:
    """Return a method; of a function, itself, as its ``__call__`` has no signature."""
    return optimizer if method == "__call__" else getattr(optimizer, method)


def _as_dict(values: Sequence[Array]) -> dict[str, Array]:
    return {f"p{i}": value for i, value in enumerate(values)}


def _as_layers(values: Sequence[Array]) -> dict[str, Array]:
    """Name arrays W1, W2 ... and give each a bias."""
    named = enumerate(values, start=1)
    return {f"{kind}{i}": v for i, p in named for kind, v in (("W", p), ("b", np.zeros(1)))}


def _named_as_gradients(params: Any, grads: Any) -> Any:
    """Name gradients dW1 where parameters are named W1."""
    layers = isinstance(params, dict) and "W1" in params
    return {f"d{name}": value for name, value in grads.items()} if layers else grads


def _named_as_values(grads: Any) -> Any:
    layers = isinstance(grads, dict) and "dW1" in grads
    return {name[1:]: value for name, value in grads.items()} if layers else grads


def _of_layers(made: dict[str, Array]) -> list[Array]:
    return [made[name] for name in sorted(made) if name.startswith("W")]


CONTAINERS: tuple[tuple[str, Any, Any], ...] = (
    ("a list", list, list),
    ("a dict", _as_dict, lambda made: [made[name] for name in sorted(made)]),
    ("one array", lambda values: values[0], lambda made: [made]),
    ("a dict of W1, b1 and dW1, db1", _as_layers, _of_layers),
)
