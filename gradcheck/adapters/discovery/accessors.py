"""Where a value is kept, so that it can be read and replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.values import is_differentiable


@dataclass(frozen=True)
class Accessor:
    """One attribute or item: somewhere a value is kept and can be replaced."""

    owner: Any
    key: Any
    is_item: bool

    @property
    def place(self) -> tuple[int, Any]:
        """Which place it is, whatever is kept there."""
        return id(self.owner), self.key

    def get(self) -> Any:
        """Return the value, None where there is none (yet)."""
        if not self.is_item:
            return getattr(self.owner, self.key, None)
        return item_of(self.owner, self.key)

    def put(self, value: Any) -> None:
        """Replace the value, in place where the array allows it, so that views stay valid."""
        now = self.get()
        if isinstance(now, np.ndarray) and now.flags.writeable and now.dtype == value.dtype:
            np.copyto(now, value)
            return
        self.replace(value.item() if isinstance(now, float) else value.copy())

    def replace(self, value: Any) -> None:
        """Rebind it to ``value``."""
        if self.is_item:
            self.owner[self.key] = value
        else:
            setattr(self.owner, self.key, value)


def item_of(container: Any, key: Any) -> Any:
    """Return an item, None where there is none."""
    try:
        return container[key]
    except (KeyError, IndexError, TypeError):
        return None


@contextmanager
def set_to(values: Iterable[tuple[Accessor, Any]]) -> Iterator[None]:
    """Keep other values there while the block runs."""
    chosen = [(accessor, value, accessor.get()) for accessor, value in values]
    try:
        for accessor, value, _ in chosen:
            accessor.replace(value)
        yield
    finally:
        for accessor, _, before in chosen:
            accessor.replace(before)


def accessors_in(params: Any, name: str = "") -> dict[str, Accessor]:
    """Return where the arrays of (nested) dicts and lists are kept, by the names of the arrays.

    Parameters
    ----------
    params
        A dict, list or tuple of arrays, of dicts or lists of arrays; None for no parameters.
    name
        What it is called itself; empty for the outermost, whose keys are names.
    """
    keyed: dict[Any, str] = {}
    if isinstance(params, Mapping):
        keyed = {key: f"{name}.{key}" if name else str(key) for key in params}
    elif isinstance(params, list | tuple):
        keyed = {i: f"{name or 'params'}[{i}]" for i in range(len(params))}
    found: dict[str, Accessor] = {}
    for key, label in keyed.items():
        if is_differentiable(params[key]):
            found[label] = Accessor(params, key, True)
        else:
            found |= accessors_in(params[key], label)
    return found
