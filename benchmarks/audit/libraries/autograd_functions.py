"""Autograd's wrappers of NumPy and SciPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import autograd.numpy as anp
import autograd.scipy.special
import numpy as np
from autograd import make_vjp

from benchmarks.audit.libraries.library import Floats, public_functions, same_dtype


class Autograd:
    """``autograd.numpy`` and ``autograd.scipy.special``."""

    dtypes = ("float64", "float32")

    def __init__(self) -> None:
        self.version = version("autograd")

    def operators(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        yield from public_functions(anp)
        for name, function in public_functions(autograd.scipy.special):
            yield f"special.{name}", function

    def value(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> Floats:
        with np.errstate(all="ignore"):
            return np.asarray(function(x.astype(dtype)), dtype=np.float64)

    def slope(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> tuple[Floats, Floats]:
        given = x.astype(dtype)
        with np.errstate(all="ignore"):
            pullback, result = make_vjp(function)(given)
            same_dtype(result, given)
            gradient = pullback(np.ones_like(result))
        return np.asarray(result, dtype=np.float64), np.asarray(gradient, dtype=np.float64)

    def full_like(self, x: Any, c: float) -> Any:
        return anp.full(x.shape, c, dtype=x.dtype)

    def stack(self, columns: list[Any]) -> Any:
        return anp.stack(columns, -1)
