"""Arguments that are containers of arrays: their named leaves, and containers rebuilt from them.

In NumPy's arguments a leaf is called by its key, ``W``; elsewhere by its path, ``params['W']``.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.signatures.name_tables import is_trained
from gradcheck.values import is_differentiable

Items = list[tuple[str, Any]]


def leaves(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the differentiable leaves of every argument, by argument and by the leaf's own name.

    An array is its own leaf. An item of a dict is called by its key, with the argument's name
    before it only where two would be called the same; an item of a list is called ``params[0]``.
    """
    short = {name: _leaves(name, value, _is_keyed(value)) for name, value in values.items()}
    uses = Counter(leaf for own in short.values() for leaf in own)
    return {
        name: own if all(uses[leaf] == 1 for leaf in own) else _leaves(name, values[name], False)
        for name, own in short.items()
    }


def rebuild(value: Any, tensors: Mapping[str, Array], own: Iterable[str]) -> Any:
    """Return a container like ``value`` of fresh arrays, with those in ``tensors`` at its leaves.

    Its ``own`` leaves are given by their names in order, as `leaves` returned them.
    """
    return _rebuild(value, tensors, iter(own))


def spread(gradient: Any, value: Any, own: Iterable[str]) -> dict[str, Any] | None:
    """Give the parts of a gradient the names of the leaves of ``value``; None if it does not fit.

    A gradient fits that has a part for every leaf, in the same place; more is no harm.
    """
    found: dict[str, Any] = {}
    return found if _spread(gradient, value, iter(own), found) else None


def is_container(value: Any) -> bool:
    """Whether ``value`` is a container, such as a list or dict, that holds arrays somewhere."""
    return not is_differentiable(value) and bool(_leaves("", value, False))


