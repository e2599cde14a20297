"""Layers that create their parameters at the first forward, when they see the input's size."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.conventions import activation, sequential
from gradcheck.adapters.conventions import layer as layers_adapter
from gradcheck.adapters.discovery.attributes import slots
from gradcheck.adapters.signatures.gradient_alignment import required_names
from gradcheck.adapters.signatures.methods import forward_of
from gradcheck.state import StateSnapshot
from gradcheck.target import Target

CONTAINERS = frozenset({"params", "parameters", "weights"})
PARAMETERS = frozenset({"w", "b", "weight", "weights", "bias", "kernel", "gamma", "beta", "scale"})


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a layer or a network, and a parameter in it is still None.

    Or it is a layer that keeps no array yet: the first forward may make some.
    """
    in_row = sequential.matches(thing)
    if not (in_row or layers_adapter.matches(thing)):
        return False
    empty = not in_row and all(slot.array is None for slot in slots(thing))
    return empty or any(value is None for _, value in _slots(thing, set()))


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a copy that has seen the input once; the original stays as it is.

    What the first forward creates and the second keeps is a parameter; what both create is a
    cache. A layer that is no such one after all is adapted as any other.
    """
    with StateSnapshot([thing, *arguments]).guarded():  # a first forward draws random weights
        twin = _initialized(thing, arguments)
    subject = thing if twin is None else twin
    if sequential.matches(subject):
        return sequential.adapt(subject, arguments, params)
    if activation.matches(subject):
        return activation.adapt(subject, arguments, params)
    return layers_adapter.adapt(subject, arguments, params)


def _initialized(thing: Any, arguments: Sequence[Any]) -> Any:
    """Return a copy that has its parameters; None where that makes no difference."""
    try:
        twin = copy.deepcopy(thing)
    except Exception:  # noqa: BLE001 (whatever a stranger's __deepcopy__ raises means: no)
        return None
    before = {place for place, value in _slots(twin, set()) if value is not None}
    try:
        _run(twin, arguments)
        first = dict(_slots(twin, set()))
        _run(twin, arguments)
    except Exception:  # noqa: BLE001 (what is wrong with the call is told where it is made)
        return None
    second = dict(_slots(twin, set()))
    made = {place: value for place, value in first.items() if place not in before}
    created = (
        isinstance(value, np.ndarray) and value is second.get(p) for p, value in made.items()
    )
    return twin if any(created) else None


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


def _slots(thing: Any, seen: set[int]) -> Iterator[tuple[tuple[int, str], Any]]:
    """Yield what layers keep where people keep parameters, each with its owner and name."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, list | tuple):
        for part in filter(layers_adapter.matches, thing):
            yield from _slots(part, seen)
        return
    for name, value in getattr(thing, "__dict__", {}).items():
        if name.lower().strip("_") in PARAMETERS:
            yield (id(thing), name), value
        if name.strip("_") in CONTAINERS and isinstance(value, Mapping):
            yield from (((id(thing), f"{name}.{key}"), item) for key, item in value.items())
        if isinstance(value, list | tuple) or layers_adapter.matches(value):
            yield from _slots(value, seen)
