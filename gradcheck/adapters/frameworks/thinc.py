"""thinc: models whose call returns the output and a callback for the backward pass."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.callable_target import CallableTarget, Description, Dtype
from gradcheck.adapters.discovery.accessors import Accessor
from gradcheck.adapters.discovery.parameters import Parameter
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.results import BackwardCall, BackwardResult
from gradcheck.state import StateSnapshot
from gradcheck.target import Target
from gradcheck.values import TargetError, as_outputs


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a model, or a method of one such as ``model.begin_update``."""
    owner = getattr(thing, "__self__", thing)
    return any(kind.__module__ == "thinc.model" for kind in type(owner).__mro__)


def adapt(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a model; its gradients are what the callback returns and accumulates.

    Parameters
    ----------
    thing
        A ``thinc.api.Model``, initialized, or its ``begin_update``.
    arguments
        The input: an array, a list or tuple of arrays, a ``Ragged`` or a ``Padded``.
    params
        Names of the parameters to check, or a dict with these as keys; None for all.

    Raises
    ------
    TargetError
        If there is not exactly one input.
    """
    model = getattr(thing, "__self__", thing)
    if len(arguments) != 1:
        raise TargetError(
            f"the model {model.name} takes one input, but {len(arguments)} were given; "
            "several go into a list or tuple: check(model, (x, y))"
        )
    (given,) = arguments
    parameters = parameters_of(model)
    if params is not None:
        parameters = {name: accessor for name, accessor in parameters.items() if name in params}
    arrays = list(_arrays(given))
    names = ["X"] if len(arrays) == 1 else [f"X[{position}]" for position in range(len(arrays))]
    description = Description(
        model.name,
        Inputs(dict(zip(names, arrays, strict=True))),
        StateSnapshot([model, given]),
        partial(_forward, model, given),
        _backward,
        (model,),
        parameters=parameters,
        owed=parameters,
        requested=params is not None,
        has_samples=isinstance(given, np.ndarray),
        in_dtype=partial(_in_dtype, model, given),
    )
    return CallableTarget(description).target()


@dataclass(frozen=True)
class NodeAccessor(Accessor):
    """A parameter of a node of a model."""

    def get(self) -> Any:
        """Return the value."""
        return self.owner.get_param(self.key)

    def put(self, value: Any) -> None:
        """Replace the value."""
        self.owner.set_param(self.key, np.array(value))

    replace = put

    def gradient(self) -> Any:
        """Return the gradient, to which the callback adds."""
        if not self.owner.has_grad(self.key):
            self.owner.set_grad(self.key, np.zeros_like(self.get()))
        return self.owner.get_grad(self.key)


def parameters_of(model: Any) -> dict[str, Parameter]:
    """Return the parameters of all nodes; their names are unique and say which node it is."""
    nodes = [node for node in model.walk() if any(map(node.has_param, node.param_names))]
    alike = Counter(node.name for node in nodes)
    prefixes = [
        f"{node.name}[{position}]." if alike[node.name] > 1 else f"{node.name}."
        for position, node in enumerate(nodes)
    ]
    kept = {
        f"{prefix}{name}" if len(nodes) > 1 else name: NodeAccessor(node, name, False)
        for prefix, node in zip(prefixes, nodes, strict=True)
        for name in node.param_names
        if node.has_param(name)
    }
    return {
        name: Parameter(name, accessor, accessor.gradient, True) for name, accessor in kept.items()
    }


def _forward(model: Any, given: Any, values: Sequence[Any]) -> BackwardResult:
    raw, backprop = model.begin_update(_filled(given, iter(values)))
    outputs = as_outputs(tuple(_arrays(raw)))
    return BackwardResult(outputs, outputs, (raw, backprop))


def _backward(call: BackwardCall) -> dict[str, Any]:
    raw, backprop = call.result.caches
    gradient = backprop(_filled(raw, iter(call.cotangent)))
    return dict(zip(call.names, _arrays(gradient), strict=False))


def _in_dtype(model: Any, given: Any, own: Description, dtype: Dtype) -> Description | None:
    """Describe a copy of the model whose numbers are of another dtype."""
    twin, inputs = model.copy(), own.inputs.cast(dtype)
    parameters = {n: p for n, p in parameters_of(twin).items() if n in own.parameters}
    for name, parameter in parameters.items():
        parameter.accessor.put(own.parameters[name].accessor.get().astype(dtype))
    forward = partial(_forward, twin, given)
    outputs = forward(list(inputs.values.values())).outputs
    if any(output.dtype != dtype for output in outputs):  # not by every kernel
        return None
    state = StateSnapshot([twin, *inputs.values.values()])
    return replace(
        own, inputs=inputs, state=state, forward=forward, roots=(twin,), parameters=parameters
    )


def _arrays(value: Any) -> Iterator[Array]:
    """Yield the arrays that a model takes or returns, whatever holds them."""
    if isinstance(value, list | tuple):
        for part in value:
            yield from _arrays(part)
    else:
        yield np.asarray(value if isinstance(value, np.ndarray) else value.data)


def _filled(like: Any, arrays: Iterator[Array]) -> Any:
    """Return what ``like`` is, holding other arrays."""
    if isinstance(like, list | tuple):
        return type(like)(_filled(part, arrays) for part in like)
    if isinstance(like, np.ndarray):
        return next(arrays)
    held = copy.copy(like)  # a Ragged or a Padded
    held.data = next(arrays)
    return held
