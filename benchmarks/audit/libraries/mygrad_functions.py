"""MyGrad's functions of tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import mygrad
import mygrad.nnet.activations
import mygrad.nnet.losses
import numpy as np

from benchmarks.audit.libraries.library import Floats, public_functions, same_dtype


class MyGrad:
    """``mygrad``, its activations and losses."""

    dtypes = ("float64", "float32")

    def __init__(self) -> None:
        self.version = version("mygrad")

    def operators(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        known = set()
        for module in (mygrad, mygrad.nnet.activations, mygrad.nnet.losses):
            for name, function in public_functions(module):
                if name not in known:
                    known.add(name)
                    yield name, function

    def value(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> Floats:
        with np.errstate(all="ignore"), mygrad.no_autodiff:
            return np.asarray(mygrad.asarray(function(x.astype(dtype))), dtype=np.float64)

    def slope(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> tuple[Floats, Floats]:
        given = mygrad.tensor(x.astype(dtype))
        with np.errstate(all="ignore"):
            result = function(given)
            same_dtype(result, given)
            result.backward(np.ones_like(result.data))
        if given.grad is None:
            raise TypeError("no gradient")
        return result.data.astype(np.float64), given.grad.astype(np.float64)

    def full_like(self, x: Any, c: float) -> Any:
        return np.full(x.shape, c, dtype=x.dtype)

    def stack(self, columns: list[Any]) -> Any:
        return mygrad.stack(columns, -1)