def items(value: Any) -> Items:
    """Return the parts of a container with what is appended to its name; empty for other things."""
    if isinstance(value, Mapping):
        return [(f".{key}", item) for key, item in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(f".{key}", getattr(value, key)) for key in value._fields]
    if isinstance(value, list | tuple):
        return [(f"[{position}]", item) for position, item in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{f.name}", getattr(value, f.name)) for f in dataclasses.fields(value)]
    return _registered(value)[0]


def refilled(original: Any, fresh: list[Any]) -> Any:
    """Return a container like ``original`` that holds ``fresh``, in the order of `items`."""
    if isinstance(original, Mapping):
        return _mapping(original, dict(zip(original, fresh, strict=True)))
    if isinstance(original, tuple):
        return type(original)(*fresh) if hasattr(original, "_fields") else tuple(fresh)
    if isinstance(original, list):
        return fresh
    if not dataclasses.is_dataclass(original):
        return _registered(original)[1](fresh)
    twin = copy.copy(original)
    for field, item in zip(dataclasses.fields(original), fresh, strict=True):
        object.__setattr__(twin, field.name, item)  # frozen ones too: the twin is ours
    return twin


def like(original: Any, value: Array) -> Any:
    """Return ``value`` as what ``original`` is: a float, or an array of the same layout."""
    if isinstance(original, float | complex) and not isinstance(original, np.generic):
        return value.item()
    if not isinstance(original, np.ndarray):
        return value[()]
    fresh = np.array(value, order="K", subok=True)
    fresh.flags.writeable = original.flags.writeable
    return fresh


def arrays_in(value: Any) -> Iterator[Any]:
    """Yield the arrays and numbers in nested tuples, lists and dicts, in order."""
    parts = items(value)
    if not parts:
        yield value
    for _, part in parts:
        yield from arrays_in(part)


def is_plain(values: Any) -> bool:
    """Whether (nested) lists hold Python numbers only, and no arrays."""
    if isinstance(values, list | tuple):
        return bool(values) and not hasattr(values, "_fields") and all(map(is_plain, values))
    return isinstance(values, int | float | complex) or bool(np.isscalar(values))


def _is_keyed(value: Any) -> bool:
    parts = items(value)
    return bool(parts) and parts[0][0].startswith(".")


def _leaves(name: str, value: Any, bare: bool) -> dict[str, Any]:
    if is_differentiable(value):
        return {name: value}
    found: dict[str, Any] = {}
    for suffix, item in items(value):
        if not _is_setting(suffix, item):
            found |= _leaves(suffix[1:] if bare else name + suffix, item, False)
    return found


def _is_setting(suffix: str, item: Any) -> bool:
    """Whether an item is a plain number such as eps or momentum, and no weight or bias."""
    plain = isinstance(item, float) and not isinstance(item, np.generic)
    return plain and suffix.startswith(".") and not is_trained(suffix[1:])


def _rebuild(value: Any, tensors: Mapping[str, Array], names: Iterator[str]) -> Any:
    if is_differentiable(value) and (name := next(names, "")) in tensors:
        return like(value, tensors[name])
    fresh = [
        copy.deepcopy(item) if _is_setting(suffix, item) else _rebuild(item, tensors, names)
        for suffix, item in items(value)
    ]
    return refilled(value, fresh) if fresh else copy.deepcopy(value)


def _mapping(original: Mapping[Any, Any], fresh: dict[Any, Any]) -> Any:
    """Return a mapping of the original's own type, such as an `OrderedDict`."""
    if type(original) is dict:
        return fresh
    if not isinstance(original, MutableMapping):
        return type(original)(fresh)  # type: ignore[call-arg]
    twin = copy.copy(original)
    for key, item in fresh.items():
        twin[key] = item
    for name, item in getattr(original, "__dict__", {}).items():  # items may be attributes too
        for key, part in original.items():
            if item is part:
                setattr(twin, name, fresh[key])
    return twin


def _spread(gradient: Any, value: Any, names: Iterator[str], found: dict[str, Any]) -> bool:
    if is_differentiable(value):
        name = next(names, "")  # none is left where two leaves are called the same
        if name and gradient is not None:
            found[name] = gradient
        return not items(gradient) or isinstance(gradient, list)
    parts = {
        suffix: item
        for suffix, item in items(value)
        if _leaves("", item, False) and not _is_setting(suffix, item)
    }
    theirs = dict(items(gradient))
    return bool(parts and theirs and parts.keys() <= theirs.keys()) and all(
        _spread(theirs[suffix], item, names, found) for suffix, item in parts.items()
    )


def paths(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what containers hold, however deep, as ``params['w'][0]``.

    Containers are dicts, lists, tuples, dataclasses and what is registered with PyTorch or JAX.
    What is no container is its own leaf.
    """
    parts = _parts(value)
    if not parts:
        yield name, value
        return
    for suffix, part in parts:
        yield from paths(f"{name}{suffix}", part)


def rebuilt(name: str, value: Any, others: Mapping[str, Any]) -> Any:
    """Return ``value`` with ``others`` for the leaves of their names; containers are new ones."""
    parts = _parts(value)
    if not parts:
        return others.get(name, value)
    fresh = [rebuilt(f"{name}{suffix}", part, others) for suffix, part in parts]
    return refilled(value, fresh)


def holds(value: Any, is_leaf: Callable[[Any], bool]) -> bool:
    """Whether ``value`` is such a leaf, or holds one somewhere."""
    return any(is_leaf(leaf) for _, leaf in paths("", value))


def _parts(value: Any) -> Items:
    """Return the parts of a container with what is appended to its name; empty for a leaf."""
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    return items(value)


def _registered(value: Any) -> tuple[Items, Callable[[list[Any]], Any]]:
    """Return the parts of what is registered with PyTorch or JAX, and what refills it.

    No parts for anything else.
    """
    of_torch, of_jax = map(sys.modules.get, ("torch.utils._pytree", "jax.tree_util"))
    node = of_torch.SUPPORTED_NODES.get(type(value)) if of_torch is not None else None
    if node is not None:
        parts, context = node.flatten_fn(value)
        keys = [f"[{position}]" for position in range(len(parts))]
        if node.flatten_with_keys_fn is not None:
            keys = [str(key) for key, _ in node.flatten_with_keys_fn(value)[0]]
        return list(zip(keys, parts, strict=True)), lambda new: node.unflatten_fn(new, context)
    if of_jax is not None:
        found, tree = of_jax.tree_flatten_with_path(value, is_leaf=lambda part: part is not value)
        if found and found[0][0]:  # the path of a leaf is empty
            return [(of_jax.keystr(path), part) for path, part in found], tree.unflatten
    return [], lambda _: value
