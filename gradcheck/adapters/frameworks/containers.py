"""Containers of a framework's arrays: leaves by the path that leads to them, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gradcheck.adapters.signatures.pytree import Items, items, refilled

Test = Callable[[Any], bool]


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what dicts, lists, tuples and dataclasses hold, however deep, as ``params['w'][0]``.

    Parameters
    ----------
    name, value
        What is called so; it is its own leaf where it is no container.
    """
    parts = _parts(value)
    if not parts:
        yield name, value
        return
    for suffix, part in parts:
        yield from leaves(f"{name}{suffix}", part)


def rebuilt(name: str, value: Any, others: Mapping[str, Any]) -> Any:
    """Return ``value`` with ``others`` for the leaves of their names; containers are made anew."""
    parts = _parts(value)
    if not parts:
        return others.get(name, value)
    fresh = [rebuilt(f"{name}{suffix}", part, others) for suffix, part in parts]
    return refilled(value, fresh)


def holds(value: Any, is_leaf: Test) -> bool:
    """Whether ``value`` is such a leaf, or holds one somewhere."""
    return any(is_leaf(leaf) for _, leaf in leaves("", value))


def _parts(value: Any) -> Items:
    """Return the parts of a container with what is put behind its name; empty for a leaf."""
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    return items(value)
