"""Networks written as functions: ``forward(X, parameters)``, ``backward(parameters, cache, X, Y)``.

The backward begins at the targets, as that of `monolith`; the cost may be given between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.adapters.conventions import loss_in_backward
from gradcheck.adapters.signatures.gradient_alignment import required_names
from gradcheck.adapters.signatures.name_tables import OUTPUT_NAMES, is_cache, is_target
from gradcheck.adapters.signatures.pytree import is_container
from gradcheck.target import Target, TargetError


def matches(thing: Any) -> bool:
    """Whether ``thing`` is such a ``(forward, backward)`` or ``(forward, cost, backward)``."""
    if (
        not isinstance(thing, tuple | list)
        or len(thing) not in (2, 3)
        or not all(map(callable, thing))
    ):
        return False
    taken, wanted = required_names(thing[0]), required_names(thing[-1])
    return (
        taken is not None
        and wanted is not None
        and any(map(is_target, wanted))
        and not any(map(is_target, taken))
        and len(taken) == 2
    )


def adapt(functions: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of the cost as a function of the parameters.

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
    containers = [argument for argument in arguments if is_container(argument)]
    data = [argument for argument in arguments if not is_container(argument)]
    forward, backward = functions[0], functions[-1]
    if len(containers) != 1 or len(data) != 2:
        raise TargetError(
            f"{_name(backward)} asks for targets: give the data, the targets and the parameters "
            f"in a dict, as in check(({_name(forward)}, {_name(backward)}), X, Y, parameters)"
        )
    kind = _WithCost if len(functions) == 3 else _Program
    target = loss_in_backward.adapt(kind(functions, containers[0]), data, params)
    target.name = target.name.replace(kind.__name__, _name(forward))
    return target


class _Program:
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
        if not isinstance(returned, tuple):
            self.output, self.cache = returned, None
        else:
            self.output, self.cache = returned[0], returned[1]
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


class _WithCost(_Program):
    """The same with the cost that is reported."""

    def compute_cost(self, output: Any, y: Any) -> Any:
        """Return the cost of a prediction."""
        self.output = output
        return self._call(self._functions[1], None, y)


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)
