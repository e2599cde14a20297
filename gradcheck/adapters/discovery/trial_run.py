"""What one trial run of a layer shows: its parameters, and how their gradients are handed out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters.discovery.accessors import Accessor
from gradcheck.adapters.discovery.attributes import (
    ArrayAttribute,
    array_attributes,
    attributes,
    objects_in,
)
from gradcheck.adapters.discovery.parameters import Parameter, find_parameters, is_gradient, nothing
from gradcheck.adapters.signatures.backward_calls import takes_rate
from gradcheck.adapters.signatures.methods import backward_of
from gradcheck.adapters.signatures.name_tables import (
    INPUT_GRADIENTS,
    gradient_keys,
    gradient_stems,
    is_gradient_word,
    is_trained,
    plain,
)
from gradcheck.adapters.signatures.pytree import arrays_in, items
from gradcheck.adapters.signatures.results import BackwardCall
from gradcheck.numerics.blockwise import same
from gradcheck.state import StateSnapshot
from gradcheck.values import is_differentiable


@dataclass
class Found:
    """The parameters of a layer, and where their gradients are to be had.

    Attributes
    ----------
    parameters
        By name, in order of definition.
    returned
        Names of those whose gradients the backward returns.
    updated
        Places of those that the backward updates at once.
    rebound
        Names of those that the forward assigned once more, with the same numbers: what
        the output does not depend on is a cache from an earlier call.
    """

    parameters: dict[str, Parameter] = field(default_factory=dict)
    returned: list[str] = field(default_factory=list)
    updated: dict[str, Accessor] = field(default_factory=dict)
    rebound: list[str] = field(default_factory=list)


class TrialRun:
    """Compares what a layer keeps before its forward, after it, and after its backward.

    Parameters
    ----------
    layer
        Any object, before the forward ran.
    snapshot
        What was remembered of it, so that large parameters are not copied twice.
    """

    def __init__(self, layer: Any, snapshot: StateSnapshot) -> None:
        self.layer = layer
        self._held = dict(attributes(layer))
        self._before = array_attributes(layer)
        self._kept = {a.accessor.place: a.accessor.get() for a in self._before}
        self._contents = {place: snapshot.copy_of(value) for place, value in self._kept.items()}
        self._stable: list[ArrayAttribute] = []
        self._later: dict[Any, Any] = {}

    def after_forward(self) -> None:
        """Note what the forward left alone: neither caches nor running statistics."""
        self._later = {
            attribute.accessor.place: np.array(attribute.accessor.get())
            for attribute in array_attributes(self.layer)
            if attribute.accessor.place not in self._kept
        } | self._contents
        self._stable = [
            attribute
            for attribute in self._before
            if attribute.accessor.get() is self._kept[attribute.accessor.place]
            and same(attribute.accessor.get(), self._contents[attribute.accessor.place])
        ]

    @property
    def leaves_nothing(self) -> bool:
        """Whether the layer holds the very same as before, so that a backward can know no input."""
        now = attributes(self.layer)
        return now.keys() == self._held.keys() and all(now[k] is v for k, v in self._held.items())

    def found(self, call: BackwardCall, result: Any, *, updates: bool) -> Found:
        """Return what a backward that returned ``result``, with or without updates, shows."""
        exclude = [*call.inputs, *call.result.outputs]
        stable = {attribute.accessor.place for attribute in self._stable}
        found = Found()
        for parameter in find_parameters(self.layer, exclude):
            accessor = parameter.accessor
            key = accessor.place
            again = key not in stable and key in self._contents
            again = again and same(accessor.get(), self._contents[key])
            if _shares(accessor.get(), exclude):
                continue
            if parameter.declared or key in stable or again:
                found.parameters[parameter.name] = parameter
            if again and not parameter.declared:
                found.rebound.append(parameter.name)
        if updates:
            self._find_updated(found)
        self._find_returned(found, call, result)
        return found

    def unpaired(self, found: Found) -> list[tuple[ArrayAttribute, tuple[int, ...]]]:
        """Return what the backward wrote that is called a gradient, but whose is not known."""
        known = [parameter.gradient() for parameter in found.parameters.values()]
        return [
            (attribute, attribute.array.shape)
            for attribute in array_attributes(self.layer)
            if attribute.array is not None
            and isinstance(attribute.key, str)
            and (any(gradient_stems(attribute.key)) or is_gradient_word(attribute.key))
            and plain(attribute.key) not in INPUT_GRADIENTS
            and not any(attribute.array is value for value in known)
            and self._is_fresh(attribute)
        ]

    def _is_fresh(self, attribute: ArrayAttribute) -> bool:
        key = attribute.accessor.place
        return key not in self._later or not same(attribute.accessor.get(), self._later[key])

    def candidates(self, found: Found, exclude: Sequence[Any]) -> Iterator[ArrayAttribute]:
        """Yield the arrays that may be parameters, for all that their gradient was not seen."""
        taken = {id(parameter.accessor.get()) for parameter in found.parameters.values()}
        now = array_attributes(self.layer)
        for attribute in self._stable:
            array = attribute.array
            if array is None or id(array) in taken or _shares(array, exclude):
                continue
            if not any(is_gradient(attribute, other) for other in now):
                yield attribute

    def _find_updated(self, found: Found) -> None:
        now = array_attributes(self.layer)
        for attribute in self._stable:
            changed = not same(attribute.accessor.get(), self._contents[attribute.accessor.place])
            if changed and not any(is_gradient(attribute, other) for other in now):
                found.updated[attribute.name] = attribute.accessor
                known = found.parameters.get(attribute.name)
                reader = known.gradient if known is not None else nothing
                found.parameters[attribute.name] = Parameter(
                    attribute.name, attribute.accessor, reader, True
                )

    def _find_returned(self, found: Found, call: BackwardCall, result: Any) -> None:
        """Name the parameters of a backward that returns their gradients."""
        keyed = dict(_keyed(result))
        named = {
            attribute.name: attribute.accessor
            for attribute in self._stable
            if any(key in keyed for key in gradient_keys(str(attribute.key)))
            and attribute.name not in call.names
        }
        if keyed:
            self._take_returned(found, named)
            return
        gradients = list(arrays_in(result)) if items(result) else []
        arrays = [attribute for attribute in self._stable if attribute.array is not None]
        likely = sorted(arrays, key=lambda attribute: not is_trained(attribute.word))
        pool = {attribute.name: attribute for attribute in likely}
        shaped = {name: attribute.array for name, attribute in pool.items()}
        for shape_of in (np.shape, _without_ones):  # a bias of (1, m) may have a gradient of (m,)
            for rest in _beside_inputs(gradients, call.inputs):
                names = by_shape(shaped, rest, shape_of)
                if names is not None:
                    self._take_returned(found, {name: pool[name].accessor for name in names})
                    return
        if len(gradients) - len(call.inputs) == len(found.parameters):
            found.returned = list(found.parameters)

    def _take_returned(self, found: Found, accessors: Mapping[str, Accessor]) -> None:
        found.returned = list(accessors)
        for name, accessor in accessors.items():
            if name not in found.parameters:
                found.parameters[name] = Parameter(name, accessor, nothing, True)


def by_shape(
    candidates: Mapping[str, Any],
    gradients: Sequence[Any],
    shape_of: Callable[[Any], tuple[int, ...]] = np.shape,
) -> list[str] | None:
    """Give every returned gradient the attribute of its shape, in the order of definition."""
    left = dict(candidates)
    names = []
    for gradient in gradients:
        shape = shape_of(gradient)
        name = next((name for name, value in left.items() if shape_of(value) == shape), None)
        if name is None:
            return None
        names.append(name)
        del left[name]
    return names


def _without_ones(value: Any) -> tuple[int, ...]:
    return tuple(length for length in np.shape(value) if length != 1)


def _beside_inputs(gradients: list[Any], inputs: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield what is left of the gradients when those of the inputs, first or last, are gone."""
    arrays = [value for value in inputs if is_differentiable(value)]
    for own in (list(inputs), arrays, arrays[:1], []):
        count = len(own)
        if count < len(gradients):
            for rest, taken in (
                (gradients[count:], gradients[:count]),
                (gradients[: len(gradients) - count], gradients[len(gradients) - count :]),
            ):
                if all(
                    g is None or np.shape(g) == np.shape(value)
                    for g, value in zip(taken, own, strict=True)
                ):
                    yield rest


def _keyed(result: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the items of all dicts among what a backward returned."""
    for suffix, part in items(result):
        if isinstance(result, Mapping) and not items(part):
            yield suffix[1:], part
        yield from _keyed(part)


def takes_rates(layer: Any, backward: Callable[..., Any]) -> bool:
    """Whether a backward, or that of a part, takes a learning rate."""
    parts = (thing for _, name, thing in objects_in(layer) if name)
    methods = filter(None, map(backward_of, parts))
    return any(map(takes_rate, (backward, *methods)))


def _shares(value: Any, arrays: Sequence[Any]) -> bool:
    """Whether a value lies in the memory of an input or output: then it is a cache."""
    return isinstance(value, np.ndarray) and any(
        isinstance(array, np.ndarray) and np.shares_memory(value, array) for array in arrays
    )
