"""How a stranger's backward wants to be called, and whose gradients it returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.target import Array, Outputs, TargetError, is_differentiable

CACHE_NAMES = frozenset({"cache", "caches", "ctx", "context", "saved", "tape", "memory", "state"})
OUTPUT_NAMES = frozenset({"out", "output", "outputs", "y_hat", "yhat", "activation"})
TARGET_NAMES = frozenset({"y", "t", "target", "targets", "label", "labels", "y_true", "truth"})


def required_names(function: Callable[..., Any]) -> list[str] | None:
    """Return the names of the positional arguments without default; None if unknown."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and parameter.default is parameter.empty
    ]


def accepts_argument(function: Callable[..., Any]) -> bool:
    """Whether ``function`` can be called with one positional argument."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def input_names(forward: Callable[..., Any], count: int) -> list[str]:
    """Return names for ``count`` inputs: the forward's own where they tell, else x, x1, ..."""
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    fallback = ["x", *(f"x{position}" for position in range(1, count))]
    return [*named[:count], *fallback[len(named) : count]]


@dataclass(frozen=True)
class Call:
    """All that one forward call left behind for a backward to ask for."""

    inputs: Sequence[Any]
    names: Sequence[str]
    outputs: Outputs
    raw_output: Any
    cotangent: Any
    cache: Any = None
    has_cache: bool = False


def call_backward(backward: Callable[..., Any], call: Call) -> Any:
    """Call ``backward`` with what the names and the number of its arguments ask for.

    Raises
    ------
    TargetError
        If there is no reading of its signature.
    """
    wanted = required_names(backward)
    if wanted is None:
        return backward(call.cotangent)
    if not wanted:
        return backward(call.cotangent) if accepts_argument(backward) else backward()
    scalar = all(output.ndim == 0 for output in call.outputs)
    return backward(*_arguments(wanted, call, scalar))


def _arguments(wanted: Sequence[str], call: Call, scalar: bool) -> list[Any]:
    if call.has_cache and len(wanted) == 2:
        cache_first = wanted[0].lower() in CACHE_NAMES
        return [call.cache, call.cotangent] if cache_first else [call.cotangent, call.cache]
    if len(wanted) == 1:
        return [_single_argument(wanted[0], call, scalar)]
    by_name = dict(zip(call.names, call.inputs, strict=False))
    found = [_by_name(name, by_name, call) for name in wanted]
    unknown = [position for position, (known, _) in enumerate(found) if not known]
    arguments = [value for _, value in found]
    if not unknown:
        return arguments
    if len(unknown) == 1:
        arguments[unknown[0]] = call.cotangent
        return arguments
    if len(wanted) == len(call.inputs) and scalar:
        return list(call.inputs)
    if len(wanted) == len(call.inputs) + 1:
        return [call.cotangent, *call.inputs]
    if len(wanted) == len(call.outputs):
        cotangents = call.cotangent if isinstance(call.cotangent, tuple) else (call.cotangent,)
        return list(cotangents)
    raise TargetError(
        f"backward({', '.join(wanted)}) could not be called: tried the cotangent alone, with the "
        "cache, and with the inputs. Give gradcheck.Target(name, tensors, forward, vjp) instead"
    )


def _single_argument(name: str, call: Call, scalar: bool) -> Any:
    if call.has_cache and name.lower() in CACHE_NAMES:
        return call.cache
    if scalar and len(call.inputs) > 1 and name.lower() in TARGET_NAMES:
        return call.inputs[-1]
    if scalar and len(call.inputs) == 1 and name == call.names[0]:
        return call.inputs[0]
    return call.cotangent


def _by_name(name: str, inputs: Mapping[str, Any], call: Call) -> tuple[bool, Any]:
    if name in inputs:
        return True, inputs[name]
    if name.lower() in CACHE_NAMES and call.has_cache:
        return True, call.cache
    if name.lower() in OUTPUT_NAMES:
        return True, call.raw_output
    return False, None


def gradient_keys(name: str) -> list[str]:
    """Return the keys under which people keep the gradient of ``name``, likeliest first."""
    return [
        name,
        *(f"{prefix}{name}" for prefix in ("d", "d_", "grad_", "grad", "g", "delta_", "nabla_")),
        *(f"{name}{suffix}" for suffix in ("_grad", "_gradient", ".grad", "grad")),
    ]


def align_gradients(
    result: Any,
    inputs: Mapping[str, Any],
    parameters: Sequence[str] = (),
) -> dict[str, Any]:
    """Give the gradients that a backward returned the names of their tensors.

    Parameters
    ----------
    result
        What the backward returned: an array, a tuple or list, a dict, or None.
    inputs
        All inputs of the forward by name, in order, differentiable or not.
    parameters
        Names of the parameters, in order, should the backward return their gradients too.

    Raises
    ------
    TargetError
        If there are more or fewer gradients than tensors.
    """
    differentiable = [name for name, value in inputs.items() if is_differentiable(value)]
    if result is None:
        return {}
    if isinstance(result, Mapping):
        return _align_mapping(result, [*differentiable, *parameters])
    if not isinstance(result, tuple | list):
        return {differentiable[0]: result} if differentiable else {}
    gradients = list(result)
    candidates = (
        list(inputs),
        differentiable,
        [*inputs, *parameters],
        [*differentiable, *parameters],
        list(parameters),
    )
    for names in candidates:
        if len(names) == len(gradients):
            pairs = zip(names, gradients, strict=True)
            return {
                name: value
                for name, value in pairs
                if value is not None and (name in differentiable or name in parameters)
            }
    first = differentiable[: len(gradients)]
    if len(first) == len(gradients) and all(
        np.shape(inputs[name]) == np.shape(gradient)
        for name, gradient in zip(first, gradients, strict=True)
    ):  # the inputs after them are data
        return dict(zip(first, gradients, strict=True))
    raise TargetError(
        f"backward returned {len(gradients)} gradients for the inputs {list(inputs)}"
        f"{f' and the parameters {list(parameters)}' if parameters else ''}; "
        "return one gradient per input (None for an integer one)"
    )


def _align_mapping(result: Mapping[Any, Any], names: Sequence[str]) -> dict[str, Any]:
    found = {}
    for name in names:
        for key in gradient_keys(name):
            if key in result and result[key] is not None:
                found[name] = result[key]
                break
    return found


def as_gradient(value: Any) -> Array:
    """Return a claimed gradient as an array of its own, whatever numbers it is made of."""
    return np.array(value)
