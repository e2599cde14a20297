"""The function under test, called with care and in one form, however its user wrote it."""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.assertions import (
    FunctionRaisedError,
    PropertyViolationError,
    require_shape,
)
from gradcheck.properties.property import Property


class FunctionUnderTest:
    """What every suite knows of the function or object it examines, by its own name if no other."""

    def __init__(self, fn: Any, name: str = "") -> None:
        if isinstance(fn, type):
            raise TypeError(f"{fn.__name__} is a class; pass an instance or a function")
        self.fn = fn
        self.name = name or getattr(fn, "__name__", type(fn).__name__)

    @property
    def detected(self) -> dict[str, str]:
        """What was found out about the function by asking it, for the report."""
        return {}

    def missing(self, need: str) -> str:
        """Return why ``need`` is not there, or an empty text where it is."""
        return f"no {need}"

    def likely_cause(self, failed: Property) -> str:
        """Return what bug would explain that ``failed`` does, found by experiment, or nothing."""
        return ""


def forward_of(fn: Any) -> Callable[..., Any]:
    """Return the function under test, or the forward of the object that it is."""
    forward = fn if callable(fn) else getattr(fn, "forward", None)
    if forward is None:
        raise TypeError(f"fn={fn!r}: expected a function, or an object with a forward")
    return forward  # type: ignore[no-any-return]


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore the warnings of the function under test: what it returns is judged."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def refusal(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """Return how ``fn`` refuses such arguments, or an empty text if it takes them."""
    try:
        call(fn, *args, **kwargs)
    except FunctionRaisedError as error:
        return f"{type(error.__cause__).__name__}: {error.__cause__}".rstrip(": ")
    return ""


def call(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call the function under test; its own errors come back as `FunctionRaisedError`."""
    try:
        with np.errstate(all="ignore"):
            return fn(*args, **kwargs)
    except Exception as error:
        shapes = ", ".join(_describe(arg) for arg in args)
        name = getattr(fn, "__name__", type(fn).__name__)
        raise FunctionRaisedError(
            f"{name}({shapes}) raised {type(error).__name__}: {error}"
        ) from error


def as_floats(result: Any) -> Array:
    """Return what the function returned as an array of real floating-point numbers."""
    array = np.asarray(result)
    if array.dtype.kind != "f":
        raise PropertyViolationError(
            "the function does not return real floating-point numbers",
            got=f"{type(result).__name__} of dtype {array.dtype}",
            expected="an array of floats",
        )
    return array


def shaped_like(result: Any, x: Array) -> Array:
    """Return what the function returned as an array of floats, which must be shaped like ``x``."""
    array = as_floats(result)
    require_shape(array, x.shape, "the result is not shaped like the input")
    return array


def accepts(fn: Callable[..., Any], parameter: str) -> bool | None:
    """Whether ``fn`` has a parameter of that name; None where its signature cannot be read."""
    try:
        return parameter in inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return None


def _describe(arg: Any) -> str:
    if isinstance(arg, np.ndarray):
        return f"{arg.dtype} array of shape {arg.shape}"
    return type(arg).__name__ if not isinstance(arg, int | float | str) else repr(arg)


def of_arrays(fn: Callable[..., Any], *example: Any) -> Callable[..., Any]:
    """Return ``fn`` itself, or where it takes torch tensors only, ``fn`` of arrays.

    It is asked by the arguments in ``example``, with and without ``dim=-1``.
    """
    if "torch" not in sys.modules or any(_takes(fn, *example, **dim) for dim in ({}, {"dim": -1})):
        return fn

    @functools.wraps(fn)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        return _to_array(fn(*map(_to_tensor, arguments), **options))

    if any(_takes(wrapped, *example, **dim) for dim in ({}, {"dim": -1})):
        return wrapped
    return fn


def _takes(fn: Callable[..., Any], *arguments: Any, **options: Any) -> bool:
    try:
        with np.errstate(all="ignore"):
            fn(*(np.copy(argument) for argument in arguments), **options)
    except Exception:  # noqa: BLE001 (whatever a user's function raises means: no)
        return False
    return True


def _to_tensor(value: Any) -> Any:
    import torch

    if not isinstance(value, np.ndarray):
        return value
    negative = any(stride < 0 for stride in value.strides)  # which torch has not
    return torch.as_tensor(value.copy() if negative else value)


def _to_array(value: Any) -> Any:
    import torch

    if isinstance(value, tuple):
        return tuple(map(_to_array, value))
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else value
