"""The decorator that refuses arguments by their annotations."""

from __future__ import annotations

import functools
import inspect
import reprlib
from typing import Any, TypeVar

from gradcheck_arguments._fits import fits, in_range, in_words

# Parameters that take any number of arguments: *args and **kwargs.
STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

F = TypeVar("F", bound=Any)


def checked(thing: F) -> F:
    """Have a function, or the constructor of a class, refuse arguments that do not fit.

    Parameters
    ----------
    thing
        A function, or a class. What its parameters are annotated with is what fits.

    Returns
    -------
    function or class
        It raises TypeError for arguments of another kind than annotated, and ValueError for
        numbers out of their range and for names that are none of those there are.
    """
    if isinstance(thing, type):
        thing.__init__ = checked(thing.__init__)  # type: ignore[misc]
        return thing
    signature = inspect.signature(thing)
    hints: dict[str, Any] = {}

    @functools.wraps(thing)
    def refusing(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if not hints:
            hints.update(_resolved(thing, signature))
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:  # too many or too few, of which Python's own message is the usual one
            given = {}
        for name, value in given.items():
            if name in hints:
                _require(name, value, hints[name])
        return thing(*args, **kwargs)

    return refusing  # type: ignore[return-value]


def _require(name: str, value: Any, hint: Any) -> None:
    if not fits(value, hint):
        unknown = isinstance(value, str) and "'" in in_words(hint)
        raise (ValueError if unknown else TypeError)(_refusal(name, value, hint))
    if not in_range(value, hint):
        raise ValueError(_refusal(name, value, hint))


def _refusal(name: str, value: Any, hint: Any) -> str:
    """Return what was given, of an array its dtype and shape, and what is expected."""
    given = f"={reprlib.repr(value)}:"
    if getattr(value, "ndim", 0):
        given = f" has dtype {value.dtype} and shape {value.shape};"
    return f"{name}{given} expected {in_words(hint)}"


def _resolved(thing: Any, signature: inspect.Signature) -> dict[str, Any]:
    """Return what the parameters are annotated with; what only type checkers know is left out."""
    found: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        hint, single = parameter.annotation, parameter.kind not in STARRED
        if single and hint is not parameter.empty:
            try:
                # not typing.get_type_hints: it would rewrite ArrayLike, which is known as it is
                found[name] = eval(hint, thing.__globals__) if isinstance(hint, str) else hint
            except NameError:
                continue
    return found
