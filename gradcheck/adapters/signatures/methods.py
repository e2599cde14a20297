"""The forward and the backward of an object, by whatever name, and the arguments they take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from types import FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from gradcheck.adapters.signatures.name_tables import (
    BACKWARD_NAMES,
    BACKWARD_WORDS,
    FORWARD_NAMES,
    FORWARD_WORDS,
    LOSS_METHODS,
    LOSS_WORDS,
    PAIRED_NAMES,
    SERVICE_WORDS,
    is_target,
    words_of,
)
from gradcheck.state import OPAQUE_MODULES

Method = Callable[..., Any]

# Arguments of functions and, where True, of them as methods: every forward asks for them.
_parameters: WeakKeyDictionary[FunctionType, dict[bool, tuple[inspect.Parameter, ...] | None]]
_parameters = WeakKeyDictionary()


def find_method(thing: Any, names: Sequence[str]) -> Method | None:
    """Return the first of the methods that ``thing`` has, None if it has none of them."""
    for name in names:
        method = getattr(thing, name, None)
        if callable(method) and not isinstance(method, type):
            return method  # type: ignore[no-any-return]
    return None


def forward_of(thing: Any) -> Method | None:
    """Return the forward of ``thing`` by a usual name, None if it has none."""
    return find_method(thing, FORWARD_NAMES)


def backward_of(thing: Any) -> Method | None:
    """Return the backward of ``thing`` by a usual name, None if it has none."""
    return find_method(thing, BACKWARD_NAMES)


def loss_of(thing: Any) -> Method | None:
    """Return the method that computes the loss of a network, None if it has none."""
    others = _named_with(thing, LOSS_WORDS, BACKWARD_WORDS | SERVICE_WORDS)
    return find_method(thing, (*LOSS_METHODS, *others))


def forward_names(thing: Any) -> list[str]:
    """Return the names of what may be the forward of ``thing``, likeliest first.

    Any method may, where neither the usual names nor their words are found.
    """
    usual = [name for name in FORWARD_NAMES if find_method(thing, [name]) is not None]
    others = BACKWARD_WORDS | SERVICE_WORDS
    return usual or _named_with(thing, FORWARD_WORDS, others) or _named_with(thing, None, others)


def backward_names(thing: Any) -> list[str]:
    """Return the names of what may be the backward of ``thing``, likeliest first."""
    usual = [name for name in BACKWARD_NAMES if find_method(thing, [name]) is not None]
    return usual or gradient_methods(thing)


def gradient_methods(thing: Any) -> list[str]:
    """Return the names of all methods that say to be about gradients."""
    return _named_with(thing, BACKWARD_WORDS, SERVICE_WORDS)


def _named_with(thing: Any, words: frozenset[str] | None, without: frozenset[str]) -> list[str]:
    """Return the public methods with one of these words in their names, in order of definition.

    All but those ``without`` such words, where ``words`` is None.
    """
    is_object = not isinstance(thing, type) and _is_code(thing)
    kinds = type(thing).__mro__[-2::-1] if is_object else ()
    names = [name for kind in kinds for name, member in vars(kind).items() if _is_method(member)]
    return [
        name
        for name in dict.fromkeys(names)
        if not name.startswith("_")
        and (words is None or words.intersection(words_of(name)))
        and not without.intersection(words_of(name))
    ]


def _is_code(thing: Any) -> bool:
    """Whether a thing is of a class that somebody may have written gradients in, and no data."""
    module = type(thing).__module__.partition(".")[0]
    libraries = {*OPAQUE_MODULES, "pandas", "polars"} - {"builtins"}  # as of what `exec` makes
    return isinstance(thing, type) or module not in libraries


def _is_method(member: Any) -> bool:
    return isinstance(member, FunctionType | staticmethod | classmethod)


def is_layer(thing: Any) -> bool:
    """Whether ``thing`` is an object with a forward and a backward method by usual names."""
    has_both = backward_of(thing) is not None and forward_of(thing) is not None
    return has_both and not isinstance(thing, type) and _is_code(thing)


@dataclass(frozen=True)
class Names:
    """The names of the forward and of the backward of an object."""

    forward: str
    backward: str

    @classmethod
    def all_of(cls, thing: Any) -> list[Names]:
        """Return the pairs of names by which ``thing`` may have them, likeliest first.

        Where there is a ``forward`` usual names leave no doubt. Else a backward that is called as a
        method is but for a word of its own, belongs to that one: ``act`` and ``act_derivative``.
        """
        if not _is_code(thing):
            return []
        pairs = (cls(*both) for both in _pairs(thing) if both[0] != both[1])
        certain = is_layer(thing) and find_method(thing, FORWARD_NAMES[:1]) is not None
        return list(islice(pairs, 1 if certain else None))


def _pairs(thing: Any) -> Iterator[tuple[str, str]]:
    for backward in backward_names(thing):
        for forward in _called_like(thing, backward) or forward_names(thing):
            yield forward, backward
    for both in PAIRED_NAMES:
        if all(find_method(thing, [name]) for name in both):
            yield both


def _called_like(thing: Any, backward: str) -> list[str]:
    """Return the methods that are called as a backward is, but for what makes it one."""
    rest = [word for word in words_of(backward) if word not in BACKWARD_WORDS]
    if not rest:
        return []
    methods = _named_with(thing, frozenset(rest), BACKWARD_WORDS)
    return [name for name in methods if words_of(name) == rest]


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


def parameters_of(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...] | None:
    """Return the arguments that ``function`` takes; None if unknown."""
    is_bound = isinstance(function, MethodType)
    plain = getattr(function, "__func__", function)
    if not isinstance(plain, FunctionType):
        return _read_parameters(function)
    known = _parameters.setdefault(plain, {})
    if is_bound not in known:
        known[is_bound] = _read_parameters(function)
    return known[is_bound]


def _read_parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...] | None:
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def is_positional(parameter: inspect.Parameter) -> bool:
    """Whether an argument can be given by its position, and is a single one."""
    return parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)


def required_names(function: Callable[..., Any]) -> list[str] | None:
    """Return the names of the positional arguments without default; None if unknown."""
    taken = parameters_of(function)
    if taken is None:
        return None
    return [p.name for p in taken if is_positional(p) and p.default is p.empty]


def targets_come_late(forward: Method, backward: Method, count: int) -> bool:
    """Whether the backward asks for targets that a forward of ``count`` arguments does not take."""
    taken, wanted = required_names(forward), required_names(backward) or ()
    begins_without = taken is not None and len(taken) == count and not any(map(is_target, taken))
    return begins_without and any(map(is_target, wanted))


def accepts_argument(function: Callable[..., Any]) -> bool:
    """Whether ``function`` can be called with one positional argument."""
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def input_names(forward: Callable[..., Any], count: int) -> list[str]:
    """Return names for ``count`` inputs: the forward's own where there are some, else x, x1, ..."""
    named = [p.name for p in parameters_of(forward) or [] if is_positional(p)]
    fallback = ["x", *(f"x{position}" for position in range(1, count))]
    return [*named[:count], *fallback[len(named) : count]]
