"""Where a layer keeps its parameters, and where it leaves their gradients or what implies them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.discovery.accessors import Accessor, item_of, set_to
from gradcheck.adapters.discovery.attributes import (
    ArrayAttribute,
    array_attributes,
    attributes,
    objects_in,
    own_prefix,
    value_and_gradient,
)
from gradcheck.adapters.signatures.name_tables import (
    CONTAINERS,
    INPUT_GRADIENTS,
    OUTPUT_NAMES,
    RATE_ATTRIBUTES,
    gradient_keys,
    gradient_stems,
    is_gradient_word,
    plain,
    stem,
)
from gradcheck.adapters.signatures.readings import UNIT_RATE
from gradcheck.values import is_differentiable


@dataclass(frozen=True)
class Parameter:
    """A parameter of a layer: where it lives and where its gradient appears.

    ``declared`` says that the layer lists it among its parameters, so that a gradient is owed.
    """

    name: str
    accessor: Accessor
    gradient: Callable[[], Any]
    declared: bool

    def zero_gradient(self) -> None:
        """Clear what earlier backward calls accumulated."""
        gradient = self.gradient()
        if isinstance(gradient, np.ndarray) and gradient.flags.writeable:
            gradient[...] = 0


def nothing() -> Any:
    """Return no gradient: the reader of a parameter that leaves none."""
    return None


def find_parameters(layer: Any, exclude: Sequence[Any] = ()) -> list[Parameter]:
    """Find the parameters of ``layer`` and of what it is made of.

    Call it after a backward has run: many layers create their gradients only then. Arrays that are
    no parameters, such as the inputs, are those to ``exclude``.
    """
    found: list[Parameter] = []
    taken = {id(array) for array in exclude}
    declared = (_declared(thing, own_prefix(*where)) for *where, thing in objects_in(layer))
    for parameter in (*chain.from_iterable(declared), *by_name(array_attributes(layer))):
        value = parameter.accessor.get()
        key = id(value) if isinstance(value, np.ndarray) else hash(parameter.name)
        if key not in taken:
            taken.add(key)
            found.append(parameter)
    return found


def by_name(accessors: Iterable[ArrayAttribute]) -> Iterator[Parameter]:
    """Pair what is called like a parameter with what is called like its gradient."""
    accessors = list(accessors)
    by_part: dict[str, list[ArrayAttribute]] = {}
    for attribute in accessors:
        by_part.setdefault(attribute.part, []).append(attribute)
    for attribute in accessors:
        own = by_part[attribute.part]
        gradient = next((g for g in own if is_gradient(g, attribute)), None)
        if gradient is not None and not any(is_gradient(attribute, other) for other in own):
            yield Parameter(attribute.name, attribute.accessor, gradient.read, False)


def is_gradient(gradient: ArrayAttribute, parameter: ArrayAttribute) -> bool:
    """Whether, by its name, one attribute of a layer holds the gradient of another one."""
    if gradient is parameter or gradient.part != parameter.part:
        return False
    ours, theirs = parameter.container, gradient.container
    if len(parameter.route) > 1 and gradient.route == parameter.route:
        homes = str(gradient.home.key), str(parameter.home.key)
        return homes[0] != homes[1] and _holds_gradients(*homes)
    if isinstance(gradient.key, str) != isinstance(parameter.key, str):
        return False
    if isinstance(gradient.key, str):
        wanted = stem(parameter.key)
        if wanted in gradient_stems(gradient.key) and not is_gradient_word(ours):
            return True
        return stem(gradient.key) == wanted and theirs != ours and _holds_gradients(theirs, ours)
    return bool(gradient.key == parameter.key and ours != theirs and _holds_gradients(theirs, ours))


def _holds_gradients(container: str, parameters: str) -> bool:
    """Whether a container is called like that of the gradients of another one's items."""
    if container == "" or is_gradient_word(parameters):
        return False
    if parameters and stem(parameters) in gradient_stems(container):
        return True
    general = plain(parameters) in ("", "params", "parameters", "weights", "p")
    return general and is_gradient_word(container)


def _declared(layer: Any, prefix: str) -> Iterator[Parameter]:
    for values_name, gradients_name in CONTAINERS:
        values = _value_or_result(layer, values_name)
        gradients = _value_or_result(layer, gradients_name)
        keyed = isinstance(values, Mapping) and isinstance(gradients, Mapping)
        if keyed or (isinstance(values, list | tuple) and isinstance(gradients, list | tuple)):
            yield from _beside_gradients(layer, values_name, gradients_name, prefix)
        elif isinstance(values, Mapping | list | tuple):
            yield from _from_parameter_objects(layer, values, values_name, prefix)


