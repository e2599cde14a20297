"""numpy-ml: layers that keep what their forwards leave until it is flushed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from gradcheck.adapters.conventions import layer as layers
from gradcheck.adapters.recognition import described
from gradcheck.state import StateSnapshot
from gradcheck.target import Target


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a layer of numpy-ml; its activations and losses need no adapter.

    Nor do the recurrent cells, which break when that is flushed.
    """
    kinds = () if isinstance(thing, type) else type(thing).__mro__
    layers = any(kind.__module__ == "numpy_ml.neural_nets.layers.layers" for kind in kinds)
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
    forward = _flushing(type(twin).forward, merges=merges)
    twin.__class__ = type(type(twin).__name__, (type(twin),), {"forward": forward, "__slots__": ()})
    given = arguments[0] if merges else arguments
    return described((layers,), twin, given, list(twin.gradients) if params is None else params)


def _flushing(forward: Callable[..., Any], *, merges: bool) -> Callable[..., Any]:
    def method(layer: Any, *inputs: Any) -> Any:
        layer.flush_gradients()
        return forward(layer, list(inputs)) if merges else forward(layer, *inputs)

    # a layer that merges takes the inputs of its list one by one
    return method if merges else wraps(forward)(method)
