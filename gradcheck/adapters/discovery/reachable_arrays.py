"""Every floating-point array that can be reached from what is checked, wherever it is kept.

Attributes of objects and classes, items of containers however deep, closure cells, default
arguments, and the globals that the code names. `array_attributes` finds what may be a parameter of
a layer, this finds what its output may depend on.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from gradcheck._package import OWN_PACKAGES
from gradcheck.adapters.discovery.accessors import Accessor
from gradcheck.adapters.discovery.attributes import (
    CONTAINERS,
    ArrayAttribute,
    attributes,
    items_in,
)
from gradcheck.state import MOST_OBJECTS, OPAQUE_MODULES, StateSnapshot, cells_of, names_read

# Libraries whose objects keep no array that a user's forward reads by itself.
CLOSED = (*OPAQUE_MODULES, "matplotlib", "pandas", "threading", "logging", "hypothesis", "re")
Test = Callable[[Any], bool]
WRAPPERS = (staticmethod, classmethod)
CODE = (FunctionType, MethodType, type, property, partial, *WRAPPERS)
# Sparse matrices are scipy's, but the numbers in them are the user's.
SPARSE = "scipy.sparse"


def _wrapped(thing: Any) -> Any:
    """Return what a decorated thing wraps; None also where it cannot be asked, as a lazy module."""
    try:
        return getattr(thing, "__wrapped__", None)
    except Exception:  # noqa: BLE001 (a user's __getattr__ may raise anything)
        return None


def is_float_array(value: Any) -> bool:
    """Whether ``value`` is a NumPy array of floating-point numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 0


def is_float_array_or_number(value: Any) -> bool:
    """Whether ``value`` is such an array, or a number."""
    return is_float_array(value) or isinstance(value, float)


def reachable(
    roots: Iterable[Any],
    is_array: Test = is_float_array,
    opens: Test = lambda _: False,
) -> list[ArrayAttribute]:
    """Return where all arrays are kept, of floating-point numbers, each array once.

    Parameters
    ----------
    roots
        Objects, functions, or containers of them. Attributes of a root are called by their own
        names, items of a container by their positions or keys.
    is_array
        What is looked for.
    opens
        Which objects of libraries are looked into all the same.
    """
    walk = _Walk(is_array, opens)
    for root in roots:
        walk.into(root, "")
    return walk.all()