def _value_or_result(layer: Any, name: str) -> Any:
    """Return an attribute, or what the method of that name returns."""
    value = getattr(layer, name, None)
    if not callable(value):
        return value
    try:
        result = value()
        return list(result) if isinstance(result, Iterator) else result
    except Exception:  # noqa: BLE001 (it wants arguments, or gradients that are not there yet)
        return None


def _beside_gradients(
    layer: Any, values_name: str, gradients_name: str, prefix: str
) -> Iterator[Parameter]:
    """Parameters in a dict or list, whose gradients are in another one."""
    values = _value_or_result(layer, values_name)
    keyed = isinstance(values, Mapping)
    made_anew = not keyed or _value_or_result(layer, values_name) is not values
    owned = {id(value): name for name, value in attributes(layer).items()}

    def reader(key: Any) -> Callable[[], Any]:
        def read() -> Any:
            gradients = _value_or_result(layer, gradients_name) or {}
            keys = gradient_keys(key) if isinstance(key, str) else [key]
            return next((g for g in (item_of(gradients, k) for k in keys) if g is not None), None)

        return read

    for key, value in values.items() if keyed else enumerate(values):
        if is_differentiable(value):
            name = key if keyed else owned.get(id(value), f"params[{key}]")
            # a list or dict that is made at every call is not where they are kept
            homes = array_attributes(layer) if made_anew else ()
            home = next((a.accessor for a in homes if a.accessor.get() is value), None)
            accessor = home or Accessor(values, key, True)
            yield Parameter(f"{prefix}{name}", accessor, reader(key), True)


def _from_parameter_objects(layer: Any, values: Any, name: str, prefix: str) -> Iterator[Parameter]:
    """Parameters that carry their own gradient, as ``p.data`` and ``p.grad`` do."""
    items = values.items() if isinstance(values, Mapping) else enumerate(values)
    owned = {id(value): attribute for attribute, value in attributes(layer).items()}
    for key, item in items:
        named = value_and_gradient(item)
        if named is not None:
            label = owned.get(id(item), key if isinstance(key, str) else f"{name}[{key}]")
            accessor, gradient = (Accessor(item, attribute, False) for attribute in named)
            yield Parameter(f"{prefix}{label}", accessor, gradient.get, True)


def stored_gradient(layer: Any, name: str) -> Array | None:
    """Return the input gradient that a backward left as an attribute, such as ``layer.dx``."""
    wanted = {plain(key) for key in gradient_keys(name)[1:]}
    wanted |= INPUT_GRADIENTS
    for attribute, value in attributes(layer).items():
        if plain(attribute) in wanted and is_differentiable(value):
            return np.array(value)
    return None


def stored_output(layer: Any) -> Any:
    """Return the output that a forward left as an attribute instead of returning it."""
    own = attributes(layer)
    return next((own[name] for name in own if name.lower() in OUTPUT_NAMES), None)


class Updates:
    """Undoes what a backward does to the parameters, and keeps the gradient it implies.

    Parameters
    ----------
    accessors
        Where the parameters are kept that the backward updates.
    layer
        Has a learning rate of its own, unless the backward takes one.
    rate
        The learning rate of the updates.
    """

    def __init__(
        self,
        accessors: Mapping[str, Accessor] | None = None,
        layer: Any = None,
        rate: float = UNIT_RATE,
    ) -> None:
        self.accessors = dict(accessors or {})
        self.rate = rate
        self._knobs = list(rates(layer)) if self.accessors else []

    def made_by(self, backward: Callable[[], Any]) -> tuple[Any, dict[str, Array]]:
        """Return what ``backward`` returns, and the gradients its updates imply."""
        held = {name: accessor.get() for name, accessor in self.accessors.items()}
        before = {name: np.array(value) for name, value in held.items()}
        with set_to((knob, UNIT_RATE) for knob in self._knobs):
            result = backward()
        # W - rate * gradient
        implied = {
            name: (before[name] - np.asarray(accessor.get())) / self.rate
            for name, accessor in self.accessors.items()
        }
        for name, accessor in self.accessors.items():
            if isinstance(held[name], np.ndarray):
                np.copyto(held[name], before[name])
            accessor.replace(held[name])
        return result, implied


def rates(layer: Any) -> Iterator[Accessor]:
    """Yield the learning rates that a layer and its parts keep as attributes."""
    for _, _, thing in objects_in(layer):
        for name in RATE_ATTRIBUTES:
            if isinstance(getattr(thing, name, None), float | int):
                yield Accessor(thing, name, False)
