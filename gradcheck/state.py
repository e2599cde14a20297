"""Snapshot of all that a layer remembers between calls: arrays, containers, random generators."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

# Objects of these modules hold their state outside Python's reach, or are no state at all.
OPAQUE_MODULES = ("builtins", "torch", "jax", "jaxlib", "numpy", "scipy")

# Guards against walking into a whole application from one layer.
MOST_OBJECTS = 50_000


class StateSnapshot:
    """State of everything reachable from ``roots``, and of the global random generators.

    Containers are restored by reference and arrays by content, so that views into them stay
    valid. An array found changed once is restored before every probe; the others are written
    again only at the end, which keeps probes of large layers cheap.

    Parameters
    ----------
    roots
        Objects, functions (their closures and the data among their globals are followed),
        containers or arrays.
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        self._containers: list[tuple[Any, Any]] = []
        self._arrays: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
        self._generators: list[tuple[np.random.Generator, Any]] = []
        self._legacy: list[tuple[np.random.RandomState, Any]] = []
        self._bindings: list[tuple[dict[str, Any], str, Any]] = []
        self._volatile: set[int] | None = None
        self._seen: dict[int, Any] = {}
        for root in roots:
            self._remember(root)
        self._numpy_state = np.random.get_state()  # noqa: NPY002 (the user's code may use it)
        self._python_state = random.getstate()

    @classmethod
    def joined(cls, states: Iterable[Any]) -> StateSnapshot:
        """Return all that several snapshots remember as one."""
        whole = cls(())
        for state in states:
            whole._containers += state._containers
            whole._arrays += state._arrays
            whole._generators += state._generators
            whole._legacy += state._legacy
            whole._bindings += state._bindings
        return whole

    def restore(self, *, everything: bool = False, randomness: bool = True) -> None:
        """Put the remembered state back.

        Parameters
        ----------
        everything
            Write every array, not just those the layer was seen to change.
        randomness
            Rewind the global generators as well, so that an unseeded dropout keeps its mask.
        """
        for container, saved in self._containers:
            _refill(container, saved)
        for namespace, name, value in self._bindings:
            if namespace.get(name) is not value:
                namespace[name] = value
        if self._volatile is None:
            self._volatile = {
                index
                for index, (array, saved) in enumerate(self._arrays)
                if not _equal(array, saved)
            }
            everything = True
        chosen = range(len(self._arrays)) if everything else self._volatile
        for index in chosen:
            array, saved = self._arrays[index]
            if array.flags.writeable:
                np.copyto(array, saved)
        self.rewind(everywhere=randomness)

    def rewind(self, *, everywhere: bool = True) -> None:
        """Put the random generators back and nothing else; the global ones only if everywhere."""
        for generator, state in self._generators:
            generator.bit_generator.state = state
        for legacy, state in self._legacy:
            legacy.set_state(state)
        if everywhere:
            np.random.set_state(self._numpy_state)  # noqa: NPY002
            random.setstate(self._python_state)

    @property
    def arrays(self) -> list[np.ndarray[Any, Any]]:
        """The arrays remembered."""
        return [array for array, _ in self._arrays]

    def put_instead(self, others: Mapping[int, np.ndarray[Any, Any]]) -> None:
        """Let other arrays be found where those of these ids are, until the state is restored."""
        for container, saved in self._containers:
            if isinstance(container, dict | list):
                held = saved.items() if isinstance(saved, dict) else enumerate(saved)
                for key, value in held:
                    if id(value) in others:
                        container[key] = others[id(value)]
            elif id(saved) in others:
                container.cell_contents = others[id(saved)]
        for namespace, name, value in self._bindings:
            if id(value) in others:
                namespace[name] = others[id(value)]

    def copy_of(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return a copy of ``array`` that is not to be written to: the one remembered, if equal."""
        for known, saved in self._arrays:
            if known is array and known.dtype.kind != "O" and _equal(known, saved):
                return saved
        return np.array(array)

    def is_volatile(self, array: np.ndarray[Any, Any]) -> bool:
        """Whether the layer itself was seen to change ``array``."""
        volatile = self._volatile or set()
        return any(self._arrays[index][0] is array for index in volatile)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Restore everything when the block ends, by an exception or Ctrl-C too."""
        try:
            yield
        finally:
            self.restore(everything=True)

    def _remember(self, thing: Any) -> None:
        if id(thing) in self._seen or len(self._seen) > MOST_OBJECTS:
            return
        if isinstance(thing, type | ModuleType | str | bytes | int | float | complex | None):
            return
        self._seen[id(thing)] = thing  # the reference keeps the id from being reused
        if isinstance(thing, np.ndarray):
            self._remember_array(thing)
        elif isinstance(thing, np.random.Generator):
            self._generators.append((thing, thing.bit_generator.state))
        elif isinstance(thing, np.random.RandomState):
            self._legacy.append((thing, thing.get_state()))
        elif isinstance(thing, dict):
            self._containers.append((thing, dict(thing)))
            self._remember_all(thing.values())
        elif isinstance(thing, list):
            self._containers.append((thing, list(thing)))
            self._remember_all(thing)
        elif isinstance(thing, tuple | set | frozenset):
            self._remember_all(thing)
        elif isinstance(thing, MethodType):
            self._remember(thing.__self__)
            self._remember(thing.__func__)
        elif isinstance(thing, FunctionType):
            self._remember_function(thing)
        elif type(thing).__module__.partition(".")[0] not in OPAQUE_MODULES:
            self._remember_object(thing)

    def _remember_all(self, things: Iterable[Any]) -> None:
        for thing in list(things):
            self._remember(thing)

    def _remember_array(self, array: np.ndarray[Any, Any]) -> None:
        if array.dtype.kind == "O":
            self._remember_all(array.ravel().tolist())
        self._arrays.append((array, array.copy()))

    def _remember_function(self, function: FunctionType) -> None:
        for _, cell, content in cells_of(function):
            self._containers.append((cell, content))
            self._remember(content)
        self._remember_all(function.__defaults__ or ())
        for name in names_read(function.__code__):
            value = function.__globals__.get(name)
            if _is_data(value, function.__module__):
                self._bindings.append((function.__globals__, name, value))
                self._remember(value)

    def _remember_object(self, thing: Any) -> None:
        attributes = getattr(thing, "__dict__", None)
        if isinstance(attributes, dict):
            self._containers.append((attributes, dict(attributes)))
            self._remember_all(attributes.values())
        self._remember_all(kept_by_class(type(thing)).values())
        self._remember_all(slotted(thing).values())


def cells_of(function: FunctionType) -> Iterator[tuple[str, CellType, Any]]:
    """Yield the variables that a function has from around it: name, cell and content."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # a name that is bound later
            yield name, cell, cell.cell_contents


def slotted(thing: Any) -> dict[str, Any]:
    """Return the attributes that an object has by ``__slots__``."""
    declared = (vars(owner).get("__slots__", ()) for owner in type(thing).__mro__)
    names = (name for own in declared for name in ([own] if isinstance(own, str) else own))
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


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


def _is_data(value: Any, module: str) -> bool:
    """Whether a global is what a function of ``module`` may keep numbers in, or reach them by."""
    if isinstance(value, FunctionType):
        return value.__module__ == module
    of_user = type(value).__module__ == module and not isinstance(value, type)
    return of_user or isinstance(
        value, np.ndarray | dict | list | int | float | np.random.Generator | np.random.RandomState
    )


def _equal(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays are equal; the comparison that lets NaN equal NaN is slow."""
    if a.dtype.kind == "O":
        return a.shape == b.shape and all(x is y for x, y in zip(a.flat, b.flat, strict=True))
    return np.array_equal(a, b) or (
        a.dtype.kind in "fc" and bool(np.array_equal(a, b, equal_nan=True))
    )


def _refill(container: Any, saved: Any) -> None:
    """Give a dict, list or closure cell its remembered content, touching it only if it differs."""
    if isinstance(container, dict):
        same = container.keys() == saved.keys() and all(
            container[key] is value for key, value in saved.items()
        )
        if not same:
            container.clear()
            container.update(saved)
    elif isinstance(container, list):
        if len(container) != len(saved) or any(
            now is not then for now, then in zip(container, saved, strict=True)
        ):
            container[:] = saved
    elif container.cell_contents is not saved:
        container.cell_contents = saved
