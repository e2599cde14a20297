"""The model behind a prediction function: itself, the owner of the method, or what it uses."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any


def behind(predict: Any) -> Iterator[Any]:
    """Yield a function, its owner, and what it refers to, where a model may be found.

    Functions that it calls are looked into as well where they stand in its own module.
    """
    functions, met = [predict], set()
    while functions:
        function = functions.pop(0)
        if id(function) in met:
            continue
        met.add(id(function))
        yield function
        if hasattr(function, "__self__"):
            yield function.__self__
            yield from attributes(function.__self__).values()
        if hasattr(function, "func"):  # functools.partial
            functions.append(function.func)
            yield from function.args
        for thing in variables(function).values():
            yield thing
            yield getattr(thing, "__self__", None)
            if inspect.isfunction(thing) and thing.__module__ == function.__module__:
                functions.append(thing)


def variables(predict: Any) -> dict[str, Any]:
    """Return what a function takes from outside, by name; nothing of what is no function."""
    function = getattr(predict, "__func__", predict)
    if not inspect.isfunction(function):
        return {}
    used = inspect.getclosurevars(function)
    return {**used.globals, **used.nonlocals}


def attributes(thing: Any) -> dict[str, Any]:
    """Return what an object keeps, by name; nothing of what keeps nothing."""
    return dict(getattr(thing, "__dict__", {}))


def model_of(predict: Any) -> Any:
    """Return the first object behind a prediction function that shows its layers, or None."""
    return next((thing for thing in behind(predict) if _shows_layers(thing)), None)


def _shows_layers(thing: Any) -> bool:
    """Whether the layers of this object can be looked into."""
    if inspect.isclass(thing) or inspect.ismodule(thing):
        return False
    return is_torch(thing) or bool(list_of_layers(thing))


def is_torch(thing: Any) -> bool:
    """Return whether this is a module of torch, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(thing, torch.nn.Module)


def in_training(model: Any) -> bool:
    """Return whether a module of torch is in training mode; others may see to it in predict."""
    return is_torch(model) and bool(model.training)


def list_of_layers(thing: Any) -> list[Any]:
    """Return the layers of a model that holds them in a list, an empty list of any other."""
    layers = getattr(thing, "layers", None)
    if not isinstance(layers, (list, tuple)):
        return []
    return list(layers) if all(call_of(layer) is not None for layer in layers) else []


def call_of(layer: Any) -> Any:
    """Return how a layer is asked: by ``forward``, or called; None where it cannot be."""
    return getattr(layer, "forward", None) or (layer if callable(layer) else None)
