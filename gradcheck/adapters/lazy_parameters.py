"""Layers that create their parameters at the first forward, when they see the input's size."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from gradcheck.adapters.conventions.sequential import is_network
from gradcheck.adapters.discovery.attributes import array_attributes, objects_in
from gradcheck.adapters.signatures.methods import forward_of, is_layer, required_names
from gradcheck.state import StateSnapshot

CONTAINERS = frozenset({"params", "parameters", "weights"})
PARAMETERS = frozenset({"w", "b", "weight", "weights", "bias", "kernel", "gamma", "beta", "scale"})


def initialized(thing: Any, arguments: Sequence[Any]) -> Any:
    """Return a copy of a layer that has seen the input once; ``thing`` itself if it is no such one.

    What the first forward creates and the second keeps is a parameter; what both create is a
    cache. The original stays as it is.
    """
    if not lacks_parameters(thing):
        return thing
    with StateSnapshot([thing, *arguments]).guarded():  # a first forward draws random weights
        return _run_once(thing, arguments)


def lacks_parameters(thing: Any) -> bool:
    """Whether ``thing`` is a layer or a network, and a parameter in it is still None.

    Or it is a layer that keeps no array yet: the first forward may make some.
    """
    in_row = is_network(thing)
    if not (in_row or is_layer(thing)):
        return False
    empty = not in_row and all(attribute.array is None for attribute in array_attributes(thing))
    return empty or any(value is None for _, value in _kept(thing))


def _run_once(thing: Any, arguments: Sequence[Any]) -> Any:
    try:
        twin = copy.deepcopy(thing)
    except Exception:  # noqa: BLE001 (whatever a user's __deepcopy__ raises means: no)
        return thing
    before = {accessor for accessor, value in _kept(twin) if value is not None}
    try:
        _run(twin, arguments)
        first = dict(_kept(twin))
        _run(twin, arguments)
    except Exception:  # noqa: BLE001 (what is wrong with the call is said where it is checked)
        return thing
    second = dict(_kept(twin))
    created = (
        isinstance(value, np.ndarray) and value is second.get(place)
        for place, value in first.items()
        if place not in before
    )
    return twin if any(created) else thing


def _run(thing: Any, arguments: Sequence[Any]) -> None:
    """Run the forward of a layer, or of the layers of a network one after the other."""
    inputs = copy.deepcopy(list(arguments))
    forward = forward_of(thing)
    if forward is not None:
        forward(*inputs[: len(required_names(forward) or inputs)])
        return
    output = inputs[0]
    for part in thing if isinstance(thing, list | tuple) else thing.layers:
        step = forward_of(part)
        output = step(output) if step is not None else output


def _kept(thing: Any) -> Iterator[tuple[tuple[int, str], Any]]:
    """Yield what layers keep where people keep parameters, each with its owner and name."""
    roots = thing if isinstance(thing, list | tuple) else [thing]
    for _, name, part in chain.from_iterable(map(objects_in, roots)):
        if name and not is_layer(part):
            continue
        for name, value in getattr(part, "__dict__", {}).items():
            if name.lower().strip("_") in PARAMETERS:
                yield (id(part), name), value
            if name.strip("_") in CONTAINERS and isinstance(value, Mapping):
                yield from (((id(part), f"{name}.{key}"), item) for key, item in value.items())
