"""Where a stranger's layer keeps its parameters, and where it leaves their gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.adapters.binding import gradient_keys
from gradcheck.adapters.places import Place
from gradcheck.memory import OPAQUE_MODULES
from gradcheck.target import Array, is_differentiable

# Pairs of attributes (or methods) under which parameters and gradients are declared.
CONTAINERS = (
    ("params", "grads"),
    ("parameters", "gradients"),
    ("parameters", "grads"),
    ("params", "gradients"),
    ("_params", "_grads"),
    ("weights", "gradients"),
    ("weights", "grads"),
)
ABBREVIATIONS = {"weight": "w", "weights": "w", "bias": "b", "biases": "b"}
PREFIXES = ("d", "grad", "g", "gradient", "dl", "dld", "delta", "del", "nabla")
SUFFIXES = ("grad", "gradient", "gradients", "grads")
DEEPEST = 4


@dataclass(frozen=True)
class Parameter:
    """A parameter of a layer: where it lives and where its gradient appears.

    ``declared`` says that the layer lists it among its parameters, so that a gradient is owed.
    """

    name: str
    place: Place
    gradient: Callable[[], Any]
    declared: bool

    def zero_gradient(self) -> None:
        """Clear what earlier backward calls accumulated."""
        gradient = self.gradient()
        if isinstance(gradient, np.ndarray) and gradient.flags.writeable:
            gradient[...] = 0


def find_parameters(layer: Any, exclude: Sequence[Any] = ()) -> list[Parameter]:
    """Find the parameters of ``layer`` and of what it is made of.

    Call it after a backward has run: many layers create their gradients only then.

    Parameters
    ----------
    layer
        Any object.
    exclude
        Arrays that are no parameters, such as the inputs.
    """
    found: list[Parameter] = []
    taken = {id(array) for array in exclude}
    for parameter in _walk(layer, "", 0, set()):
        value = parameter.place.get()
        key = id(value) if isinstance(value, np.ndarray) else hash(parameter.name)
        if key not in taken:
            taken.add(key)
            found.append(parameter)
    return found


def _walk(layer: Any, prefix: str, depth: int, seen: set[int]) -> Iterator[Parameter]:
    if depth > DEEPEST or id(layer) in seen:
        return
    seen.add(id(layer))
    yield from _declared(layer, prefix)
    yield from _attribute_pairs(layer, prefix)
    for name, part in _parts(layer):
        yield from _walk(part, f"{prefix}{name}.", depth + 1, seen)


def _parts(layer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the objects a composite layer is made of, by attribute, list or dict position."""
    for name, value in _attributes(layer).items():
        if _is_own_object(value):
            yield name, value
        elif isinstance(value, list | tuple):
            for position, item in enumerate(value):
                if _is_own_object(item):
                    yield f"{name}[{position}]", item
        elif isinstance(value, dict):
            for key, item in value.items():
                if _is_own_object(item):
                    yield f"{name}[{key!r}]", item


def _is_own_object(value: Any) -> bool:
    module = type(value).__module__.partition(".")[0]
    return (
        hasattr(value, "__dict__")
        and not isinstance(value, type)
        and module not in OPAQUE_MODULES
        and not callable(getattr(value, "__wrapped__", None))
        and type(value).__name__ not in ("function", "method", "module")
    )


def _attributes(thing: Any) -> dict[str, Any]:
    attributes = getattr(thing, "__dict__", None)
    slots = {
        slot: getattr(thing, slot)
        for owner in type(thing).__mro__
        for slot in getattr(owner, "__slots__", ())
        if isinstance(slot, str) and hasattr(thing, slot)
    }
    return {**slots, **(attributes if isinstance(attributes, dict) else {})}


def _declared(layer: Any, prefix: str) -> Iterator[Parameter]:
    for values_name, gradients_name in CONTAINERS:
        values = _value_or_result(layer, values_name)
        gradients = _value_or_result(layer, gradients_name)
        if isinstance(values, Mapping) and isinstance(gradients, Mapping):
            yield from _from_mappings(layer, values, gradients_name, prefix, values_name)
        elif isinstance(values, list | tuple) and isinstance(gradients, list | tuple):
            yield from _from_sequences(layer, values, gradients_name, prefix)
        elif isinstance(values, Mapping | list | tuple):
            yield from _from_parameter_objects(layer, values, values_name, prefix)


def _value_or_result(layer: Any, name: str) -> Any:
    """Return an attribute, or what the method of that name returns."""
    value = getattr(layer, name, None)
    if not callable(value):
        return value
    try:
        result = value()
    except TypeError:  # it wants arguments: not the convention meant here
        return None
    return list(result) if isinstance(result, Iterator) else result


