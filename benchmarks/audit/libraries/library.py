"""What the audit needs to know of a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Library(Protocol):
    """Its operators, and how they are called and differentiated."""

    version: str
    dtypes: tuple[str, ...]

    def operators(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Yield names and functions of arrays."""
        ...

    def value(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> Floats:
        """Return the function of an array of that dtype, in float64."""
        ...

    def slope(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> tuple[Floats, Floats]:
        """Return value and the library's own gradient of their sum.

        TypeError where the result has another dtype or no gradient.
        """
        ...

    def full_like(self, x: Any, c: float) -> Any:
        """Return an array like another with one number everywhere."""
        ...

    def stack(self, columns: list[Any]) -> Any:
        """Return columns side by side."""
        ...


def same_dtype(result: Any, given: Any) -> None:
    """Raise TypeError where a result has another dtype than the array that was given."""
    if result.dtype != given.dtype or result.shape != given.shape:
        raise TypeError(f"{result.dtype} from {given.dtype}")


def public_functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield what a module offers to be called, each once; private names and plain classes are not.

    MyGrad's ufuncs are classes that are called as functions, of a metaclass of their own.
    """
    seen = set()
    for name in sorted(dir(module)):
        function = getattr(module, name)
        if name.startswith("_") or not callable(function) or type(function) is type:
            continue
        if id(function) not in seen:
            seen.add(id(function))
            yield name, function
