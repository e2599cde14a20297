"""Derivatives in forward mode: pairs ``(f, jvp)`` of large arrays, and a ``jvp`` beside a backward.

Of a large array the derivative along random directions stands for that along all axes: a wrong
linear map is right along one of them with probability zero. Small arrays are read as any pair is.
Where a backward and a ``jvp`` agree with the numbers, <v, J u> = <J* v, u>: each is judged alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.callable_target import Description
from gradcheck.adapters.conventions import function_pair
from gradcheck.adapters.signatures.error_hints import Mismatch
from gradcheck.adapters.signatures.methods import (
    forward_of,
    input_names,
    name_of,
    required_names,
)
from gradcheck.adapters.signatures.name_tables import is_forward_mode, is_tangent
from gradcheck.adapters.signatures.readings import MOST_CALLS
from gradcheck.numerics.directions import STAND_INS, in_place_of_axes
from gradcheck.values import is_differentiable

FORM = "a pair (f, jvp), with jvp(x, tangent) the derivative along a direction"

JVP_NAMES = ("jvp", "forward_mode", "pushforward")


def describe(thing: Any, arguments: Sequence[Any], params: Any = None) -> Description | Mismatch:
    """Describe a pair of functions whose second says by its names that it takes a direction."""
    if not function_pair.is_pair(thing) or len(arguments) != 1:
        return Mismatch(FORM)
    f, jvp = thing
    (x,) = arguments
    wanted = required_names(jvp) or []
    said = is_forward_mode(name_of(jvp)) or any(map(is_tangent, wanted))
    if not (said and len(wanted) == 2 and is_differentiable(x) and np.size(x) > MOST_CALLS):
        return Mismatch(FORM)
    directions = in_place_of_axes(np.random.default_rng(0), x)
    tangent_first = is_tangent(wanted[0]) and not is_tangent(wanted[1])

    def moved(x_along: Array) -> Any:
        return f(x + np.tensordot(x_along, directions, 1))

    def jvp_along(x_along: Array, tangent: Array) -> Any:
        both = x + np.tensordot(x_along, directions, 1), np.tensordot(tangent, directions, 1)
        return jvp(*(both[::-1] if tangent_first else both))

    at = np.zeros(STAND_INS, x.real.dtype)
    found = function_pair.describe((moved, jvp_along), (at,), params)
    if isinstance(found, Mismatch):
        return found
    (name,) = input_names(f, 1)
    note = f"{name} is moved along {STAND_INS} random directions: x_along are its coordinates"
    return replace(found, name=name_of(f), note=note)


def parts(thing: Any, arguments: Sequence[Any]) -> list[tuple[str, Any, tuple[Any, ...]]]:
    """Return the ``jvp`` of an object, or of a triple ``(forward, backward, jvp)``, as a pair."""
    forward, jvp = (thing[0], thing[2]) if is_triple(thing) else (forward_of(thing), None)
    if forward is not None and jvp is None and not isinstance(thing, type):
        jvp = next(
            (getattr(thing, n) for n in JVP_NAMES if callable(getattr(thing, n, None))), None
        )
    return [("jvp", (forward, jvp), tuple(arguments))] if jvp is not None else []


def is_triple(thing: Any) -> bool:
    """Whether ``thing`` is a forward, a backward and a derivative in forward mode."""
    several = isinstance(thing, tuple | list) and len(thing) == 3 and all(map(callable, thing))
    return several and (
        is_forward_mode(name_of(thing[2])) or any(map(is_tangent, required_names(thing[2]) or []))
    )
