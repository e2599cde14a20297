"""PyTorch's operators: those of the database that PyTorch is tested with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from benchmarks.audit.libraries.library import Floats, same_dtype


class TorchArrays:
    """How tensors are made and differentiated, whoever's operators act on them."""

    dtypes = ("float64", "float32", "bfloat16")

    def value(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> Floats:
        with torch.no_grad():
            return _numpy(function(torch.tensor(x, dtype=getattr(torch, dtype))))

    def slope(self, function: Callable[[Any], Any], x: Floats, dtype: str) -> tuple[Floats, Floats]:
        given = torch.tensor(x, dtype=getattr(torch, dtype), requires_grad=True)
        result = function(given)
        same_dtype(result, given)
        if not result.requires_grad:
            raise TypeError("no gradient")
        (gradient,) = torch.autograd.grad(result, given, torch.ones_like(result))
        return _numpy(result), _numpy(gradient)

    def full_like(self, x: Any, c: float) -> Any:
        return torch.full_like(x, c, requires_grad=False)

    def stack(self, columns: list[Any]) -> Any:
        return torch.stack(columns, -1)


def _numpy(tensor: Any) -> Floats:
    return np.asarray(tensor.detach().to(torch.float64).numpy())


class Torch(TorchArrays):
    """The operators of ``op_db`` that support autograd, without their variants."""

    def __init__(self) -> None:
        self.version = torch.__version__

    def operators(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        from torch.testing._internal.common_methods_invocations import op_db

        seen = set()
        for op in op_db:
            if op.supports_autograd and op.name not in seen:
                seen.add(op.name)
                yield op.name, op.op
