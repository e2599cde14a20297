"""Whole networks: layers in a row, with or without a loss at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters import layer as layers_adapter
from gradcheck.adapters.binding import Call, call_backward
from gradcheck.adapters.inputs import Inputs
from gradcheck.memory import Memory
from gradcheck.target import Target, as_outputs

LOSS_NAMES = ("loss", "loss_fn", "loss_function", "criterion", "cost")

Part = tuple[str, Any, tuple[Any, ...]]


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a list of layers, or an object with one as its ``layers``."""
    return bool(_layers(thing))


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of the whole network; given targets too, of its loss."""
    loss = _loss(thing)
    if loss is not None and len(arguments) > 1:
        return _named(layers_adapter.adapt(_WithLoss(thing, loss), arguments, params), thing)
    if layers_adapter.matches(thing):
        return layers_adapter.adapt(thing, arguments, params)
    return _named(layers_adapter.adapt(_Chain(thing), arguments, params), thing)


def parts(thing: Any, arguments: Sequence[Any]) -> list[Part]:
    """Return every layer of a network with the activations that really reach it.

    Returns
    -------
    list of (name, layer, inputs)
        Empty where ``thing`` is no network, or its layers are not simply applied in a row.
    """
    layers = _layers(thing)
    if not layers or not arguments:
        return []
    with Memory([thing, *arguments]).guarded():
        activation = arguments[0]
        found: list[Part] = []
        for position, part in enumerate(layers):
            found.append((f"layers[{position}]", part, (np.array(activation),)))
            activation = _forward(part)(np.array(activation))
        if not _is_row(thing, arguments[0], activation):
            return []
        loss = _loss(thing)
        if loss is not None and len(arguments) > 1:
            found.append(("loss", loss, (np.array(activation), *arguments[1:])))
    return found


def _layers(thing: Any) -> list[Any]:
    held = thing if isinstance(thing, list | tuple) else getattr(thing, "layers", None)
    if not isinstance(held, list | tuple) or isinstance(thing, type):
        return []
    return list(held) if held and all(map(layers_adapter.matches, held)) else []


def _loss(thing: Any) -> Any:
    for name in LOSS_NAMES:
        loss = getattr(thing, name, None)
        if loss is not None and layers_adapter.matches(loss):
            return loss
    return None


def _is_row(thing: Any, x: Any, output: Any) -> bool:
    """Whether the network's own forward is just its layers one after the other."""
    if not layers_adapter.matches(thing):
        return True
    own = _forward(thing)(np.array(x))
    return np.shape(own) == np.shape(output) and np.allclose(own, output, equal_nan=True)


def _forward(part: Any) -> Callable[..., Any]:
    return layers_adapter.method_of(part, layers_adapter.FORWARD_NAMES)


def _backward(part: Any) -> Callable[..., Any]:
    return layers_adapter.method_of(part, layers_adapter.BACKWARD_NAMES)


def _named(target: Target, thing: Any) -> Target:
    kind = "network" if isinstance(thing, list | tuple) else type(thing).__name__
    target.name = f"{kind}({target.name.partition('(')[2]}"
    return target


class _Chain:
    """The layers one after the other, with the network's own methods where it has them."""

    def __init__(self, thing: Any) -> None:
        self.layers = _layers(thing)  # first, so that parameters are called layers[0].W
        self._whole = thing if layers_adapter.matches(thing) else None

    def forward(self, x: Any) -> Any:
        """Return the output of the last layer."""
        if self._whole is not None:
            return _forward(self._whole)(x)
        for part in self.layers:
            x = _forward(part)(x)
        return x

    def backward(self, grad: Any) -> Any:
        """Return the gradient of the input."""
        if self._whole is not None:
            return _backward(self._whole)(grad)
        for part in reversed(self.layers):
            grad = _backward(part)(grad)
        return grad


class _WithLoss:
    """A network and its loss: one number from an input and its target."""

    def __init__(self, thing: Any, loss: Any) -> None:
        self.layers = _layers(thing)
        self._chain = _Chain(thing)
        self._loss = loss
        self._call: Call | None = None

    def forward(self, x: Any, target: Any) -> Any:
        """Return the loss."""
        prediction = self._chain.forward(x)
        value = _forward(self._loss)(prediction, target)
        names = Inputs.of(_forward(self._loss), (prediction, target)).names
        self._call = Call((prediction, target), names, as_outputs(value), value, np.float64(1))
        return value

    def backward(self) -> Any:
        """Return the gradient of the input."""
        if self._call is None:
            raise RuntimeError("backward was called before forward")
        gradient = call_backward(_backward(self._loss), self._call)
        first = gradient[0] if isinstance(gradient, tuple | list) else gradient
        return self._chain.backward(first)
