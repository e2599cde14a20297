"""What can be reached from a layer: closures, names, slots, what its class keeps."""

from __future__ import annotations

import array
import io
import itertools
import os
import random
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import _lru_cache_wrapper, cache
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy as np

# Objects of these modules hold their state outside Python's reach, or are no state at all.
OPAQUE_MODULES = ("builtins", "torch", "jax", "jaxlib", "numpy", "scipy", "numba")

# Classes of what a module keeps numbers in.
DATA = (
    np.ndarray, dict, list, set, deque, bytearray, array.array, io.StringIO, io.BytesIO, int, float,
    np.random.Generator, np.random.RandomState, random.Random, memoryview, itertools.count,
    _lru_cache_wrapper,
)  # fmt: skip


def cells_of(function: FunctionType) -> Iterator[tuple[str, CellType, Any]]:
    """Yield the variables that a function has from around it: name, cell and content."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # a name that is bound later
            yield name, cell, cell.cell_contents


def slotted(thing: Any) -> dict[str, Any]:
    """Return the attributes that an object has by ``__slots__``."""
    names = [
        _mangled(owner, name)
        for owner in type(thing).__mro__
        for own in [vars(owner).get("__slots__", ())]
        for name in ([own] if isinstance(own, str) else own)
    ]
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


def _mangled(owner: type, name: str) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{owner.__name__.lstrip('_')}{name}" if private else name


def functions_of(kind: type) -> Iterator[FunctionType]:
    """Yield the functions that a class defines: methods, static ones and those of properties."""
    for value in vars(kind).values():
        parts = (value.fget, value.fset) if isinstance(value, property) else (value,)
        for part in parts:
            function = getattr(part, "__func__", part)
            if isinstance(function, FunctionType):
                yield function


def kept_by_class(kind: type) -> dict[str, Any]:
    """Return the arrays, and the containers of arrays, that a class keeps for all its objects."""
    return {
        name: value
        for owner in reversed(kind.__mro__)
        if owner.__module__.partition(".")[0] not in OPAQUE_MODULES
        for name, value in vars(owner).items()
        if isinstance(value, np.ndarray) or _holds_arrays(value)
    }


def _holds_arrays(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return isinstance(value, dict | list | tuple) and any(
        isinstance(item, np.ndarray) or _holds_arrays(item) for item in items
    )


def names_read(code: CodeType) -> Iterator[str]:
    """Yield the names that a function and those defined within it read from outside."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_read(constant)


def is_data(value: Any, module: str) -> bool:
    """Whether a global is what a function of ``module`` may keep numbers in, or reach them by."""
    if isinstance(value, FunctionType | type):
        return value.__module__ == module
    return type(value).__module__ == module or isinstance(value, DATA)


@cache
def is_installed(module: str) -> bool:
    """Whether a module is Python's own or a library, whose classes keep nothing of the user's."""
    file = str(getattr(sys.modules.get(module), "__file__", None) or "")
    return module in sys.stdlib_module_names or f"{os.sep}site-packages{os.sep}" in file


def is_opaque(kind: type) -> bool:
    """Whether the state of a class's objects is out of reach, or of no interest."""
    return kind.__module__.partition(".")[0] in OPAQUE_MODULES
