"""numpy-ml: layers that keep what their forwards leave until it is flushed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from gradcheck.adapters.callable_target import described
from gradcheck.adapters.conventions import layer as layers
from gradcheck.state import StateSnapshot
from gradcheck.target import Target


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a layer of numpy-ml; its activations and losses need no adapter.

    Nor do the recurrent cells, which break when that is flushed.
    """
    layers = any(kind.__module__ == "numpy_ml.neural_nets.layers.layers" for kind in _kinds(thing))
    return layers and not type(thing).__name__.endswith("Cell")


def adapt(layer: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a copy that flushes, before each forward, what the last one left.

    Parameters
    ----------
    layer
        A layer; it creates its parameters at its first forward, the copy therefore has them.
    arguments
        The inputs: arrays, or one list of arrays for the layers that merge several.
    params
        Names of the parameters to check; None for those that have a gradient, which a running
        statistic, kept among the parameters, has not.
    """
    with StateSnapshot([layer, *arguments]).guarded():  # a first forward draws random weights
        twin = copy.deepcopy(layer)
        if not getattr(twin, "is_initialized", True):
            twin.forward(*copy.deepcopy(arguments))
    merges = len(arguments) == 1 and isinstance(arguments[0], list)
    forward = _merging(type(twin).forward) if merges else type(twin).forward
    twin.__class__ = type(
        type(twin).__name__, (type(twin),), {"forward": _flushing(forward), "__slots__": ()}
    )
    given = arguments[0] if merges else arguments
    return described((layers,), twin, given, list(twin.gradients) if params is None else params)


def _kinds(thing: Any) -> tuple[type, ...]:
    return () if isinstance(thing, type) else type(thing).__mro__


def _flushing(forward: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(forward)
    def method(layer: Any, *inputs: Any) -> Any:
        layer.flush_gradients()
        return forward(layer, *inputs)

    return method


def _merging(forward: Callable[..., Any]) -> Callable[..., Any]:
    def method(layer: Any, *inputs: Any) -> Any:
        return forward(layer, list(inputs))

    return method
