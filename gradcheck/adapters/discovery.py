"""Tells parameters from caches, and a loss's backward from a layer's, after one trial run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.binding import CACHE_NAMES, Call
from gradcheck.adapters.parameters import Parameter
from gradcheck.target import Array, is_differentiable


def takes_no_cotangent(wanted: Sequence[str], call: Call) -> bool:
    """Whether a loss's backward takes nothing, or only its own inputs and cache."""
    if not wanted:
        return True
    own = {*call.names, *CACHE_NAMES}
    return all(name in own for name in wanted) or (
        len(wanted) == len(call.inputs) > 1 and not call.has_cache
    )


def is_stable(parameter: Parameter, before: Mapping[int, Any]) -> bool:
    """Whether the value was there before the forward, so that it is no cache of one call."""
    return parameter.declared or "." in parameter.name or _was_there(parameter, before)


def _was_there(parameter: Parameter, before: Mapping[int, Any]) -> bool:
    return parameter.place.is_item or id(parameter.place.get()) in before


def shares(parameter: Parameter, arrays: Sequence[Any]) -> bool:
    """Whether the parameter lies in the memory of an input or output: then it is a cache."""
    value = parameter.place.get()
    return isinstance(value, np.ndarray) and any(
        isinstance(array, np.ndarray) and np.shares_memory(value, array) for array in arrays
    )


def float_attributes(layer: Any) -> dict[str, Any]:
    """Return the attributes that are floating-point numbers or arrays, in order of definition."""
    attributes = getattr(layer, "__dict__", {})
    return {name: value for name, value in attributes.items() if is_differentiable(value)}


def by_shape(candidates: Mapping[str, Array], gradients: Sequence[Any]) -> list[str] | None:
    """Give every returned gradient the attribute of its shape, in the order of definition."""
    left = dict(candidates)
    names = []
    for gradient in gradients:
        shape = np.shape(gradient)
        name = next((name for name, value in left.items() if value.shape == shape), None)
        if name is None:
            return None
        names.append(name)
        del left[name]
    return names
