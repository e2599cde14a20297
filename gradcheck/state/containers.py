"""What can be changed in place, by kind: how its content is saved, and how it is put back.

A kind's ``restore`` touches an object only if its content is another, and says whether it was.
"""

from __future__ import annotations

import array
import io
import pickle
import random
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from gradcheck.state.reachable import slotted


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    Attributes
    ----------
    types
        Its classes.
    save
        Returns the content, which later changes of the object leave as it is.
    restore
        Puts saved content back; whether there was another.
    """

    types: tuple[type, ...]
    save: Callable[[Any], Any]
    restore: Callable[[Any, Any], bool]


@dataclass(frozen=True)
class Saved:
    """An object with the content that it had."""

    thing: Any
    kind: Kind
    saved: Any

    @classmethod
    def of(cls, thing: Any, kind: Kind) -> Saved:
        """Return an object with the content that it has."""
        return cls(thing, kind, kind.save(thing))

    @property
    def is_changed(self) -> bool:
        """Whether the content is another, byte for byte."""
        return pickle.dumps(self.kind.save(self.thing)) != pickle.dumps(self.saved)

    def restore(self) -> bool:
        """Put the content back; whether it was another."""
        return self.kind.restore(self.thing, self.saved)


def kind_of(thing: Any, kinds: tuple[Kind, ...]) -> Kind | None:
    """Return the first kind that an object is of."""
    return next((kind for kind in kinds if isinstance(thing, kind.types)), None)


def is_same(now: Mapping[Any, Any], saved: Mapping[Any, Any]) -> bool:
    """Whether two mappings hold the very same objects."""
    return now.keys() == saved.keys() and all(now[key] is value for key, value in saved.items())


def _restore_dict(thing: dict[Any, Any], saved: dict[Any, Any]) -> bool:
    if is_same(thing, saved):
        return False
    # not by its own methods, which the user may have written
    owner = OrderedDict if isinstance(thing, OrderedDict) else dict
    owner.clear(thing)
    owner.update(thing, saved)
    return True


def _restore_sequence(thing: Any, saved: list[Any]) -> bool:
    if len(thing) == len(saved) and all(a is b for a, b in zip(thing, saved, strict=True)):
        return False
    thing.clear()
    thing.extend(saved)
    return True


def _restore_set(thing: set[Any], saved: set[Any]) -> bool:
    if thing == saved:
        return False
    thing.clear()
    thing.update(saved)
    return True


def _restore_cell(thing: CellType, saved: Any) -> bool:
    changed = thing.cell_contents is not saved
    if changed:
        thing.cell_contents = saved
    return changed


def _restore_buffer(thing: Any, saved: Any) -> bool:
    changed = bool(thing != saved)
    if changed:
        thing[:] = saved
    return changed


def _restore_memory(thing: memoryview, saved: bytes) -> bool:
    changed = not thing.readonly and thing.tobytes() != saved
    if changed:
        thing.cast("B")[:] = saved
    return changed


def _restore_file(thing: Any, saved: tuple[Any, int]) -> bool:
    if thing.closed or (thing.getvalue(), thing.tell()) == saved:
        return False
    thing.seek(0)
    thing.truncate()
    thing.write(saved[0])
    thing.seek(saved[1])
    return True


def _state(source: Any) -> Any:
    return (getattr(source, "get_state", None) or source.getstate)()


def _restore_bits(thing: np.random.Generator, saved: Any) -> bool:
    thing.bit_generator.state = saved
    return True


def _restore_state(thing: Any, saved: Any) -> bool:
    (getattr(thing, "set_state", None) or thing.setstate)(saved)
    return True


def _defaults(function: FunctionType) -> tuple[Any, ...]:
    return function.__defaults__, dict(function.__kwdefaults__ or {})


def _restore_defaults(function: FunctionType, saved: tuple[Any, ...]) -> bool:
    positional, by_name = saved
    changed = function.__defaults__ is not positional or by_name != (function.__kwdefaults__ or {})
    if changed:
        function.__defaults__, function.__kwdefaults__ = positional, by_name or None
    return changed


def _attributes(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if not name.startswith("__")}


def _restore_class(kind: type, saved: dict[str, Any]) -> bool:
    return _restore_attributes(kind, type, _attributes(kind), saved)


def _restore_slots(thing: Any, saved: dict[str, Any]) -> bool:
    return _restore_attributes(thing, object, slotted(thing), saved)


def _restore_attributes(thing: Any, owner: Any, now: dict[str, Any], saved: dict[str, Any]) -> bool:
    """Set attributes as ``owner`` does, past what the user's class may do instead."""
    if is_same(now, saved):
        return False
    for name in now.keys() - saved.keys():
        owner.__delattr__(thing, name)
    for name, value in saved.items():
        if now.get(name) is not value or name not in now:
            owner.__setattr__(thing, name, value)
    return True


KINDS = (
    Kind((dict,), dict, _restore_dict),
    Kind((list, deque), list, _restore_sequence),
    Kind((set,), set, _restore_set),
    Kind((bytearray,), bytes, _restore_buffer),
    Kind((array.array,), lambda a: a[:], _restore_buffer),
    Kind((memoryview,), bytes, _restore_memory),
    Kind((io.StringIO, io.BytesIO), lambda file: (file.getvalue(), file.tell()), _restore_file),
)

# Sources of random numbers, which are put back also where nothing else is.
GENERATORS = (
    Kind((np.random.Generator,), lambda g: g.bit_generator.state, _restore_bits),
    Kind((np.random.RandomState, random.Random), _state, _restore_state),
)

# The modules whose functions draw from a generator that all share.
GLOBAL = Kind((ModuleType,), _state, _restore_state)

CELL = Kind((CellType,), lambda cell: cell.cell_contents, _restore_cell)
FUNCTION = Kind((FunctionType,), _defaults, _restore_defaults)
CLASS = Kind((type,), _attributes, _restore_class)
SLOTS = Kind((object,), slotted, _restore_slots)
