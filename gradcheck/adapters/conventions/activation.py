"""Activation objects: a function of every entry by itself, and its derivative at the input.

``activation(z)`` with ``activation.grad(z)``, as opposed to a layer whose ``grad`` or
``backward`` takes the cotangent: the caller multiplies by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np

from gradcheck.adapters.callable_target import Description, with_shapes
from gradcheck.adapters.conventions import function_pair
from gradcheck.adapters.signatures.error_hints import Mismatch
from gradcheck.adapters.signatures.methods import (
    Method,
    Names,
    is_layer,
    required_names,
)
from gradcheck.adapters.signatures.name_tables import OUTPUT_NAMES
from gradcheck.state import StateSnapshot
from gradcheck.target import is_differentiable

FORM = "an activation with its derivative"
INPUT_NAMES = frozenset({"x", "z", "t", "u", "h", "inputs", "input"})
OF_OUTPUT_NAMES = OUTPUT_NAMES | {"a", "y", "s"}


def describe(
    activation: Any, arguments: Sequence[Any], params: Any = None
) -> Description | Mismatch:
    """Describe an activation by its function and its derivative at the input."""
    if len(arguments) != 1 or not (is_layer(activation) and hasattr(activation, "__dict__")):
        return Mismatch(FORM)
    function, derivative = Names.of(activation).of_methods(activation)
    taken, wanted = (required_names(method) or [] for method in (function, derivative))
    known = {*taken, *INPUT_NAMES, *OF_OUTPUT_NAMES}
    named = len(taken) == len(wanted) == 1 and wanted[0].lower() in known
    if not named or not _is_derivative(activation, function, derivative, arguments[0]):
        return Mismatch(FORM)
    # some write it in terms of the output: a * (1 - a)
    of_output = wanted != taken and wanted[0].lower() in OF_OUTPUT_NAMES

    @wraps(function)  # whose argument has the name of the input, as in a pair of functions
    def at_input(x: Any) -> Any:
        return derivative(function(x) if of_output else x)

    described = function_pair.describe((function, at_input), arguments)
    if isinstance(described, Mismatch):
        return described
    return replace(described, name=with_shapes(type(activation).__name__, described.tensors))


def _is_derivative(thing: Any, function: Method, derivative: Method, x: Any) -> bool:
    """Whether the method takes the input or output, and no cotangent of that name.

    A function that leaves no attribute for its backward cannot be differentiated from the
    cotangent alone, unless both are linear.
    """
    if not (isinstance(x, np.ndarray) and is_differentiable(x)):
        return False
    with StateSnapshot([thing, x]).guarded(), np.errstate(all="ignore"):
        before = dict(vars(thing))
        try:
            output, slope = function(x.copy()), derivative(x.copy())
            kept = dict(vars(thing))
            doubled = 2 * function(x / 2), 2 * derivative(x / 2)
            halves = np.allclose(doubled[0], output), np.allclose(doubled[1], slope)
        except Exception:  # noqa: BLE001 (a layer may raise anything when it is called like this)
            return False
    keeps_nothing = kept.keys() == before.keys() and all(kept[k] is v for k, v in before.items())
    return keeps_nothing and not all(halves) and x.shape == np.shape(output) == np.shape(slope)
