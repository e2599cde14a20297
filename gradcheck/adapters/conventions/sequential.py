"""Whole networks: layers in a row, with or without a loss at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.callable_target import Description
from gradcheck.adapters.composition import Link, joined
from gradcheck.adapters.conventions import function_pair, layer, value_and_grad
from gradcheck.adapters.discovery.parameters import stored_output
from gradcheck.adapters.recognition import described
from gradcheck.adapters.signatures.error_hints import Mismatch, odd_one_out
from gradcheck.adapters.signatures.methods import (
    Method,
    Names,
    find_method,
    forward_of,
    is_layer,
    required_names,
)
from gradcheck.adapters.signatures.name_tables import (
    LOSS_NAMES,
    PRIME_NAMES,
    is_target,
)
from gradcheck.state import StateSnapshot
from gradcheck.target import Target

FORM = "a list of layers, a network and its loss"
LOSSES = (layer, function_pair, value_and_grad)

Part = tuple[str, Any, tuple[Any, ...]]


def is_network(thing: Any) -> bool:
    """Whether ``thing`` is a list of layers, an object with such ``layers``, or has a loss too."""
    return _Network.of(thing) is not None


def describe(
    thing: Any, arguments: Sequence[Any], params: Any = None
) -> Description | Target | Mismatch:
    """Return the target of a whole network; given targets too, of its loss.

    A network without a loss that has methods of its own is a layer.
    """
    network = _Network.of(thing)
    if network is None:
        return odd_one_out(FORM, thing)
    if network.loss is None and network.has_methods:
        return layer.describe(network.body, arguments, params)
    kind = "network" if isinstance(network.body, list | tuple) else type(network.body).__name__
    with_loss = network.loss is not None and len(arguments) > 1
    with StateSnapshot([thing, *arguments]).guarded():
        links = network.links(arguments[: 1 if with_loss else None], params)
        if with_loss:
            links.append(network.loss_link(links[-1].target, arguments[1:]))
    return joined(kind, links)


def parts(thing: Any, arguments: Sequence[Any]) -> list[Part]:
    """Return every layer of a network with the activations that really reach it.

    Returns
    -------
    list of (name, layer, inputs)
        Empty where ``thing`` is no network, or its layers are not simply applied in a row.
    """
    network = _Network.of(thing)
    if network is None or not network.layers or not arguments:
        return []
    with StateSnapshot([thing, *arguments]).guarded():
        activation = arguments[0]
        found: list[Part] = []
        for position, part in enumerate(network.layers):
            found.append((f"layers[{position}]", part, (np.array(activation),)))
            try:
                activation = _output(part, activation)
            except Exception:  # noqa: BLE001 (what is no row of layers may raise anything here)
                return []
        if not network.is_row(arguments[0], activation):
            return []
        if network.loss is not None and len(arguments) > 1:
            given = _in_order(network.loss, np.array(activation), arguments[1:])
            found.append(("loss", network.loss, given))
    return found


@dataclass(frozen=True)
class _Network:
    """A network, whatever it was given as.

    Attributes
    ----------
    body
        A list of layers, or an object that is a layer or has some.
    layers
        The layers in a row; empty where they are not known.
    loss
        An object, a pair of functions, a function that returns its gradient; None for none.
    """

    body: Any
    layers: list[Any]
    loss: Any

    @classmethod
    def of(cls, thing: Any) -> _Network | None:
        """Return the network that ``thing`` is, None if it is none."""
        layers = _layers(thing)
        if isinstance(thing, tuple | list) and 2 <= len(thing) <= 3 and _is_body(thing[0]):
            loss = thing[1] if len(thing) == 2 else tuple(thing[1:])
            if _is_loss(loss):
                return cls(thing[0], _layers(thing[0]), loss)
        return cls(thing, layers, _own_loss(thing)) if layers else None

    @property
    def has_methods(self) -> bool:
        """Whether the body has a forward and a backward of its own."""
        return is_layer(self.body) and _takes_one(forward_of(self.body))

    def links(self, arguments: Sequence[Any], params: Any) -> list[Link]:
        """Return the targets of the body, or of its layers at the activations that reach them."""
        if self.has_methods:
            return [Link("", described((layer,), self.body, arguments, params), "")]
        links: list[Link] = []
        given = list(arguments)
        for position, part in enumerate(self.layers):
            target = described((layer,), part, given)
            links.append(Link(f"layers[{position}].", target, _entry(target, given[0])))
            given = [target.call(target.tensors).outputs[0]]
        return links

    def loss_link(self, body: Target, targets: Sequence[Any]) -> Link:
        """Return the target of the loss at the prediction."""
        prediction = body.call(body.tensors).outputs[0]
        target = described(LOSSES, self.loss, _in_order(self.loss, prediction, targets))
        return Link("loss.", target, _entry(target, prediction))

    def is_row(self, x: Any, output: Any) -> bool:
        """Whether the network's own forward is just its layers one after the other."""
        if not self.has_methods:
            return True
        own = _output(self.body, x)
        return np.shape(own) == np.shape(output) and np.allclose(own, output, equal_nan=True)


def _output(part: Any, x: Any) -> Any:
    """Return what a layer makes of ``x``, whether it returns or keeps it, without caches."""
    likeliest = Names.all_of(part)[0]  # of a layer by usual names
    returned = getattr(part, likeliest.forward)(np.array(x))
    if returned is None:
        returned = stored_output(part)
    return returned[0] if isinstance(returned, tuple) else returned


def _layers(thing: Any) -> list[Any]:
    held = thing if isinstance(thing, list | tuple) else getattr(thing, "layers", None)
    if not isinstance(held, list | tuple) or isinstance(thing, type):
        return []
    return list(held) if held and all(map(is_layer, held)) else []


def _is_body(thing: Any) -> bool:
    return bool(_layers(thing)) or (is_layer(thing) and _takes_one(forward_of(thing)))


def _is_loss(thing: Any) -> bool:
    if function_pair.is_pair(thing):
        return True
    if is_layer(thing):
        return not _takes_one(forward_of(thing))
    return value_and_grad.is_function(thing) and len(required_names(thing) or ()) == 2


def _own_loss(thing: Any) -> Any:
    """Return the loss a network keeps: an object, or a function beside its derivative."""
    for name in LOSS_NAMES:
        loss = getattr(thing, name, None)
        if loss is None:
            continue
        if is_layer(loss):
            return loss
        prime = find_method(thing, [f"{name}{ending}" for ending in PRIME_NAMES])
        if callable(loss) and prime is not None:
            return loss, prime
    return None


def _takes_one(forward: Method | None) -> bool:
    return forward is not None and len(required_names(forward) or ()) <= 1


def _in_order(loss: Any, prediction: Any, targets: Sequence[Any]) -> tuple[Any, ...]:
    """Return the arguments of a loss, targets first where that is how they are called."""
    first = loss[0] if isinstance(loss, tuple | list) else loss
    forward = forward_of(first) if is_layer(first) else first
    names = (required_names(forward) if forward is not None else None) or [""]
    return (*targets, prediction) if is_target(names[0]) else (prediction, *targets)


def _entry(target: Target, value: Any) -> str:
    """Return the tensor of ``target`` that is ``value``."""
    return next((name for name, tensor in target.tensors.items() if tensor is value), "")
