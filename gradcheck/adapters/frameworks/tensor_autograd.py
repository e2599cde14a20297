"""Home-made automatic differentiation: tensors with ``data`` and ``grad``, ``out.backward()``."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.discovery.attributes import is_own_object
from gradcheck.adapters.discovery.coverage import Coverage
from gradcheck.adapters.discovery.parameters import Parameter, find_parameters
from gradcheck.adapters.signatures.gradient_alignment import accepts_argument, input_names
from gradcheck.state import StateSnapshot
from gradcheck.target import ForwardRun, Target, TargetError, is_differentiable


def matches(thing: Any) -> bool:
    """Whether ``thing`` is such a tensor, as an argument of what is checked."""
    return (
        is_own_object(thing)
        and is_differentiable(getattr(thing, "data", None))
        and hasattr(thing, "grad")
        and callable(getattr(thing, "backward", None))
    )


def adapt(function: Callable[..., Any], arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a function or module of tensors; its claims are what the tape leaves.

    Parameters
    ----------
    function
        Takes the tensors and returns one.
    arguments
        Tensors, and whatever else it takes.
    params
        Names of the parameters to check, where ``function`` is a module that has some.

    Raises
    ------
    TargetError
        If what is returned cannot be differentiated.
    """
    if not callable(function):
        raise TargetError(
            f"a {type(function).__name__} was given with tensors for inputs: give the function or "
            "module that is called with them, as in check(module, tensor)"
        )
    snapshot = StateSnapshot([function, *arguments])
    names = input_names(getattr(function, "forward", function), len(arguments))
    given = dict(zip(names, arguments, strict=True))
    parameters = {
        p.name: p for p in find_parameters(function) if params is None or p.name in params
    }
    return _Tensors(function, given, parameters, snapshot, asked=params is not None).target()


class _Tensors:
    def __init__(
        self,
        function: Callable[..., Any],
        given: Mapping[str, Any],
        parameters: Mapping[str, Parameter],
        snapshot: StateSnapshot,
        *,
        asked: bool,
    ) -> None:
        self.asked = asked
        self.function = function
        self.given = given
        self.parameters = parameters
        self.snapshot = snapshot
        inputs = {name: np.array(t.data) for name, t in given.items() if matches(t)}
        own = {name: np.array(p.place.get()) for name, p in parameters.items()}
        self.base = {**inputs, **own}

    def target(self) -> Target:
        """Return the target of the function at the tensors."""
        return Target.from_run(
            getattr(self.function, "__name__", type(self.function).__name__),
            self.base,
            self.run,
            roles=dict.fromkeys(self.parameters, "parameter"),
            state=self.snapshot,
            uncovered=Coverage(
                (self.function,),
                lambda: [p.place for p in self.parameters.values()],
                tuple(getattr(value, "data", value) for value in self.given.values()),
                asked=self.asked,
            ),
        )

    def run(self, tensors: Tensors) -> ForwardRun:
        """Call the function on fresh tensors."""
        for name, parameter in self.parameters.items():
            parameter.place.put(tensors[name])
        fresh = {
            name: _at(value, tensors[name]) if name in tensors else copy.deepcopy(value)
            for name, value in self.given.items()
        }
        out = self.function(*fresh.values())
        if not matches(out):
            raise TargetError(
                f"the function returned a {type(out).__name__}; expected a tensor like its inputs, "
                "with data, grad and backward"
            )

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            for parameter in self.parameters.values():
                parameter.zero_gradient()  # gradients add up
            _pull(out, cotangents[0])
            claimed = {name: fresh[name].grad for name in fresh if name in tensors}
            claimed |= {name: parameter.gradient() for name, parameter in self.parameters.items()}
            return {name: _array(g) for name, g in claimed.items() if g is not None}

        handed = {name: np.asarray(fresh[name].data) for name in fresh if name in tensors}
        return ForwardRun((np.array(out.data),), pullback, handed)


def _at(tensor: Any, value: Array) -> Any:
    """Return a tensor like ``tensor`` at another value, with nothing on its tape."""
    twin = copy.deepcopy(tensor)
    twin.data = np.array(value) if isinstance(tensor.data, np.ndarray) else value.item()
    return twin


def _pull(out: Any, cotangent: Array) -> None:
    """Run the tape backwards from ``out``, with the cotangent as it wants to have it."""
    if accepts_argument(out.backward):
        out.backward(cotangent)
        return
    weighted = out * type(out)(cotangent)
    (weighted if cotangent.ndim == 0 else weighted.sum()).backward()


def _array(gradient: Any) -> Array:
    return np.array(getattr(gradient, "data", gradient) if matches(gradient) else gradient)
