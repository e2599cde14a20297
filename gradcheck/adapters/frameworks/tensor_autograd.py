"""Home-made automatic differentiation: tensors with ``data`` and ``grad``, ``out.backward()``."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.callable_target import CallableTarget, Description
from gradcheck.adapters.discovery.attributes import is_own_object
from gradcheck.adapters.discovery.parameters import Parameter, find_parameters
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.methods import accepts_argument, input_names, name_of
from gradcheck.adapters.signatures.results import BackwardCall, BackwardResult
from gradcheck.state import StateSnapshot
from gradcheck.target import Target
from gradcheck.values import TargetError, is_differentiable


def matches(thing: Any) -> bool:
    """Whether ``thing`` is such a tensor, as an argument of what is checked."""
    return (
        is_own_object(thing)
        and is_differentiable(getattr(thing, "data", None))
        and hasattr(thing, "grad")
        and callable(getattr(thing, "backward", None))
    )


def adapt(function: Callable[..., Any], arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a function or module of tensors.

    Its gradients are those that the backward of the returned tensor adds to ``grad``.

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
    names = input_names(getattr(function, "forward", function), len(arguments))
    given = dict(zip(names, arguments, strict=True))
    tensors = {name: tensor for name, tensor in given.items() if matches(tensor)}
    parameters = {
        p.name: replace(p, gradient=_gradient_of(p))
        for p in find_parameters(function)
        if params is None or p.name in params
    }

    def forward(values: Sequence[Any]) -> BackwardResult:
        fresh = dict(zip(tensors, map(_at, tensors.values(), values), strict=True))
        out = function(*(fresh[n] if n in fresh else copy.deepcopy(v) for n, v in given.items()))
        if not matches(out):
            raise TargetError(
                f"the function returned a {type(out).__name__}; expected a tensor like its inputs, "
                "with data, grad and backward"
            )
        return BackwardResult(out.data, (np.array(out.data),), (out, fresh))

    def backward(call: BackwardCall) -> Any:
        out, fresh = call.result.caches
        for parameter in parameters.values():
            parameter.zero_gradient()  # gradients add up
        _pull(out, call.cotangent)
        gradients = {name: _numbers(tensor.grad) for name, tensor in fresh.items()}
        return {name: np.array(g) for name, g in gradients.items() if g is not None}

    description = Description(
        name_of(function),
        Inputs({name: tensor.data for name, tensor in tensors.items()}),
        StateSnapshot([function, *arguments]),
        forward,
        backward,
        (function,),
        parameters=parameters,
        owed=parameters,
        requested=params is not None,
        has_samples=False,
        in_dtype=lambda *_: None,
    )
    return CallableTarget(description).target()


def _gradient_of(parameter: Parameter) -> Callable[[], Any]:
    return lambda: _numbers(parameter.gradient())


def _at(tensor: Any, value: Any) -> Any:
    """Return a tensor like ``tensor`` at another value, with nothing on its tape."""
    twin = copy.deepcopy(tensor)
    twin.data = value
    return twin


def _pull(out: Any, cotangent: Array) -> None:
    """Run the tape backwards from ``out``, with the cotangent as it wants to have it."""
    if accepts_argument(out.backward):
        out.backward(cotangent)
        return
    weighted = out * type(out)(cotangent)
    (weighted if cotangent.ndim == 0 else weighted.sum()).backward()


def _numbers(gradient: Any) -> Any:
    """Return the numbers of a gradient that may be a tensor itself."""
    return gradient.data if matches(gradient) else gradient