class _Walk:
    def __init__(self, is_array: Test, opens: Test) -> None:
        self._is_array = is_array
        self._opens = opens
        self.found: list[ArrayAttribute] = []
        self._seen: dict[int, Any] = {}  # the references keep the ids from being used again
        self._waiting: deque[tuple[Any, str]] = deque()

    def all(self) -> list[ArrayAttribute]:
        """Look into what waits, nearest first, so that names are short and chains no matter."""
        while self._waiting and len(self._seen) <= MOST_OBJECTS:
            thing, prefix = self._waiting.popleft()
            if isinstance(thing, CONTAINERS):
                self._items(thing, prefix, "", Accessor(thing, "", False))
            elif id(thing) not in self._seen:
                self._seen[id(thing)] = thing
                self._open(thing, prefix)
        return self.found

    def into(self, thing: Any, prefix: str) -> None:
        """Have ``thing`` looked into; ``prefix`` is put before the names of its own.

        A module is none of a layer's parts, and to ask it for a name may import another; neither
        is what this package remembers of a layer.
        """
        if not isinstance(thing, ModuleType | StateSnapshot):
            self._waiting.append((thing, prefix))

    def _open(self, thing: Any, prefix: str) -> None:
        if isinstance(thing, FunctionType):
            self._function(thing, prefix)
        elif isinstance(thing, MethodType):
            self.into(thing.__self__, prefix)
            self.into(thing.__func__, prefix)
        elif isinstance(thing, partial):
            for part in (thing.func, thing.args, thing.keywords):
                self._value(part, prefix, "", Accessor(thing, "args", False))
        elif isinstance(thing, WRAPPERS):
            self.into(thing.__func__, prefix)
        elif isinstance(thing, property):
            self.into(thing.fget, prefix)
        elif isinstance(thing, type):
            self._class(thing, prefix)
        elif _is_open(thing) or self._opens(thing):
            self._object(thing, prefix)
        elif callable(wrapped := _wrapped(thing)):  # compiled, or with other derivatives
            self.into(wrapped, prefix)

    def _object(self, thing: Any, prefix: str) -> None:
        for name, value in attributes(thing).items():
            self._value(value, prefix, name, Accessor(thing, name, False))
        if not type(thing).__module__.startswith(SPARSE):
            self._class(type(thing), prefix)
        wrapped = _wrapped(thing)
        if wrapped is not None:
            self.into(wrapped, prefix)

    def _class(self, kind: type, prefix: str) -> None:
        """Find what a class and its methods keep; the methods read globals of their module."""
        for owner in kind.__mro__:
            if _is_closed(owner.__module__) or _is_standard(owner.__module__):
                continue
            for name, value in list(vars(owner).items()):
                if name not in ("__dict__", "__weakref__"):
                    self._value(value, prefix, name, Accessor(owner, name, False))

    def _function(self, function: FunctionType, prefix: str) -> None:
        code = function.__code__
        for name, cell, content in cells_of(function):
            self._value(content, prefix, name, Accessor(cell, "cell_contents", False))
        defaults = function.__defaults__ or ()
        names = code.co_varnames[: code.co_argcount]
        # the last arguments have them; a decorator may have put more on its wrapper than it has
        for name, position in zip(reversed(names), reversed(range(len(defaults))), strict=False):
            self._value(defaults[position], prefix, name, Accessor(defaults, position, True))
        keywords = function.__kwdefaults__ or {}
        for name, value in keywords.items():
            self._value(value, prefix, name, Accessor(keywords, name, True))
        self._globals(function, code)
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            self.into(wrapped, prefix)

    def _globals(self, function: FunctionType, code: CodeType) -> None:
        """Find what the code reads from its module, and from other modules of the user's."""
        if _is_standard(function.__module__):  # that of a decorator, around the user's own
            return
        namespace = function.__globals__
        read = set(names_read(code))
        for name in sorted(read & namespace.keys()):
            value = namespace[name]
            if isinstance(value, ModuleType):
                self._module(value, read)
            elif self._is_array(value) or _is_of_module(value, function.__module__):
                self._value(value, "", name, Accessor(namespace, name, True))

    def _module(self, module: ModuleType, read: set[str]) -> None:
        name = module.__name__
        if _is_closed(name) or _is_standard(name):
            return
        for name in sorted(read & vars(module).keys()):
            value = vars(module)[name]
            if self._is_array(value) or isinstance(value, dict | list | tuple):
                self._value(value, f"{module.__name__}.", name, Accessor(module, name, False))

    def _value(self, value: Any, prefix: str, name: str, home: Accessor) -> None:
        if self._is_array(value):
            self._array(value, ArrayAttribute(prefix, "", name, home, home))
        elif isinstance(value, CONTAINERS):
            self._items(value, prefix, name, home)
        else:
            self.into(value, prefix if _is_code(value) or not name else f"{prefix}{name}.")

    def _items(self, values: Any, prefix: str, name: str, home: Accessor) -> None:
        for attribute, item in items_in(values, prefix, name, home, self._seen):
            if self._is_array(item):
                self._array(item, attribute)
            elif not _is_code(item):
                self.into(item, f"{prefix}{attribute.container}[{attribute.route[-1]!r}].")
            else:
                self.into(item, prefix)

    def _array(self, array: Any, attribute: ArrayAttribute) -> None:
        if isinstance(array, float):  # numbers that are equal may be the same object
            self.found.append(attribute)
        elif id(array) not in self._seen:
            self._seen[id(array)] = array
            self.found.append(attribute)


def _is_code(thing: Any) -> bool:
    """Whether what is kept in ``thing`` is called by its own names."""
    return isinstance(thing, CODE)


def _is_open(thing: Any) -> bool:
    kind = type(thing)
    if kind.__module__.startswith(SPARSE):
        return True
    return not _is_closed(kind.__module__) and not isinstance(thing, ModuleType)


def _is_closed(module: Any) -> bool:
    return str(module).partition(".")[0] in CLOSED


def _is_standard(module: Any) -> bool:
    """Whether a module is Python's own, or checks arguments: no code in it keeps a user's array."""
    package = str(module).partition(".")[0]
    return package in sys.stdlib_module_names or package in OWN_PACKAGES


def _is_of_module(value: Any, module: str) -> bool:
    """Whether a global holds data, or is of the module whose code reads it."""
    if isinstance(value, np.ndarray | dict | list | tuple | partial):
        return True
    if isinstance(value, FunctionType | type):
        return value.__module__ == module
    return _is_open(value) and hasattr(value, "__dict__")
