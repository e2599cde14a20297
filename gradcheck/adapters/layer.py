"""Objects with ``forward`` (or ``__call__``) and ``backward``, however they keep parameters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.binding import (
    CACHE_NAMES,
    Call,
    align_gradients,
    call_backward,
    required_names,
)
from gradcheck.adapters.discovery import (
    by_shape,
    float_attributes,
    is_stable,
    shares,
    takes_no_cotangent,
)
from gradcheck.adapters.inputs import Inputs
from gradcheck.adapters.parameters import Parameter, find_parameters, stored_gradient
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
)

FORWARD_NAMES = ("forward", "__call__", "loss", "call", "apply")
BACKWARD_NAMES = ("backward", "backprop", "gradient", "grad", "backward_pass", "bprop", "vjp")


def matches(thing: Any) -> bool:
    """Whether ``thing`` is an object with a forward and a backward method."""
    return (
        not isinstance(thing, type)
        and _method(thing, BACKWARD_NAMES) is not None
        and _method(thing, FORWARD_NAMES) is not None
    )


def adapt(layer: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a layer or loss object at ``arguments``.

    Raises
    ------
    TargetError
        If no gradient can be found after a backward, or more than there are tensors.
    """
    memory = Memory([layer, *arguments])
    with memory.guarded():
        return _LayerAdapter(layer, Inputs.of(_forward(layer), arguments), memory, params).target()


def _method(thing: Any, names: Sequence[str]) -> Callable[..., Any] | None:
    for name in names:
        method = getattr(thing, name, None)
        if callable(method):
            return method  # type: ignore[no-any-return]
    return None


def method_of(thing: Any, names: Sequence[str]) -> Callable[..., Any]:
    """Return the first of the methods that ``thing`` has.

    Raises
    ------
    TargetError
        If it has none.
    """
    method = _method(thing, names)
    if method is None:
        raise TargetError(f"{type(thing).__name__} has none of the methods {', '.join(names)}")
    return method


def _forward(layer: Any) -> Callable[..., Any]:
    return method_of(layer, FORWARD_NAMES)