def _from_mappings(
    layer: Any,
    values: Mapping[Any, Any],
    gradients_name: str,
    prefix: str,
    values_name: str = "",
) -> Iterator[Parameter]:
    def reader(key: Any) -> Callable[[], Any]:
        def read() -> Any:
            gradients = _value_or_result(layer, gradients_name) or {}
            keys = gradient_keys(key) if isinstance(key, str) else [key]
            return next((gradients[k] for k in keys if k in gradients), None)

        return read

    made_anew = values_name and _value_or_result(layer, values_name) is not values
    for key, value in values.items():
        if is_differentiable(value):
            home = _home(layer, value) if made_anew else None
            place = home or Place(values, key, True)
            yield Parameter(f"{prefix}{key}", place, reader(key), True)


def _from_sequences(
    layer: Any, values: Sequence[Any], gradients_name: str, prefix: str
) -> Iterator[Parameter]:
    def reader(position: int) -> Callable[[], Any]:
        def read() -> Any:
            gradients = _value_or_result(layer, gradients_name)
            return gradients[position] if position < len(gradients) else None

        return read

    owned = {id(value): name for name, value in _attributes(layer).items()}
    for position, value in enumerate(values):
        if is_differentiable(value):
            name = owned.get(id(value), f"params[{position}]")
            place = _home(layer, value) or Place(values, position, True)
            yield Parameter(prefix + name, place, reader(position), True)


def _home(layer: Any, array: Any, depth: int = 0) -> Place | None:
    """Return where in ``layer`` or its parts the very ``array`` is kept; None if nowhere.

    A list or dict of parameters made anew at every call is no such place.
    """
    if depth > DEEPEST:
        return None
    for name, value in _attributes(layer).items():
        if value is array:
            return Place(layer, name, False)
        items = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if (isinstance(value, list))
            else ()
        )
        for key, item in items:
            if item is array:
                return Place(value, key, True)
    for _, part in _parts(layer):
        found = _home(part, array, depth + 1)
        if found is not None:
            return found
    return None


def _from_parameter_objects(layer: Any, values: Any, name: str, prefix: str) -> Iterator[Parameter]:
    """Parameters that carry their own gradient, as ``p.data`` and ``p.grad`` do."""
    items = values.items() if isinstance(values, Mapping) else enumerate(values)
    owned = {id(value): attribute for attribute, value in _attributes(layer).items()}
    for key, item in items:
        for value_name in ("data", "value", "values"):
            for gradient_name in ("grad", "gradient", "g"):
                if is_differentiable(getattr(item, value_name, None)) and hasattr(
                    item, gradient_name
                ):
                    label = owned.get(id(item), key if isinstance(key, str) else f"{name}[{key}]")
                    yield Parameter(
                        f"{prefix}{label}",
                        Place(item, value_name, False),
                        Place(item, gradient_name, False).get,
                        True,
                    )


def _attribute_pairs(layer: Any, prefix: str) -> Iterator[Parameter]:
    attributes = _attributes(layer)
    by_plain_name = {_plain(name): name for name in attributes}
    for name, value in attributes.items():
        gradient = _partner(name, by_plain_name)
        if gradient is None:
            continue
        if is_differentiable(value) and not _is_gradient_name(name, by_plain_name):
            reader = Place(layer, gradient, False).get
            yield Parameter(prefix + name, Place(layer, name, False), reader, False)
        elif isinstance(value, list) and isinstance(attributes[gradient], list):
            for position, item in enumerate(value):
                if is_differentiable(item):
                    yield Parameter(
                        f"{prefix}{name}[{position}]",
                        Place(value, position, True),
                        _item_reader(layer, gradient, position),
                        False,
                    )
        elif isinstance(value, dict) and isinstance(attributes[gradient], dict):
            yield from _from_mappings(layer, value, gradient, prefix)


def _item_reader(layer: Any, attribute: str, position: int) -> Callable[[], Any]:
    def read() -> Any:
        gradients = getattr(layer, attribute)
        return gradients[position] if position < len(gradients) else None

    return read


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _partner(name: str, by_plain_name: Mapping[str, str]) -> str | None:
    """Return the attribute that holds the gradient of the attribute ``name``."""
    plain = _plain(name)
    stems = [plain, *([ABBREVIATIONS[plain]] if plain in ABBREVIATIONS else [])]
    for stem in stems:
        guesses = [*(prefix + stem for prefix in PREFIXES), *(stem + suffix for suffix in SUFFIXES)]
        for guess in guesses:
            partner = by_plain_name.get(guess)
            if partner is not None and partner != name:
                return partner
    return None


def _is_gradient_name(name: str, by_plain_name: Mapping[str, str]) -> bool:
    """Whether ``name`` is itself the gradient of another attribute, as ``dW`` is of ``W``."""
    return any(
        _partner(other, by_plain_name) == name for other in by_plain_name.values() if other != name
    )


def stored_gradient(layer: Any, name: str) -> Array | None:
    """Return the input gradient that a backward left as an attribute, such as ``layer.dx``."""
    wanted = {_plain(key) for key in gradient_keys(name)[1:]}
    wanted |= {"dx", "dinput", "dinputs", "gradinput", "gradinputs", "gradx", "inputgrad"}
    for attribute, value in _attributes(layer).items():
        if _plain(attribute) in wanted and is_differentiable(value):
            return np.array(value)
    return None
