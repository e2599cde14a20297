"""Single callables: ``f(x) -> (loss, gradients)``, ``(y, jacobian)`` or ``(y, backprop)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from gradcheck.adapters.callable_target import CallableTarget, Description
from gradcheck.adapters.conventions import function_pair, layer
from gradcheck.adapters.discovery.accessors import Accessor, accessors_in
from gradcheck.adapters.discovery.parameters import Parameter, find_parameters, nothing
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.error_hints import Mismatch, returned_no_gradient
from gradcheck.adapters.signatures.gradient_alignment import align_gradients
from gradcheck.adapters.signatures.jacobians import as_columns, contracted, has_jacobian, matrices
from gradcheck.adapters.signatures.methods import Names, backward_of, parameters_of
from gradcheck.adapters.signatures.pytree import is_container
from gradcheck.adapters.signatures.results import BackwardCall, BackwardResult
from gradcheck.state import StateSnapshot
from gradcheck.values import is_differentiable, is_scalar

FORM = "a function returning (loss, gradient) or (y, backprop)"
FLAGS = ("derivative", "deriv", "derive", "prime", "grad", "gradient", "diff")


def is_function(thing: Any) -> bool:
    """Whether ``thing`` is a callable, but no class."""
    return callable(thing) and not isinstance(thing, type)


def describe(
    function: Callable[..., Any], arguments: Sequence[Any], params: Any = None
) -> Description | Mismatch:
    """Describe a function that hands out its own gradient, or the method of a layer."""
    if not is_function(function):
        return Mismatch(FORM)
    snapshot = StateSnapshot([function, *arguments, params])
    inputs = Inputs.of(function, arguments).promoted(function, snapshot)
    owner = getattr(function, "__self__", None)
    with snapshot.guarded():
        raw = _in_order(function(*inputs.arguments(inputs.tensors)))
        flag = _derivative_flag(function)
        if flag is not None and not isinstance(raw, tuple):
            pair = function, partial(function, **{flag: True})
            return function_pair.describe(pair, arguments, params)
        if not (_has_gradient(raw) or has_jacobian(raw, inputs.values.values())):
            backward = backward_of(owner)
            if backward is not None and backward.__name__ != function.__name__:
                names = Names(function.__name__, backward.__name__)
                return layer.describe(owner, arguments, params, names)
            return returned_no_gradient(FORM, function, raw, arguments)
        parameters = _parameters(function, raw, inputs, params)
    has_callback, is_matrix = callable(raw[1]), has_jacobian(raw, inputs.values.values())
    name = getattr(function, "__qualname__", type(function).__name__)
    description = Description(
        name.replace("<locals>.", ""),
        inputs,
        snapshot,
        lambda given: _result(function(*given)),
        partial(_beside, inputs, parameters),
        (function,),
        parameters=parameters,
        returned=list(parameters),
        unit_cotangent=not has_callback and not is_matrix,
        requested=params is not None,
        jacobians=_claimed if is_matrix else None,
    )
    if has_callback:
        with snapshot.guarded():
            parameters = _with_kept(description)
        description = replace(description, parameters=parameters, returned=list(parameters))
    return replace(description, owed={*parameters, *_owed(description)})


def _in_order(raw: Any) -> Any:
    """Return (loss, gradients) whichever of them came first."""
    if isinstance(raw, tuple) and len(raw) == 2 and is_scalar(raw[1]) and not is_scalar(raw[0]):
        return raw[::-1]
    return raw


def _result(returned: Any) -> BackwardResult:
    raw = _in_order(returned)
    return replace(BackwardResult.of(raw[0]), caches=tuple(raw[1:]))


def _beside(inputs: Inputs, parameters: Mapping[str, Parameter], call: BackwardCall) -> Any:
    """Return the gradients returned beside the loss, or by what was returned beside the output."""
    caches = call.result.caches
    if callable(caches[0]):
        return caches[0](call.cotangent)
    if not call.scalar:
        return contracted(caches[0], call)
    gradients = caches[0] if len(caches) == 1 else list(caches)
    if parameters and not isinstance(gradients, Mapping | tuple | list):
        return {next(iter(parameters)): gradients}
    if isinstance(gradients, Mapping) or inputs.tensors:
        return gradients
    shapes = {name: parameter.accessor.get() for name, parameter in parameters.items()}
    return align_gradients(gradients, {}, shapes)  # there are none of data in whole numbers


def _claimed(call: BackwardCall) -> tuple[dict[str, Any], str]:
    """Return the Jacobian returned beside the outputs, and how its shape is wrong."""
    (jacobian,) = call.result.caches
    return matrices(jacobian, call), as_columns(jacobian, call)


def _derivative_flag(function: Callable[..., Any]) -> str | None:
    """Return the argument that makes a function return its derivative, as ``f(x, deriv=True)``."""
    return next(
        (p.name for p in parameters_of(function) or [] if p.default is False and p.name in FLAGS),
        None,
    )


def _has_gradient(raw: Any) -> bool:
    """Whether something beside the output may be its gradient."""
    several = isinstance(raw, tuple | list) and len(raw) >= 2
    return several and (callable(raw[1]) or is_scalar(raw[0]))


def _parameters(
    function: Callable[..., Any], raw: Any, inputs: Inputs, params: Any
) -> dict[str, Parameter]:
    """Find the parameters whose gradients the call returns by name, as ``net.loss(X, y)`` does."""
    found: dict[str, Accessor] = {}
    owner = getattr(function, "__self__", None)
    declared = getattr(owner, "params", None)
    if params is not None:
        found = accessors_in(params)
    elif isinstance(raw[1], Mapping):
        if isinstance(declared, Mapping):
            kept = [Accessor(declared, name, True) for name in declared if name in raw[1]]
        else:
            names = (name for name in raw[1] if name not in inputs.values)
            kept = [Accessor(owner, str(name), False) for name in names]
        found = {place.key: place for place in kept if is_differentiable(place.get())}
    return {name: Parameter(name, accessor, nothing, True) for name, accessor in found.items()}


def _with_kept(description: Description) -> dict[str, Parameter]:
    """Add the parameters of a callback-style layer object, or of one whose method this is."""
    parameters = dict(description.parameters)
    known = {id(parameter.accessor.get()) for parameter in parameters.values()}
    run, _ = CallableTarget(description).trial()
    (function,) = description.roots
    exclude = [*run.handed.values(), *run.outputs]
    for parameter in find_parameters(getattr(function, "__self__", function), exclude):
        if id(parameter.accessor.get()) not in known:
            parameters[parameter.name] = parameter
    return parameters


def _owed(description: Description) -> set[str]:
    """Return the tensors in containers of parameters, should one gradient be missing."""
    inputs = description.inputs
    if not any(map(is_container, inputs.values.values())):
        return set()
    with description.state.guarded():
        return inputs.owed(CallableTarget(description).trial()[1])
