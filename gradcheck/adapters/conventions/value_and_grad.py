"""Single callables: ``f(x) -> (loss, gradients)``, and ``f(x) -> (y, backprop)`` callbacks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.conventions import function_pair, layer
from gradcheck.adapters.discovery.accessors import Accessor, places_in
from gradcheck.adapters.discovery.coverage import Coverage
from gradcheck.adapters.discovery.parameters import Parameter, find_parameters
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.call_conventions import BackwardResult
from gradcheck.adapters.signatures.error_hints import returned_no_gradient
from gradcheck.adapters.signatures.gradient_alignment import align_gradients
from gradcheck.adapters.signatures.methods import Names, backward_of
from gradcheck.adapters.signatures.pytree import is_container
from gradcheck.state import StateSnapshot
from gradcheck.target import ForwardRun, Target, TargetError, is_differentiable, is_scalar

FLAGS = ("derivative", "deriv", "derive", "prime", "grad", "gradient", "diff")


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
    snapshot = StateSnapshot([function, *arguments, params])
    inputs = Inputs.of(function, arguments).promoted(function, snapshot)
    with snapshot.guarded():
        raw = _in_order(function(*inputs.arguments(inputs.tensors)))
        flag = _derivative_flag(function)
        if flag is not None and not isinstance(raw, tuple):
            return function_pair.adapt(
                (function, partial(function, **{flag: True})), arguments, params
            )
        owner = getattr(function, "__self__", None)
        if not _has_gradient(raw) and backward_of(owner) is not None:
            backward = Names.of(owner).backward
            return layer.adapt(owner, arguments, params, Names(function.__name__, backward))
        if not _has_gradient(raw):
            raise TargetError(returned_no_gradient(function, raw, arguments))
        parameters = _parameters(function, raw, inputs, params)
    target = _FunctionTarget(function, inputs, parameters, snapshot, asked=params is not None)
    return target.build(unit_cotangent=not callable(raw[1]))


def _in_order(raw: Any) -> Any:
    """Return (loss, gradients) whichever of them came first."""
    if isinstance(raw, tuple) and len(raw) == 2 and is_scalar(raw[1]) and not is_scalar(raw[0]):
        return raw[::-1]
    return raw


def _derivative_flag(function: Callable[..., Any]) -> str | None:
    """Return the argument that makes a function return its derivative, as ``f(x, deriv=True)``."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return next((p.name for p in parameters if p.default is False and p.name in FLAGS), None)


def _has_gradient(raw: Any) -> bool:
    """Whether something beside the output may be its gradient."""
    several = isinstance(raw, tuple | list) and len(raw) >= 2
    return several and (callable(raw[1]) or is_scalar(raw[0]))


def _parameters(
    function: Callable[..., Any], raw: Any, inputs: Inputs, params: Any
) -> dict[str, Accessor]:
    """Find the parameters whose gradients the call returns by name, as ``net.loss(X, y)`` does."""
    if params is not None:
        return places_in(params)
    gradients = raw[1] if isinstance(raw[1], Mapping) else None
    owner = getattr(function, "__self__", None)
    if gradients is None:
        return {}
    declared = getattr(owner, "params", None)
    if isinstance(declared, Mapping):
        return {
            name: Accessor(declared, name, True)
            for name, value in declared.items()
            if name in gradients and is_differentiable(value)
        }
    return {
        name: Accessor(owner, name, False)
        for name in gradients
        if name not in inputs.values and is_differentiable(getattr(owner, str(name), None))
    }


class _FunctionTarget:
    def __init__(
        self,
        function: Callable[..., Any],
        inputs: Inputs,
        parameters: dict[str, Accessor],
        snapshot: StateSnapshot,
        *,
        asked: bool,
    ) -> None:
        self.asked = asked
        self.function = function
        self.inputs = inputs
        self.parameters = parameters
        self.snapshot = snapshot
        self.base: dict[str, Array] = {}
        self.dirty: set[str] = set()
        self.owned: dict[str, Parameter] = {}
        self.keys: set[Any] = set()

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
            roles=dict.fromkeys([*self.parameters, *self._owed()], "parameter"),
            state=self.snapshot,
            unit_cotangent=unit_cotangent,
            batch=self.inputs.batch,
            batch_tensors=self.inputs.batch_tensors,
            uncovered=Coverage(
                (self.function, *self.inputs.others),
                lambda: self.parameters.values(),
                tuple(self.inputs.values.values()),
                asked=self.asked,
                keys=lambda: self.keys,
            ),
        )

    def run(self, tensors: Tensors) -> ForwardRun:
        """Call the function at ``tensors``; its gradients or its callback are the pullback."""
        for name, place in self.parameters.items():
            changed = tensors[name] is not self.base[name]
            if changed or name in self.dirty:
                place.put(tensors[name])
            (self.dirty.add if changed else self.dirty.discard)(name)
        for parameter in self.owned.values():
            parameter.zero_gradient()
        arguments = self.inputs.arguments(tensors)
        handed = self.inputs.handed(arguments)
        raw = _in_order(self.function(*arguments))
        second = raw[1]
        result = BackwardResult.of(raw[0])

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            if callable(second):
                returned = second(result.cotangent(cotangents))
                self.keys.update(returned if isinstance(returned, Mapping) else ())
                claimed = align_gradients(returned, self.inputs.values, self._shapes())
                stored = {name: p.gradient() for name, p in self.owned.items()}
                return {**{k: v for k, v in stored.items() if v is not None}, **claimed}
            gradients = second if len(raw) == 2 else list(raw[1:])
            self.keys.update(gradients if isinstance(gradients, Mapping) else ())
            if self.parameters and not isinstance(gradients, Mapping | tuple | list):
                return {next(iter(self.parameters)): gradients}
            values = self.inputs.values if self.inputs.tensors else {}
            return align_gradients(gradients, values, self._shapes())

        return ForwardRun(result.outputs, pullback, handed)

    def _owed(self) -> set[str]:
        """Return the tensors in containers of parameters, should one gradient be missing."""
        if not any(map(is_container, self.inputs.values.values())):
            return set()
        with self.snapshot.guarded():
            run = self.run(self.base)
            return self.inputs.owed(run.pullback(tuple(map(np.ones_like, run.outputs))))

    def _shapes(self) -> dict[str, Array]:
        return {name: self.base[name] for name in self.parameters}

    def _find_owned(self) -> None:
        """Find parameters of a callback-style layer object, or of one whose method this is."""
        owner = getattr(self.function, "__self__", self.function)
        with self.snapshot.guarded():
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
        twin = _FunctionTarget(
            self.function, self.inputs.cast(dtype), {}, self.snapshot, asked=False
        )
        return twin.build(unit_cotangent=True)
