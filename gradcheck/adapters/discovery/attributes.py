"""The attributes of a layer and its parts that hold a number or an array of numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from gradcheck.adapters.discovery.accessors import Accessor, item_of
from gradcheck.adapters.signatures.name_tables import gradient_stems
from gradcheck.state import OPAQUE_MODULES, kept_by_class, slotted
from gradcheck.values import is_differentiable

DEEPEST = 4
CONTAINERS = (dict, list, tuple, set, frozenset, deque, np.ndarray)
VALUE_NAMES = ("data", "value", "values")
GRADIENT_NAMES = ("grad", "gradient", "g")


@dataclass(frozen=True)
class ArrayAttribute:
    """An attribute or item that holds floating-point numbers.

    Attributes
    ----------
    part
        Which part of the layer has it: a prefix such as ``"layers[0]."``.
    container
        The dict or list attribute that it is an item of; empty for an attribute of its own.
    key
        Name of the attribute, key or position of the item.
    accessor
        Where it is kept now.
    home
        The attribute it is reached by, which may hold another container later.
    route
        Keys and positions from there.
    """

    part: str
    container: str
    key: Any
    accessor: Accessor
    home: Accessor
    route: tuple[Any, ...] = ()

    @property
    def name(self) -> str:
        """What to call it: ``W``, ``layers[0].W``, ``weights[1]``."""
        if not isinstance(self.key, str):
            return f"{self.part}{self.container}[{self.key!r}]"
        public = self.key.rpartition("__")[2] if self.key.startswith("_") else self.key
        public = public.lstrip("_") or self.key
        is_free = not self.route and not hasattr(self.accessor.owner, public)
        is_property = isinstance(getattr(type(self.accessor.owner), public, None), property)
        return f"{self.part}{public if is_free or is_property else self.key}"

    @property
    def word(self) -> str:
        """The name by which it is known: that of the attribute, the key, or the whole list."""
        return self.key if isinstance(self.key, str) else self.container

    @property
    def array(self) -> Any:
        """The array kept there, None where it is a plain number."""
        value = self.accessor.get()
        return value if isinstance(value, np.ndarray) else None

    def read(self) -> Any:
        """Return what is there now, by the same route; None where there is nothing."""
        value = self.home.get()
        for key in self.route:
            value = item_of(value, key)
        return value


OF_ATTRIBUTE = attrgetter("accessor")


def array_attributes(layer: Any) -> list[ArrayAttribute]:
    """Return all that holds floating-point numbers in ``layer`` and what it is made of."""
    return [attribute for found in objects_in(layer) for attribute in _arrays_of(*found)]


def attributes(thing: Any) -> dict[str, Any]:
    """Return the attributes of ``thing``: of its ``__slots__``, its dict, arrays of its class."""
    own = getattr(thing, "__dict__", None)
    kept = kept_by_class(type(thing)) | slotted(thing)
    return kept | own if isinstance(own, dict) else kept


def parts(layer: Any) -> Iterator[tuple[str, Any]]:
    """Yield the objects a composite layer is made of, by attribute, list or dict position."""
    for name, value in attributes(layer).items():
        if is_own_object(value):
            yield name, value
        elif isinstance(value, dict | list | tuple):
            for key, item in _keyed(value):
                if is_own_object(item):
                    yield f"{name}[{key!r}]", item


def objects_in(layer: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield a layer and the objects it is made of, each once: prefix of its owner, name, object."""
    return _objects_in("", "", layer, 0, set())


def _objects_in(
    prefix: str, name: str, thing: Any, depth: int, seen: set[int]
) -> Iterator[tuple[str, str, Any]]:
    if depth > DEEPEST or id(thing) in seen:
        return
    seen.add(id(thing))
    yield prefix, name, thing
    for label, part in parts(thing):
        yield from _objects_in(own_prefix(prefix, name), label, part, depth + 1, seen)


def own_prefix(prefix: str, name: str) -> str:
    """Return what is put before the names of what an object keeps."""
    return f"{prefix}{name}." if name else prefix


