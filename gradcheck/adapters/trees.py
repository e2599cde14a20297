"""Containers of a framework's arrays: leaves by the path that leads to them, and back again."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Test = Callable[[Any], bool]


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what dicts, lists, tuples and dataclasses hold, however deep, as ``params['w'][0]``.

    Parameters
    ----------
    name, value
        What is called so; it is its own leaf where it is no container.
    """
    parts = _parts(value)
    if parts is None:
        yield name, value
        return
    for suffix, part in parts:
        yield from leaves(f"{name}{suffix}", part)


def rebuilt(name: str, value: Any, others: Mapping[str, Any]) -> Any:
    """Return ``value`` with ``others`` for the leaves of their names; containers are made anew."""
    parts = _parts(value)
    if parts is None:
        return others.get(name, value)
    fresh = [rebuilt(f"{name}{suffix}", part, others) for suffix, part in parts]
    if isinstance(value, Mapping):
        twin = {} if type(value) is dict else copy.copy(value)
        for key, part in zip(value, fresh, strict=True):
            twin[key] = part  # type: ignore[index]
        return twin
    if isinstance(value, tuple):
        return type(value)(*fresh) if hasattr(value, "_fields") else tuple(fresh)
    if isinstance(value, list):
        return fresh
    twin = copy.copy(value)
    for field, part in zip(dataclasses.fields(value), fresh, strict=True):
        object.__setattr__(twin, field.name, part)  # frozen ones too: the twin is ours
    return twin


def holds(value: Any, is_leaf: Test) -> bool:
    """Whether ``value`` is such a leaf, or holds one somewhere."""
    return any(is_leaf(leaf) for _, leaf in leaves("", value))


def _parts(value: Any) -> list[tuple[str, Any]] | None:
    """Return the parts of a container with what is put behind its name; None for a leaf."""
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(f".{key}", getattr(value, key)) for key in value._fields]
    if isinstance(value, list | tuple):
        return [(f"[{position}]", part) for position, part in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{f.name}", getattr(value, f.name)) for f in dataclasses.fields(value)]
    return None
