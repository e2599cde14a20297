"""Pairs of functions: ``(forward, backward)`` with a cache, and ``(f, grad)`` of a scalar f."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.conventions import layer
from gradcheck.adapters.discovery.accessors import Accessor, places_in
from gradcheck.adapters.discovery.attributes import AttributeSlot
from gradcheck.adapters.discovery.coverage import Coverage
from gradcheck.adapters.discovery.reachable_arrays import reachable
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.call_conventions import (
    BackwardCall,
    BackwardResult,
    call_backward,
    call_pointwise,
    is_pointwise,
)
from gradcheck.adapters.signatures.gradient_alignment import align_gradients, required_names
from gradcheck.adapters.signatures.methods import Names, same_owner
from gradcheck.adapters.signatures.name_tables import gradient_stems, is_cache, is_cotangent, stem
from gradcheck.state import StateSnapshot
from gradcheck.target import ForwardRun, Target, TargetError, as_outputs, is_scalar


def matches(thing: Any) -> bool:
    """Whether ``thing`` is a pair of callables."""
    return isinstance(thing, tuple | list) and len(thing) == 2 and all(map(callable, thing))


def adapt(pair: Any, arguments: Sequence[Any], params: Any = None) -> Target:
    """Return the target of a pair of functions at ``arguments``.

    The first function tells which pair it is: one that returns ``(output, cache)``, or whose
    partner takes a cotangent, is a forward; a scalar one with a partner of the same arguments is
    ``(f, grad)``, as in `scipy.optimize.check_grad`.
    """
    first, second = pair
    owner = same_owner(first, second)
    if owner is not None:
        names = Names(first.__name__, second.__name__)
        return layer.adapt(owner, arguments, params, names)
    snapshot = StateSnapshot([first, second, *arguments, params])
    inputs = Inputs.of(first, arguments).promoted(first, snapshot)
    places = places_in(params)
    base = {name: np.array(place.get()) for name, place in places.items()}
    with snapshot.guarded():
        raw = first(*inputs.arguments(inputs.tensors))
        is_gradient = is_scalar(raw) and _takes(second, inputs)
    if not (inputs.tensors or places):
        raise TargetError(
            f"{_name(first)} was given no floating-point array to differentiate; "
            "pass its inputs after the pair: check((forward, backward), x, w, b)"
        )
    kind = _Objective if is_gradient else _Forward
    functions = kind(first, second, inputs, places, base, snapshot)
    with snapshot.guarded():
        parameters = functions.parameters()
    return functions.target(parameters, unit_cotangent=is_gradient or _wants_cache_alone(second))


def _takes(gradient: Callable[..., Any], inputs: Inputs) -> bool:
    """Whether ``gradient`` takes just what f takes, and no cotangent or cache beside or instead."""
    wanted = required_names(gradient)
    if wanted is None:
        return True
    others = [name for name in wanted if name not in inputs.values]
    asks_for_more = any(is_cache(name) or is_cotangent(name) for name in others)
    return len(wanted) == len(inputs.values) and not asks_for_more


def _wants_cache_alone(backward: Callable[..., Any]) -> bool:
    """Whether the backward of a loss takes only its cache."""
    wanted = required_names(backward)
    return wanted is not None and len(wanted) == 1 and is_cache(wanted[0])


@dataclass(frozen=True)
class _Pair:
    """Two functions, their inputs, and the parameters they read from elsewhere."""

    first: Callable[..., Any]
    second: Callable[..., Any]
    inputs: Inputs
    places: dict[str, Accessor]
    base: dict[str, Array]
    snapshot: StateSnapshot
    keys: set[Any] = field(default_factory=set)
    left: dict[str, AttributeSlot] = field(default_factory=dict)
    is_objective: ClassVar[bool] = False

    @property
    def tensors(self) -> dict[str, Array]:
        """All tensors: inputs, then the parameters read from elsewhere."""
        return {**self.inputs.tensors, **self.base}

    def parameters(self) -> set[str]:
        """Return the tensors whose gradients are owed.

        They are those in a container that some gradient is claimed of; without such a container,
        all after the first input of a forward, and all that an objective's gradient names.
        """
        run = self.run(self.tensors)
        claimed = run.pullback(tuple(np.ones_like(output) for output in run.outputs))
        if self.places.keys() - claimed.keys():
            self._find_left(self.places.keys() - claimed.keys())
        owed = self.inputs.owed(claimed)
        if owed:
            return owed | self.base.keys()
        first = next(iter(self.inputs.leaves.values()), {})
        plain = {name for name in self.inputs.values if name in self.inputs.tensors}
        later = [name for name in (*plain, *self.base) if name not in first]
        free = set(self.tensors) if self.is_objective else self.inputs.whole
        return {name for name in later if name in claimed or name not in free}

    def _find_left(self, names: Iterable[str]) -> None:
        """Find gradients that the second function leaves in a closure or a module, by name."""
        slots = reachable([self.second])
        for name in names:
            own = (slot for slot in slots if slot.word and stem(name) in gradient_stems(slot.word))
            slot = next(own, None)
            if slot is not None:
                self.left[name] = slot

    def target(self, parameters: set[str], *, unit_cotangent: bool) -> Target:
        """Return the target of the pair."""

        def recast(dtype: type[np.floating[Any]]) -> Target:
            twin = replace(self, inputs=self.inputs.cast(dtype))
            return twin.target(parameters, unit_cotangent=unit_cotangent)

        return Target.from_run(
            _name(self.first),
            self.tensors,
            self.run,
            recast=None if self.places else recast,
            roles=dict.fromkeys(parameters, "parameter"),
            state=self.snapshot,
            unit_cotangent=unit_cotangent,
            batch=self.inputs.batch,
            batch_tensors=self.inputs.batch_tensors,
            uncovered=Coverage(
                (self.first, self.second, *self.inputs.others),
                lambda: self.places.values(),
                tuple(self.inputs.values.values()),
                asked=bool(self.places),
                keys=lambda: self.keys,
            ),
        )

    def run(self, tensors: Tensors) -> ForwardRun:
        """Run the first function at ``tensors``."""
        for name, place in self.places.items():
            place.put(tensors[name])
        arguments = self.inputs.arguments(tensors)
        handed = self.inputs.handed(arguments)
        outputs, claim = self.evaluate(arguments)

        def pullback(cotangents: Outputs) -> dict[str, Any]:
            claimed = claim(cotangents)
            self.keys.update(claimed if isinstance(claimed, Mapping) else ())
            gradients = align_gradients(claimed, self.inputs.values, self.base)
            left = {n: s.read() for n, s in self.left.items() if n not in gradients}
            return gradients | {name: value for name, value in left.items() if value is not None}

        return ForwardRun(outputs, pullback, handed)

    def evaluate(self, arguments: Sequence[Any]) -> tuple[Outputs, Callable[[Outputs], Any]]:
        """Return the outputs, and what maps cotangents to what the second function returns."""
        raise NotImplementedError


class _Objective(_Pair):
    """A scalar f and its gradient."""

    is_objective = True

    def evaluate(self, arguments: Sequence[Any]) -> tuple[Outputs, Callable[[Outputs], Any]]:
        """Return f, and the gradient times the cotangent."""
        outputs = as_outputs(self.first(*arguments))

        def claim(cotangents: Outputs) -> Any:
            gradient = self.second(*arguments)
            return gradient if cotangents[0] == 1 else _scaled(gradient, cotangents[0])

        return outputs, claim


class _Forward(_Pair):
    """A forward and the backward that belongs to it."""

    def evaluate(self, arguments: Sequence[Any]) -> tuple[Outputs, Callable[[Outputs], Any]]:
        """Return the outputs without the cache, and the backward called as it wants to be."""
        result = BackwardResult.of(self.first(*arguments), self.second)

        def claim(cotangents: Outputs) -> Any:
            call = BackwardCall(arguments, self.inputs.names, result, result.cotangent(cotangents))
            if is_pointwise(required_names(self.second), call):
                return call_pointwise(self.second, call)
            return call_backward(self.second, call)

        return result.outputs, claim


def _scaled(gradient: Any, factor: Any) -> Any:
    """Return a gradient, or a container of gradients, times a number."""
    if gradient is None or isinstance(gradient, str):
        return gradient
    if isinstance(gradient, dict):
        return {key: _scaled(value, factor) for key, value in gradient.items()}
    if isinstance(gradient, list | tuple) and not hasattr(gradient, "_fields"):
        return type(gradient)(_scaled(part, factor) for part in gradient)
    return np.asarray(gradient) * factor


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)
