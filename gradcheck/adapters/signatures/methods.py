"""The forward and the backward of an object, by whatever name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gradcheck.adapters.signatures.name_tables import BACKWARD_NAMES, FORWARD_NAMES
from gradcheck.target import TargetError

Method = Callable[..., Any]


def find_method(thing: Any, names: Sequence[str]) -> Method | None:
    """Return the first of the methods that ``thing`` has, None if it has none of them."""
    for name in names:
        method = getattr(thing, name, None)
        if callable(method) and not isinstance(method, type):
            return method  # type: ignore[no-any-return]
    return None


def method_of(thing: Any, names: Sequence[str]) -> Method:
    """Return the first of the methods that ``thing`` has.

    Raises
    ------
    TargetError
        If it has none.
    """
    method = find_method(thing, names)
    if method is None:
        raise TargetError(f"{type(thing).__name__} has none of the methods {', '.join(names)}")
    return method


def forward_of(thing: Any) -> Method | None:
    """Return the forward of ``thing``, None if it has none."""
    return find_method(thing, FORWARD_NAMES)


def backward_of(thing: Any) -> Method | None:
    """Return the backward of ``thing``, None if it has none."""
    return find_method(thing, BACKWARD_NAMES)


def is_layer(thing: Any) -> bool:
    """Whether ``thing`` is an object with a forward and a backward method."""
    has_both = backward_of(thing) is not None and forward_of(thing) is not None
    return has_both and not isinstance(thing, type)


@dataclass(frozen=True)
class Names:
    """The names of the forward and of the backward of an object."""

    forward: str
    backward: str

    @classmethod
    def of(cls, thing: Any) -> Names:
        """Return the names by which ``thing`` has them.

        Raises
        ------
        TargetError
            If it has not both.
        """
        own = {}
        for kind, names in (("forward", FORWARD_NAMES), ("backward", BACKWARD_NAMES)):
            method_of(thing, names)
            own[kind] = next(n for n in names if find_method(thing, [n]) is not None)
        return cls(**own)


def same_owner(first: Any, second: Any) -> Any:
    """Return the object that two functions are methods of; None where there is none."""
    owner = getattr(first, "__self__", None)
    is_object = owner is not None and not isinstance(owner, type | ModuleType)
    return owner if is_object and getattr(second, "__self__", None) is owner else None


def has_static_methods(kind: type) -> bool:
    """Whether a class is no more than a namespace for its functions forward and backward."""
    functions = (inspect.getattr_static(kind, name, None) for name in ("forward", "backward"))
    return all(isinstance(function, staticmethod | classmethod) for function in functions)


def name_of(thing: Any) -> str:
    """Return the name of a function or module, that of its class for an object."""
    return str(getattr(thing, "__name__", type(thing).__name__))
