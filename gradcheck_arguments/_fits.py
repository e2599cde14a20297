"""Whether a value is what an annotation says, and what that is in words."""

from __future__ import annotations

import numbers
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from gradcheck_arguments._ranges import Leaves, Range

# Kinds of dtype that hold numbers: truth values, integers with a sign and without, floats, complex.
NUMBERS = "biufc"

WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "an integer",
    float: "a number",
    str: "a string",
    Path: "a path",
    NoneType: "None",
    ArrayLike: "an array of numbers",
    DTypeLike: "a dtype",
}
MANY = {tuple: "a tuple", list: "a list", Sequence: "a list"}


def fits(value: Any, annotation: Any) -> bool:
    """Whether a value is of the kind of an annotation, its range apart.

    What cannot be known of a value without using it, such as what an iterator yields, fits.
    """
    if annotation in (ArrayLike, DTypeLike):
        return _is_array(value) if annotation == ArrayLike else _is_dtype(value)
    match typing.get_origin(annotation):
        case origin if origin is Annotated:
            kind, *notes = typing.get_args(annotation)
            held = all(note.hold(value) for note in notes if isinstance(note, Leaves))
            return held and value is not None and fits(value, kind)
        case origin if origin in (Union, UnionType):
            return any(fits(value, option) for option in _options(annotation))
        case origin if origin is Literal:
            return isinstance(value, str) and value in typing.get_args(annotation)
        case None:
            return _is_instance(value, annotation)
        case origin:
            return _is_container(value, origin, typing.get_args(annotation))


def in_words(annotation: Any) -> str:
    """Return what fits an annotation, as it follows "expected"."""
    if annotation in WORDS:
        return WORDS[annotation]
    origin, options = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        if isinstance(options[1], Leaves):
            return options[1].text
        ranges = [note.text for note in options[1:] if isinstance(note, Range)]
        return " ".join([in_words(options[0]), *ranges])
    if origin in (Union, UnionType):
        return " or ".join(in_words(option) for option in _options(annotation))
    if origin is Literal:
        return " or ".join(map(repr, options))
    if origin is np.ndarray:
        return WORDS[ArrayLike]
    if origin in (Callable, typing.get_origin(Callable[..., Any])):
        return "a function"
    if origin is type:
        return "a class"
    if origin in (Mapping, dict):
        return f"a dictionary{_of(options[1:])}"
    if origin is not None:
        return f"{MANY.get(origin, 'a collection')}{_of(options)}"
    name = getattr(annotation, "__name__", str(annotation))
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def in_range(value: Any, annotation: Any) -> bool:
    """Whether a value that fits an annotation lies in the range that it has, if it has one."""
    origin, options = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (ArrayLike, DTypeLike):
        return True
    if origin is Annotated:
        return all(note.holds(value) for note in options[1:] if isinstance(note, Range))
    if origin in (Union, UnionType):
        return any(fits(value, each) and in_range(value, each) for each in _options(annotation))
    return True


def _options(union: Any) -> tuple[Any, ...]:
    """Return what a union is of; those that are unions themselves, and known, in one piece."""
    options = typing.get_args(union)
    for known in (ArrayLike, DTypeLike):
        parts = set(typing.get_args(known))
        if parts <= set(options):
            options = (known, *(option for option in options if option not in parts))
    return options


def _is_instance(value: Any, kind: Any) -> bool:
    if kind is float:
        # a number in an array of no axes is one, whatever the library
        alone = getattr(value, "ndim", None) == 0 and hasattr(value, "__float__")
        return (isinstance(value, numbers.Real) or alone) and not isinstance(value, bool | np.bool_)
    if kind is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if kind is bool:
        return isinstance(value, bool | np.bool_)
    if kind is Path:
        return isinstance(value, PathLike)
    if kind is None:
        return value is None
    if kind in (Any, object) or not isinstance(kind, type):
        return True
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol, or a dictionary by its keys: for type checkers alone
        return True


def _is_container(value: Any, origin: Any, options: tuple[Any, ...]) -> bool:
    if origin is np.ndarray:
        return _is_array(value)
    if origin is typing.get_origin(Callable[..., Any]):
        return callable(value)
    if origin is type:
        return isinstance(value, type)
    if origin in (Mapping, dict):
        key, item = options
        return isinstance(value, Mapping) and all(
            fits(name, key) and fits(each, item) for name, each in value.items()
        )
    if origin is tuple and Ellipsis not in options:
        return (
            isinstance(value, tuple | list)
            and len(value) == len(options)
            and all(map(fits, value, options))
        )
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return False
    if origin is Iterable and not isinstance(value, Collection):
        return True
    return all(fits(each, options[0]) for each in value)


def _is_array(value: Any) -> bool:
    if isinstance(value, str | bytes | Mapping) or value is None:
        return False
    if hasattr(value, "dtype") and not isinstance(value, np.ndarray | np.generic):
        return True  # an array of another library, for whoever it is given to
    try:
        kind = np.asarray(value).dtype.kind
    except (ValueError, TypeError):  # rows of several lengths
        return False
    return kind in NUMBERS


def _is_dtype(value: Any) -> bool:
    try:
        return value is not None and np.dtype(value).kind in NUMBERS
    except (TypeError, ValueError):
        return False


def _of(options: tuple[Any, ...]) -> str:
    """Return of what a container is, in the plural."""
    words = [in_words(option) for option in options if option not in (Any, Ellipsis)]
    plain = dict.fromkeys(word.removeprefix("a ").removeprefix("an ") for word in words)
    many = [_plural(word) for word in plain]
    return f" of {' and '.join(many)}" if many else ""


def _plural(word: str) -> str:
    head, of, rest = word.partition(" of ")
    return (
        f"{head[:-1]}ies{of}{rest}"
        if head.endswith("y") and head != "array"
        else f"{head}s{of}{rest}"
    )
