"""Snapshot of all that a layer remembers between calls: arrays, containers, random generators."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from gradcheck._package import FOLDER
from gradcheck.numerics.blockwise import same
from gradcheck.state.containers import (
    CELL,
    CLASS,
    FUNCTION,
    GENERATORS,
    GLOBAL,
    KINDS,
    SLOTS,
    Kind,
    Saved,
    kind_of,
)
from gradcheck.state.reachable import (
    cells_of,
    functions_of,
    is_data,
    is_installed,
    is_opaque,
    names_read,
    slotted,
)
from gradcheck.state.restored_at_end import restored_at_end

# Guards against walking into a whole application from one layer.
MOST_OBJECTS = 50_000

# No state, or none that is looked for.
SKIPPED = (ModuleType, str, bytes, int, float, complex, type(None))

LOCK = type(threading.Lock())

# So many times what a layer changes is looked for before it is put back: the first time may be
# before anything was run.
LOOKS = 2


class StateSnapshot:
    """State of everything reachable from ``roots``, and of the global random generators.

    Containers are restored by reference and arrays by content, so that views into them stay
    valid. What a layer keeps in itself is restored before every probe; an array, what classes and
    functions keep, and the global generators only if they were found changed once, and at the end.

    Parameters
    ----------
    roots
        Objects with their classes, functions (their closures and the data among their globals are
        followed), containers or arrays.
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        self._kept: list[Saved] = []
        self._rarely: list[Saved] = []
        self._generators: list[Saved] = []
        self._arrays: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
        self._bindings: list[tuple[dict[str, Any], str, Any]] = []
        self._locks: list[Any] = []
        self._watched: list[tuple[Any, str, Any]] = []
        self._volatile: set[int] = set()
        self._looks = LOOKS
        self._seen: dict[int, Any] = {}
        for root in roots:
            self._remember(root)
        self._globals = [Saved.of(source, GLOBAL) for source in (np.random, random)]
        self._draws = False

    @classmethod
    def joined(cls, states: Iterable[Any]) -> StateSnapshot:
        """Return all that several snapshots remember as one."""
        whole = cls(())
        for state in states:
            whole._kept += state._kept
            whole._rarely += state._rarely
            whole._generators += state._generators
            whole._arrays += state._arrays
            whole._bindings += state._bindings
            whole._locks += state._locks
            whole._watched += state._watched
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
        for kept in self._kept:
            kept.restore()
        for namespace, name, value in self._bindings:
            if namespace.get(name) is not value:
                namespace[name] = value
        if self._looks:
            self._looks -= 1
            self._draws = self._draws or any(drawn.is_changed for drawn in self._globals)
            self._volatile |= {
                index
                for index, (array, saved) in enumerate(self._arrays)
                if not _equal(array, saved)
            }
            self._kept += [kept for kept in self._rarely if kept.restore()]
            everything = True
        elif everything:
            for kept in self._rarely:
                kept.restore()
        for index in range(len(self._arrays)) if everything else self._volatile:
            restore_array(*self._arrays[index])
        self._release()
        self.rewind(everywhere=randomness)

    def rewind(self, *, everywhere: bool = True) -> None:
        """Put the random generators back and nothing else; the global ones only if everywhere."""
        for generator in self._generators:
            generator.restore()
        if everywhere and self._draws:
            for generator in self._globals:
                generator.restore()

    @property
    def arrays(self) -> list[np.ndarray[Any, Any]]:
        """The arrays remembered."""
        return [array for array, _ in self._arrays]

    def put_instead(self, others: Mapping[int, np.ndarray[Any, Any]]) -> None:
        """Let other arrays be found where those of these ids are, until the state is restored."""
        for kept in self._kept:
            if isinstance(kept.thing, dict | list):
                saved = kept.saved
                for key, value in saved.items() if isinstance(saved, dict) else enumerate(saved):
                    if id(value) in others:
                        kept.thing[key] = others[id(value)]
            elif kept.kind is CELL and id(kept.saved) in others:
                kept.thing.cell_contents = others[id(kept.saved)]
        for namespace, name, value in self._bindings:
            if id(value) in others:
                namespace[name] = others[id(value)]

    def copy_of(self, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return a copy of ``array`` that is not to be written to: the one remembered, if equal."""
        for known, saved in self._arrays:
            if known is array and known.dtype.kind != "O" and _equal(known, saved):
                return saved
        return np.array(array)

    def guarded(self) -> AbstractContextManager[None]:
        """Restore everything when the block ends, by an exception or Ctrl-C too."""
        return restored_at_end(self._restore_all)

    def _restore_all(self) -> None:
        self.restore(everything=True)
        for generator in self._globals:
            generator.restore()

    @property
    def changed_for_good(self) -> list[str]:
        """Names of what was changed and cannot be put back: caches, iterators."""
        return [name for thing, name, before in self._watched if _progress(thing) != before]

    def _release(self) -> None:
        """Release locks that the code took and kept, where no other thread may hold them."""
        if self._locks and threading.active_count() == 1:
            for lock in self._locks:
                if lock.locked():
                    lock.release()

    def _remember(self, thing: Any) -> None:
        if isinstance(thing, (*SKIPPED, StateSnapshot)) or _is_namespace(thing):
            return
        if id(thing) in self._seen or len(self._seen) > MOST_OBJECTS:
            return
        self._seen[id(thing)] = thing  # the reference keeps the id from being reused
        if isinstance(thing, np.ndarray):
            self._remember_array(thing)
        elif (kind := kind_of(thing, GENERATORS)) is not None:
            self._generators.append(Saved.of(thing, kind))
        elif (kind := kind_of(thing, KINDS)) is not None:
            self._keep(thing, kind)
            self._remember_all(thing.values() if isinstance(thing, dict) else thing)
        elif isinstance(thing, tuple | frozenset):
            self._remember_all(thing)
        elif isinstance(thing, MethodType):
            self._remember(thing.__self__)
            self._remember(thing.__func__)
        elif isinstance(thing, FunctionType):
            self._remember_function(thing)
        elif isinstance(thing, type):
            self._remember_class(thing)
        elif isinstance(thing, LOCK):
            self._locks += [] if thing.locked() else [thing]
        elif (progress := _progress(thing)) is not None:
            of = getattr(thing, "__qualname__", "")
            name = f"the cache of {of}" if of else f"an iterator ({type(thing).__name__})"
            self._watched.append((thing, name, progress))
        elif not is_opaque(type(thing)):
            self._remember_object(thing)

    def _keep(self, thing: Any, kind: Kind, *, rarely: bool = False) -> None:
        (self._rarely if rarely else self._kept).append(Saved.of(thing, kind))

    def _remember_all(self, things: Iterable[Any]) -> None:
        for thing in list(things):
            self._remember(thing)

    def _remember_array(self, array: np.ndarray[Any, Any]) -> None:
        if array.dtype.kind == "O":
            self._remember_all(array.ravel().tolist())
        self._arrays.append((array, array.copy()))
        self._remember(getattr(array, "__dict__", None))  # the mask of a masked array

    def _remember_function(self, function: FunctionType) -> None:
        for _, cell, content in cells_of(function):
            self._keep(cell, CELL)
            self._remember(content)
        self._keep(function, FUNCTION, rarely=True)
        self._keep(function.__dict__, KINDS[0], rarely=True)
        self._remember_all(function.__defaults__ or ())
        self._remember_all((function.__kwdefaults__ or {}).values())
        for name in names_read(function.__code__):
            value = function.__globals__.get(name)
            if is_data(value, function.__module__):
                self._bindings.append((function.__globals__, name, value))
                self._remember(value)

    def _remember_class(self, kind: type) -> None:
        for owner in kind.__mro__:
            if id(owner) not in self._seen or owner is kind:
                self._seen[id(owner)] = owner
                if not is_installed(owner.__module__) and not _is_own(owner):
                    self._keep(owner, CLASS, rarely=True)
                    self._remember_all(functions_of(owner))
                    self._remember_all(v for n, v in vars(owner).items() if not n.startswith("__"))

    def _remember_object(self, thing: Any) -> None:
        attributes = getattr(thing, "__dict__", None)
        if isinstance(attributes, dict):
            self._keep(attributes, KINDS[0])
            self._remember_all(attributes.values())
        in_slots = slotted(thing)
        if in_slots:
            self._keep(thing, SLOTS)
            self._remember_all(in_slots.values())
        self._remember(type(thing))


def _progress(thing: Any) -> Any:
    """Return how far a cache or an iterator has come, which cannot be turned back."""
    if isinstance(thing, itertools.count):
        return repr(thing)
    return thing.cache_info() if hasattr(thing, "cache_info") else None


def _is_namespace(thing: Any) -> bool:
    """Whether a dict holds the names of a module, of which functions say which they read."""
    return type(thing) is dict and "__name__" in thing and "__spec__" in thing


def _is_own(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == FOLDER.name


def restore_array(array: np.ndarray[Any, Any], saved: np.ndarray[Any, Any]) -> None:
    """Write saved numbers back into an array, which may have been resized."""
    if array.shape != saved.shape:
        array.resize(saved.shape, refcheck=False)
    if array.flags.writeable:
        np.copyto(array, saved)


def _equal(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Whether two arrays hold the same: the very objects, or numbers that are equal."""
    if a.dtype.kind == "O":
        return a.shape == b.shape and all(x is y for x, y in zip(a.flat, b.flat, strict=True))
    return same(a, b)
