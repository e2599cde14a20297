"""Activation objects: a function of every entry by itself, and its derivative at the input.

``activation(z)`` with ``activation.grad(z)``, as opposed to a layer whose ``grad`` or
``backward`` takes the cotangent: the caller multiplies by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import Any

import numpy as np

from gradcheck.adapters.conventions import function_pair
from gradcheck.adapters.conventions import layer as layers_adapter
from gradcheck.adapters.signatures.gradient_alignment import required_names
from gradcheck.adapters.signatures.methods import Method, backward_of, forward_of
from gradcheck.adapters.signatures.name_tables import OUTPUT_NAMES
from gradcheck.state import StateSnapshot
from gradcheck.target import Target, is_differentiable

INPUT_NAMES = frozenset({"x", "z", "t", "u", "h", "inputs", "input"})
OF_OUTPUT_NAMES = OUTPUT_NAMES | {"a", "y", "s"}


def matches(thing: Any) -> bool:
    """Whether ``thing`` has a function and, by the name of its argument, a derivative."""
    if isinstance(thing, type) or not hasattr(thing, "__dict__") or len(_methods(thing)) != 2:
        return False
    taken, wanted = (required_names(method) or [] for method in _methods(thing))
    known = {*taken, *INPUT_NAMES, *OF_OUTPUT_NAMES}
    return len(taken) == len(wanted) == 1 and wanted[0].lower() in known


def adapt(activation: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of an activation; of a layer where that is what it is after all."""
    if len(arguments) != 1 or not _is_derivative(activation, arguments[0]):
        return layers_adapter.adapt(activation, arguments, params)
    function, _ = _methods(activation)

    @wraps(function)  # whose argument has the name of the input, as in a pair of functions
    def at_input(x: Any) -> Any:
        return _slope(activation, x)

    target = function_pair.adapt((function, at_input), arguments)
    shape = list(np.shape(arguments[0]))
    target.name = f"{type(activation).__name__}({next(iter(target.tensors))}{shape})"
    return target


def _slope(activation: Any, x: Any) -> Any:
    """Return the derivative at ``x``, which some write in terms of the output: ``a * (1 - a)``."""
    function, derivative = _methods(activation)
    taken, wanted = (required_names(method) or [""] for method in (function, derivative))
    of_output = wanted != taken and wanted[0].lower() in OF_OUTPUT_NAMES
    return derivative(function(x) if of_output else x)


def _is_derivative(activation: Any, x: Any) -> bool:
    """Whether the method takes the input or output, and no cotangent of that name.

    A function that leaves nothing behind for its backward cannot be differentiated from the
    cotangent alone, unless both are linear.
    """
    if not (isinstance(x, np.ndarray) and is_differentiable(x)):
        return False
    function, derivative = _methods(activation)
    with StateSnapshot([activation, x]).guarded(), np.errstate(all="ignore"):
        before = dict(vars(activation))
        try:
            output, slope = function(x.copy()), derivative(x.copy())
            kept = dict(vars(activation))
            doubled = 2 * function(x / 2), 2 * derivative(x / 2)
            halves = np.allclose(doubled[0], output), np.allclose(doubled[1], slope)
        except Exception:  # noqa: BLE001 (a layer may raise anything when it is called like this)
            return False
    keeps_nothing = kept.keys() == before.keys() and all(kept[k] is v for k, v in before.items())
    return keeps_nothing and not all(halves) and x.shape == np.shape(output) == np.shape(slope)


def _methods(thing: Any) -> tuple[Method, ...]:
    """Return the function and its derivative, or what there is of them."""
    found = (forward_of(thing), backward_of(thing))
    return tuple(method for method in found if method is not None)
