"""Single callables: ``f(x) -> (loss, gradients)``, and ``f(x) -> (y, backprop)`` callbacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.binding import align_gradients
from gradcheck.adapters.inputs import Inputs
from gradcheck.adapters.parameters import Parameter, find_parameters
from gradcheck.adapters.places import Place
from gradcheck.memory import Memory
from gradcheck.target import (
    Array,
    Outputs,
    Run,
    Target,
    TargetError,
    Tensors,
    as_outputs,
    is_differentiable,
    is_scalar,
)


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a callable, but no class."""
    return callable(thing) and not isinstance(thing, type)


def adapt(function: Callable[..., Any], arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a function that hands out its own gradient.

    Raises
    ------
    TargetError
        If what it returns holds neither gradients nor a callback.
    """
    memory = Memory([function, *arguments, params])
    inputs = Inputs.of(function, arguments)
    with memory.guarded():
        raw = function(*inputs.arguments(inputs.tensors))
        _require_gradient(function, raw)
        parameters = _parameters(function, raw, inputs, params)
    target = _FunctionTarget(function, inputs, parameters, memory)
    return target.build(unit_cotangent=not callable(raw[1]))


def _require_gradient(function: Callable[..., Any], raw: Any) -> None:
    several = isinstance(raw, tuple | list) and len(raw) >= 2
    if several and (callable(raw[1]) or is_scalar(raw[0])):
        return
    name = getattr(function, "__name__", type(function).__name__)
    raise TargetError(
        f"{name} returned {_shape_of(raw)}, with no gradient beside it. Tried: an object with "
        "forward and backward, a pair of functions, (loss, gradient), (y, backprop), a network's "
        "layers. Three lines make it checkable:\n"
        "    target = gradcheck.Target('mine', {'x': x},\n"
        "        forward=lambda tensors: f(tensors['x']),\n"
        "        vjp=lambda tensors, cotangent: {'x': backward(tensors['x'], cotangent)})"
    )


def _shape_of(raw: Any) -> str:
    if isinstance(raw, np.ndarray):
        return f"an array of shape {raw.shape}"
    if isinstance(raw, tuple | list):
        return f"{len(raw)} values ({', '.join(type(part).__name__ for part in raw)})"
    return f"a {type(raw).__name__}"


def _parameters(
    function: Callable[..., Any], raw: Any, inputs: Inputs, params: Any
) -> dict[str, Place]:
    """Find the parameters whose gradients the call returns by name, as ``net.loss(X, y)`` does."""
    if params is not None:
        return _given(params)
    gradients = raw[1] if isinstance(raw[1], Mapping) else None
    owner = getattr(function, "__self__", None)
    if gradients is None:
        return {}
    declared = getattr(owner, "params", None)
    if isinstance(declared, Mapping):
        return {
            name: Place(declared, name, True)
            for name, value in declared.items()
            if name in gradients and is_differentiable(value)
        }
    return {
        name: Place(owner, name, False)
        for name in gradients
        if name not in inputs.values and is_differentiable(getattr(owner, str(name), None))
    }


def _given(params: Any) -> dict[str, Place]:
    items = params.items() if isinstance(params, Mapping) else enumerate(params)
    return {
        str(key) if isinstance(params, Mapping) else f"params[{key}]": Place(params, key, True)
        for key, value in items
        if is_differentiable(value)
    }


class _FunctionTarget:
    def __init__(
        self,
        function: Callable[..., Any],
        inputs: Inputs,
        parameters: dict[str, Place],
        memory: Memory,
    ) -> None:
        self.function = function
        self.inputs = inputs
        self.parameters = parameters
        self.memory = memory
        self.base: dict[str, Array] = {}
        self.dirty: set[str] = set()
        self.owned: dict[str, Parameter] = {}

    def build(self, *, unit_cotangent: bool) -> Target:
        """Return the target; parameters kept beside a callback are looked for after one call."""
        places = {name: np.array(place.get()) for name, place in self.parameters.items()}
        self.base = {**self.inputs.tensors, **places}
        if not unit_cotangent:
            self._find_owned()
        if not self.base:
            raise TargetError(
                "no floating-point array to differentiate: pass the inputs after the function, "
                "or params={'W': W} for arrays it reads from elsewhere"
            )
        name = getattr(self.function, "__qualname__", type(self.function).__name__)
        return Target.from_run(
            name.replace("<locals>.", ""),
            self.base,
            self.run,
            recast=self._recast if not self.parameters else None,
            roles=dict.fromkeys(self.parameters, "parameter"),
            state=self.memory,
            unit_cotangent=unit_cotangent,
            batch=self.inputs.batch,
            batch_tensors=self.inputs.batch_tensors,
        )

    def run(self, tensors: Tensors) -> Run:
        """Call the function at ``tensors``; its gradients or its callback are the pullback."""
        for name, place in self.parameters.items():
            changed = tensors[name] is not self.base[name]
            if changed or name in self.dirty:
                place.put(tensors[name])
            (self.dirty.add if changed else self.dirty.discard)(name)
        for parameter in self.owned.values():
            parameter.zero_gradient()
        arguments = self.inputs.arguments(tensors)
        raw = self.function(*arguments)
        output, second = raw[0], raw[1]
        outputs = as_outputs(output)
        single = not isinstance(output, tuple | list)

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            if callable(second):
                result = second(cotangents[0] if single else cotangents)
                claimed = align_gradients(result, self.inputs.values, list(self.parameters))
                stored = {name: p.gradient() for name, p in self.owned.items()}
                return {**{k: v for k, v in stored.items() if v is not None}, **claimed}
            gradients = second if len(raw) == 2 else list(raw[1:])
            if self.parameters and not isinstance(gradients, Mapping | tuple | list):
                return {next(iter(self.parameters)): gradients}
            if self.parameters and not self.inputs.tensors:
                return align_gradients(gradients, {}, list(self.parameters))
            return align_gradients(gradients, self.inputs.values, list(self.parameters))

        pairs = zip(self.inputs.names, arguments, strict=True)
        handed = {name: np.asarray(value) for name, value in pairs if name in tensors}
        return Run(outputs, pullback, handed)

    def _find_owned(self) -> None:
        """Find parameters of a callback-style layer object, or of one whose method this is."""
        owner = getattr(self.function, "__self__", self.function)
        with self.memory.guarded():
            run = self.run(self.base)
            run.pullback(tuple(np.ones_like(output) for output in run.outputs))
            found = find_parameters(owner, [*run.handed.values(), *run.outputs])
        known = {id(place.get()) for place in self.parameters.values()}
        for parameter in found:
            if id(parameter.place.get()) not in known:
                self.owned[parameter.name] = parameter
                self.parameters[parameter.name] = parameter.place
                self.base[parameter.name] = np.array(parameter.place.get())

    def _recast(self, dtype: type[np.floating[Any]]) -> Target:
        twin = _FunctionTarget(self.function, self.inputs.cast(dtype), {}, self.memory)
        return twin.build(unit_cotangent=True)
