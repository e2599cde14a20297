"""Networks written as functions: ``forward(X, parameters)``, ``backward(parameters, cache, X, Y)``.

The backward begins at the targets, as in `loss_in_backward`; the cost may be given between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gradcheck.adapters.callable_target import Description
from gradcheck.adapters.conventions import loss_in_backward
from gradcheck.adapters.signatures.error_hints import Mismatch
from gradcheck.adapters.signatures.methods import name_of, required_names, targets_come_late
from gradcheck.adapters.signatures.name_tables import OUTPUT_NAMES, is_cache, is_target
from gradcheck.adapters.signatures.pytree import is_container
from gradcheck.values import TargetError

FORM = "functions (forward, cost, backward) of parameters in a dict"


def describe(
    functions: Any, arguments: Sequence[Any], params: Any = None
) -> Description | Mismatch:
    """Describe the cost as a function of the parameters.

    Parameters
    ----------
    functions
        The forward, the cost where it is given, and the backward.
    arguments
        The data, the targets, and the parameters in a dict or list, in any order.
    params
        Names of the parameters to check; all where None.

    Raises
    ------
    TargetError
        If the arguments are others.
    """
    if not _are_network(functions):
        return Mismatch(FORM)
    containers = [argument for argument in arguments if is_container(argument)]
    data = [argument for argument in arguments if not is_container(argument)]
    forward, backward = name_of(functions[0]), name_of(functions[-1])
    if len(containers) != 1 or len(data) != 2:
        raise TargetError(
            f"{backward} asks for targets: give the data, the targets and the parameters "
            f"in a dict, as in check(({forward}, {backward}), X, Y, parameters)"
        )
    kind = _WithCost if len(functions) == 3 else _Network
    described = loss_in_backward.describe(kind(functions, containers[0]), data, params)
    if isinstance(described, Mismatch):
        return described
    return replace(described, name=described.name.replace(kind.__name__, forward))


def _are_network(functions: Any) -> bool:
    """Whether they are such a ``(forward, backward)`` or ``(forward, cost, backward)``."""
    is_row = isinstance(functions, tuple | list) and len(functions) in (2, 3)
    called = is_row and all(map(callable, functions))
    return called and targets_come_late(functions[0], functions[-1], 2)


class _Network:
    """The functions as the methods of a network."""

    def __init__(self, functions: Sequence[Callable[..., Any]], parameters: Any) -> None:
        self.params = parameters
        self._functions = tuple(functions)

    def forward(self, X: Any) -> Any:
        """Return the prediction; what comes with it is the cache."""
        names = required_names(self._functions[0]) or []
        first_is_data = "param" not in names[0].lower() and "weight" not in names[0].lower()
        arguments = (X, self.params) if first_is_data else (self.params, X)
        returned = self._functions[0](*arguments)
        self.output, self.cache = returned[:2] if isinstance(returned, tuple) else (returned, None)
        return self.output

    def backward(self, X: Any, y: Any) -> Any:
        """Return the gradients of the parameters."""
        return self._call(self._functions[-1], X, y)

    def _call(self, function: Callable[..., Any], X: Any, y: Any) -> Any:
        return function(*(self._meaning(name, X, y) for name in required_names(function) or []))

    def _meaning(self, name: str, X: Any, y: Any) -> Any:
        if is_target(name):
            return y
        if is_cache(name):
            return self.cache
        if "param" in name.lower() or "weight" in name.lower():
            return self.params
        return self.output if name.lower() in OUTPUT_NAMES else X


class _WithCost(_Network):
    """The same with the cost that is reported."""

    def compute_cost(self, output: Any, y: Any) -> Any:
        """Return the cost of a prediction."""
        self.output = output
        return self._call(self._functions[1], None, y)