class _LayerAdapter:
    """Runs a layer at given tensors, and reads the gradients where the layer leaves them."""

    def __init__(self, layer: Any, inputs: Inputs, memory: Memory, params: Any) -> None:
        self.layer = layer
        self.inputs = inputs
        self.memory = memory
        self.parameters: dict[str, Parameter] = {}
        self.returned: list[str] = []  # parameters whose gradients backward returns
        self.dirty: set[str] = set()
        self.unit_cotangent = False
        self._discover(params)
        self.base = self.tensors()

    def tensors(self) -> dict[str, Array]:
        """Return all differentiable tensors: inputs first, then parameters."""
        parameters = {
            name: np.array(parameter.place.get()) for name, parameter in self.parameters.items()
        }
        return {**self.inputs.tensors, **parameters}

    def target(self) -> Target:
        """Return the target this adapter serves."""
        if not self.base:
            raise TargetError(
                f"nothing to differentiate in {type(self.layer).__name__}: no input is a "
                "floating-point array (integers are taken for indices) and no parameters with "
                f"gradients were found. Inputs: {_kinds(self.inputs.values)}"
            )
        shapes = ", ".join(f"{name}{list(value.shape)}" for name, value in self.base.items())
        return Target.from_run(
            f"{type(self.layer).__name__}({shapes})",
            self.base,
            self.run,
            recast=self.recast,
            roles=dict.fromkeys(self.parameters, "parameter"),
            state=self.memory,
            unit_cotangent=self.unit_cotangent,
            batch=self.inputs.batch,
            batch_tensors=self.inputs.batch_tensors,
        )

    def run(self, tensors: Tensors) -> Run:
        """Run forward at ``tensors``; the pullback runs the layer's own backward."""
        self._write_parameters(tensors)
        for parameter in self.parameters.values():
            parameter.zero_gradient()
        arguments = self.inputs.arguments(tensors)
        raw = _forward(self.layer)(*arguments)
        raw, cache, has_cache = self._split_cache(raw)
        outputs = as_outputs(raw)
        single = not isinstance(raw, tuple | list)

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            call = Call(
                arguments,
                self.inputs.names,
                outputs,
                raw,
                cotangents[0] if single else cotangents,
                cache,
                has_cache,
            )
            result = call_backward(self._backward(), call)
            return self._collect(result)

        handed = {
            name: np.asarray(value)
            for name, value in zip(self.inputs.names, arguments, strict=True)
            if name in tensors
        }
        places = {name: np.asarray(p.place.get()) for name, p in self.parameters.items()}
        return Run(outputs, pullback, {**handed, **places})

    def recast(self, dtype: type[np.floating[Any]]) -> Target | None:
        """Return a copy of the layer computing in ``dtype``."""
        try:
            twin = copy.deepcopy(self.layer)
        except Exception:  # noqa: BLE001 (whatever a stranger's __deepcopy__ raises means: no)
            return None
        inputs = self.inputs.cast(dtype)
        adapter = _LayerAdapter.__new__(_LayerAdapter)
        adapter.layer, adapter.inputs = twin, inputs
        adapter.returned, adapter.dirty = self.returned, set()
        adapter.unit_cotangent = self.unit_cotangent
        adapter.parameters = {p.name: p for p in find_parameters(twin)}
        if not set(self.parameters) <= set(adapter.parameters):
            return None
        adapter.parameters = {name: adapter.parameters[name] for name in self.parameters}
        for parameter in adapter.parameters.values():
            parameter.place.replace(np.asarray(parameter.place.get()).astype(dtype))
        seen = {p.name: np.asarray(p.place.get()).dtype for p in find_parameters(twin)}
        if any(seen.get(name) != dtype for name in adapter.parameters):
            return None
        adapter.memory = Memory([twin, *inputs.values.values()])
        adapter.base = adapter.tensors()
        return adapter.target()

    def _backward(self) -> Callable[..., Any]:
        return method_of(self.layer, BACKWARD_NAMES)

    def _split_cache(self, raw: Any) -> tuple[Any, Any, bool]:
        """Tell (output, cache) from two outputs, by what backward asks for."""
        if not (isinstance(raw, tuple) and len(raw) == 2):
            return raw, None, False
        wanted = required_names(self._backward()) or []
        asks_for_cache = len(wanted) == 2 and any(name.lower() in CACHE_NAMES for name in wanted)
        if asks_for_cache or not isinstance(raw[1], np.ndarray | np.generic | float):
            return raw[0], raw[1], True
        return raw, None, False

    def _write_parameters(self, tensors: Tensors) -> None:
        for name, parameter in self.parameters.items():
            changed = tensors[name] is not self.base[name]
            if changed or name in self.dirty:
                parameter.place.put(tensors[name])
            if changed:
                self.dirty.add(name)
            else:
                self.dirty.discard(name)

    def _collect(self, result: Any) -> dict[str, Any]:
        gradients = align_gradients(result, self.inputs.values, self.returned)
        for name, parameter in self.parameters.items():
            if name not in gradients:
                gradient = parameter.gradient()
                if gradient is not None:
                    gradients[name] = gradient
        first = next(iter(self.inputs.tensors), None)
        if first is not None and first not in gradients:
            stored = stored_gradient(self.layer, first)
            if stored is not None:
                gradients[first] = stored
        return gradients

    def _discover(self, params: Any) -> None:
        """Run once forward and backward to see where the gradients appear."""
        self.base = self.inputs.tensors
        before = {id(value): value for value in float_attributes(self.layer).values()}
        arguments = self.inputs.arguments(self.inputs.tensors)
        raw, cache, has_cache = self._split_cache(_forward(self.layer)(*arguments))
        outputs = as_outputs(raw)
        ones = tuple(np.ones_like(output) for output in outputs)
        single = not isinstance(raw, tuple | list)
        cotangent = ones[0] if single else ones
        call = Call(arguments, self.inputs.names, outputs, raw, cotangent, cache, has_cache)
        result = call_backward(self._backward(), call)
        scalar = all(output.ndim == 0 for output in outputs)
        wanted = required_names(self._backward())
        self.unit_cotangent = scalar and wanted is not None and takes_no_cotangent(wanted, call)
        exclude = [*arguments, *outputs]
        found = find_parameters(self.layer, exclude)
        self.parameters = {
            parameter.name: parameter
            for parameter in found
            if is_stable(parameter, before) and not shares(parameter, exclude)
        }
        if params is not None:
            self._take_given(params)
        self._match_returned(result, before)

    def _take_given(self, params: Any) -> None:
        """Keep the parameters the user named, adding those that were not discovered."""
        given = params if isinstance(params, Mapping) else dict.fromkeys(params)
        known = {**self.parameters}
        self.parameters = {}
        for name, value in given.items():
            by_identity = next(
                (p for p in known.values() if value is not None and p.place.get() is value), None
            )
            parameter = known.get(name) or by_identity
            if parameter is None:
                raise TargetError(
                    f"params names {name!r}, but {type(self.layer).__name__} shows no gradient for "
                    f"it after backward; found parameters: {sorted(known) or 'none'}"
                )
            self.parameters[name] = parameter

    def _match_returned(self, result: Any, before: Mapping[int, Any]) -> None:
        """Name the parameters of a backward that returns their gradients: (dx, dW, db)."""
        if not isinstance(result, tuple | list):
            return
        missing = len(result) - len(self.inputs.values)
        if missing <= 0 or missing == len(self.parameters):
            self.returned = list(self.parameters) if missing > 0 else []
            return
        stable = {
            name: value
            for name, value in float_attributes(self.layer).items()
            if id(value) in before and isinstance(value, np.ndarray)
        }
        names = by_shape(stable, list(result)[len(self.inputs.values) :])
        if names is not None:
            self.returned = names
            for name in names:
                self.parameters[name] = Parameter(
                    name, Place(self.layer, name, False), lambda: None, True
                )


def _kinds(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}: {value.dtype} array"
        if isinstance(value, np.ndarray)
        else f"{name}: {type(value).__name__}"
        for name, value in values.items()
    )