def is_own_object(value: Any) -> bool:
    """Whether ``value`` is an object of the user's making, that may keep something."""
    module = type(value).__module__.partition(".")[0]
    return (
        (hasattr(value, "__dict__") or hasattr(type(value), "__slots__"))
        and not isinstance(value, type)
        and module not in OPAQUE_MODULES
        and not callable(getattr(value, "__wrapped__", None))
        and type(value).__name__ not in ("function", "method", "module")
    )


def _arrays_of(owner_prefix: str, label: str, thing: Any) -> Iterator[ArrayAttribute]:
    yield from _parameter_object(thing, owner_prefix, label)
    prefix = own_prefix(owner_prefix, label)
    for name, value in attributes(thing).items():
        home = Accessor(thing, name, False)
        if is_differentiable(value) or _is_truncated_gradient(name, value):
            yield ArrayAttribute(prefix, "", name, home, home)
        elif isinstance(value, dict | list | tuple):
            for attribute, item in items_in(value, prefix, name, home, {}):
                can_move = isinstance(item, np.ndarray) or _is_open(attribute.accessor.owner)
                if is_differentiable(item) and can_move:
                    yield attribute
    yield from _properties(thing, prefix)


def items_in(
    values: Any,
    part: str,
    container: str,
    home: Accessor,
    seen: dict[int, Any],
    route: tuple[Any, ...] = (),
) -> Iterator[tuple[ArrayAttribute, Any]]:
    """Yield what nested containers hold, each once, and where: fields as in `ArrayAttribute`.

    The containers ``seen`` are known by their ids.
    """
    if id(values) in seen or _is_numeric(values):
        return
    seen[id(values)] = values  # the reference keeps the id from being used again
    for key, item in _keyed(values):
        way = (*route, key)
        if isinstance(item, CONTAINERS) and not _is_numeric(item):
            yield from items_in(item, part, f"{container}[{key!r}]", home, seen, way)
        else:
            label = values._fields[key] if hasattr(values, "_fields") else key
            accessor = Accessor(values, key, True)
            yield ArrayAttribute(part, container, label, accessor, home, way), item


def _keyed(values: Any) -> list[tuple[Any, Any]]:
    if isinstance(values, dict):
        return list(values.items())
    if isinstance(values, np.ndarray):
        return [(index, values[index]) for index in np.ndindex(values.shape)]
    return list(enumerate(values))


def _is_numeric(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind != "O"


def _is_truncated_gradient(name: str, value: Any) -> bool:
    """Whether an array of integers is called as a gradient: a buffer that truncates, by mistake."""
    whole = isinstance(value, np.ndarray) and value.dtype.kind in "iu"
    return whole and any(gradient_stems(name))


def _is_open(values: Any) -> bool:
    """Whether items can be replaced."""
    return isinstance(values, dict | list)


def _properties(layer: Any, prefix: str) -> Iterator[ArrayAttribute]:
    """Yield the properties that show a gradient."""
    for owner in type(layer).__mro__:
        for name, member in vars(owner).items():
            if isinstance(member, property) and any(gradient_stems(name)):
                home = Accessor(layer, name, False)
                if is_differentiable(home.get()):
                    yield ArrayAttribute(prefix, "", name, home, home)


def value_and_gradient(thing: Any) -> tuple[str, str] | None:
    """Return the attributes of a parameter that is an object of its own: ``data`` and ``grad``."""
    own = attributes(thing)
    value = next((n for n in VALUE_NAMES if is_differentiable(own.get(n))), None)
    gradient = next((n for n in GRADIENT_NAMES if n in own), None)
    return None if value is None or gradient is None else (value, gradient)


def _parameter_object(thing: Any, prefix: str, name: str) -> Iterator[ArrayAttribute]:
    """Yield the value of such a parameter and its gradient, as a pair."""
    named = value_and_gradient(thing) if name else None
    key = name.partition("['")[2].removesuffix("']") or name  # of a dict of parameters
    for label, attribute in zip((key, f"d{key}"), named or (), strict=False):
        home = Accessor(thing, attribute, False)
        if is_differentiable(home.get()):
            yield ArrayAttribute(prefix, "", label, home, home)
