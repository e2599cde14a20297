"""The ways in which people call their optimisers, each as one run from given parameters."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
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


class OptimizerRun(ABC):
    """A fresh optimiser and the parameters that it moves.

    Parameters
    ----------
    make
        Makes the optimiser: from nothing, or from the parameters where it keeps them.
    start
        Where the parameters begin; the arrays may be changed.
    """

    @abstractmethod
    def __init__(self, make: Callable[..., Any], start: list[Array]) -> None: ...

    @abstractmethod
    def step(self, grads: list[Array], *, turned: bool = False) -> tuple[list[Any], list[Any]]:
        """Make a step; return the parameters, and the gradients as they are after it."""


Begin = Callable[[Callable[..., Any], list[Array]], OptimizerRun]


def ways(*, of_params: bool) -> Iterator[tuple[str, str, Begin]]:
    """Yield how the call is written, what holds the parameters, and how a run begins.

    Parameters
    ----------
    of_params
        Whether the optimiser is made from its parameters.
    """
    for method in METHODS:
        for held, pack, unpack in CONTAINERS:
            if of_params:
                yield f"{method}(grads)", held, _begin(_Keeping, method, pack, unpack)
            else:
                yield f"{method}(params, grads)", held, _begin(_Given, method, pack, unpack)
        if of_params:
            for value, grad in VALUES:
                held = f"parameters with {value} and {grad}"
                yield f"{method}()", held, _begin(_Owning, method, value, grad)
        else:
            for names in LAYERS:
                yield f"{method}(layer)", _told(names), _begin(_Layers, method, names)


def _begin(kind: Callable[..., OptimizerRun], *how: Any) -> Begin:
    return lambda make, start: kind(make, start, *how)


def _told(names: Sequence[tuple[str, str]]) -> str:
    return "layers with " + ", ".join(name for pair in names for name in pair)


class _Given(OptimizerRun):
    """``step(params, grads)``, which changes the parameters in place or returns new ones."""

    def __init__(
        self, make: Callable[..., Any], start: list[Array], method: str, pack: Any, unpack: Any
    ) -> None:
        self.call = _bound(make(), method)
        self.params, self.pack, self.unpack = start, pack, unpack
        self.number, self.state = 0, None

    def step(self, grads: list[Array], *, turned: bool = False) -> tuple[list[Any], list[Any]]:
        self.number += 1
        handed, sent = self.pack(self.params), self.pack(grads)
        sent = _named_as_gradients(handed, sent)
        if turned and isinstance(handed, dict):
            handed, sent = (dict(reversed(pack.items())) for pack in (handed, sent))
        result = call(self.call, handed, sent, *self._more())
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict):
            result, self.state = result
        self.params = [np.asarray(v) for v in self.unpack(handed if result is None else result)]
        return self.params, self.unpack(_named_as_values(sent))

    def _more(self) -> list[Any]:
        """Return what is asked for beyond parameters and gradients: a rate, a counter, a state."""
        try:
            parameters = list(inspect.signature(self.call).parameters.values())[2:]
        except (TypeError, ValueError):  # some builtins tell no signature
            return []
        more: list[Any] = []
        for parameter in parameters:
            name = parameter.name.lower()
            if name in ("config", "state", "cache") and self.state is not None:
                more.append(self.state)
            elif parameter.default is not parameter.empty or parameter.kind in UNNAMED:
                break
            elif name in RATES:
                more.append(RATE)
            elif name in COUNTERS:
                more.append(self.number)
        return more


UNNAMED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class _Keeping(OptimizerRun):
    """An optimiser made from its parameters, and ``step(grads)``."""

    def __init__(
        self, make: Callable[..., Any], start: list[Array], method: str, pack: Any, unpack: Any
    ) -> None:
        self.held, self.pack, self.unpack = pack(start), pack, unpack
        self.call = _bound(call(make, self.held), method)

    def step(self, grads: list[Array], *, turned: bool = False) -> tuple[list[Any], list[Any]]:
        sent = _named_as_gradients(self.held, self.pack(grads))
        result = call(self.call, sent)
        params = self.unpack(self.held if result is None else result)
        return [np.array(value) for value in params], self.unpack(_named_as_values(sent))


class _Owning(OptimizerRun):
    """An optimiser made from parameters that keep their gradients, and ``step()``."""

    def __init__(
        self, make: Callable[..., Any], start: list[Array], method: str, value: str, grad: str
    ) -> None:
        self.value, self.grad = value, grad
        self.params = [SimpleNamespace(**{value: p, grad: np.zeros_like(p)}) for p in start]
        self.call = _bound(call(make, self.params), method)

    def step(self, grads: list[Array], *, turned: bool = False) -> tuple[list[Any], list[Any]]:
        for param, gradient in zip(self.params, grads, strict=True):
            setattr(param, self.grad, gradient)
        call(self.call)
        return [np.array(getattr(param, self.value)) for param in self.params], grads


class _Layers(OptimizerRun):
    """``update_params(layer)``: each tensor is the weights of a layer; the biases have none."""

    def __init__(
        self,
        make: Callable[..., Any],
        start: list[Array],
        method: str,
        names: Sequence[tuple[str, str]],
    ) -> None:
        self.optimizer, self.method = make(), method
        ((self.weights, self.slope), (bias, its_slope)) = names
        self.layers = [
            SimpleNamespace(**{self.weights: p, bias: np.zeros(1), its_slope: np.zeros(1)})
            for p in start
        ]

    def step(self, grads: list[Array], *, turned: bool = False) -> tuple[list[Any], list[Any]]:
        self._announce("pre_update_params")
        for layer, gradient in zip(self.layers, grads, strict=True):
            setattr(layer, self.slope, gradient)
            call(_bound(self.optimizer, self.method), layer)
        self._announce("post_update_params")
        return [np.array(getattr(layer, self.weights)) for layer in self.layers], grads

    def _announce(self, method: str) -> None:
        announced = getattr(self.optimizer, method, None)
        if callable(announced):
            call(announced)


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
