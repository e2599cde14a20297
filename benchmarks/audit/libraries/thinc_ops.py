"""Thinc's activations: every ``X`` of its operations beside which a ``backprop_X`` stands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
from thinc.api import NumpyOps

from benchmarks.audit.libraries.library import Floats, same_dtype


class Activation:
    """A forward and the backward pass that belongs to it."""

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        self.forward, self.backward = forward, backward
        self.needs = [p for p in inspect.signature(backward).parameters if p in ("dY", "X", "Y")]

    def __call__(self, x: Any) -> Any:
        return self.forward(x)

    def gradient(self, x: Any) -> Any:
        """Return the gradient of the sum."""
        y = self.forward(x)
        return self.backward(**{n: {"dY": np.ones_like(y), "X": x, "Y": y}[n] for n in self.needs})


class Thinc:
    """``thinc.api.NumpyOps``."""

    dtypes = ("float64", "float32")

    def __init__(self) -> None:
        self.version = version("thinc")

    def operators(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        ops = NumpyOps()
        for name in dir(ops):
            forward = getattr(ops, name.removeprefix("backprop_"), None)
            if name.startswith("backprop_") and callable(forward):
                yield name.removeprefix("backprop_"), Activation(forward, getattr(ops, name))

    def value(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> Floats:
        with np.errstate(all="ignore"):
            return np.asarray(function(x.astype(dtype)), dtype=np.float64)

    def slope(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> tuple[Floats, Floats]:
        given = x.astype(dtype)
        if not isinstance(function, Activation):
            raise TypeError("no backward pass of its own")
        with np.errstate(all="ignore"):
            result, gradient = function(given), function.gradient(given)
        same_dtype(result, given)
        return result.astype(np.float64), np.asarray(gradient, dtype=np.float64)

    def full_like(self, x: Any, c: float) -> Any:
        return np.full_like(x, c)

    def stack(self, columns: list[Any]) -> Any:
        return np.stack(columns, -1)
