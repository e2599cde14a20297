"""PyTorch's tensors as arrays: dtypes that NumPy lacks, and which outputs carry a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.target import as_outputs


def as_array(tensor: Any) -> Array:
    """Return the numbers of a tensor as a NumPy array of its own; bfloat16 as float32."""
    import torch

    plain = tensor.detach().cpu()
    if plain.is_floating_point() and plain.dtype not in _known():
        plain = plain.to(torch.float32)
    return np.array(plain.numpy(force=True))


def like(array: Array, tensor: Any) -> Any:
    """Return the numbers of an array as a new tensor, of the dtype and device of ``tensor``."""
    import torch

    copied = torch.from_numpy(np.array(array))
    low = tensor.is_floating_point() and tensor.dtype not in _known()
    return copied.to(tensor.device, tensor.dtype if low else copied.dtype)


def rounding_of(tensors: Sequence[Any]) -> float | None:
    """Return the largest rounding unit of the tensors that NumPy must keep in a wider dtype."""
    import torch

    low = [t for t in tensors if t.is_floating_point() and t.dtype not in _known()]
    return max((float(torch.finfo(t.dtype).eps) for t in low), default=None)


def shared(tensor: Any) -> Array:
    """Return a tensor as the very array it is in memory, a copy where NumPy lacks its dtype."""
    return tensor.detach().numpy() if tensor.dtype in _known() else as_array(tensor)


def lowest_precision(tensors: Sequence[Any]) -> Any:
    """Return the floating-point type with the largest rounding unit, float64 if there is none."""
    import torch

    dtypes = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
    return max(dtypes, key=lambda dtype: torch.finfo(dtype).eps, default=torch.float64)


def outputs_of(raw: Any) -> tuple[tuple[Any, ...], Outputs]:
    """Return what a forward returned as tensors, and as arrays."""
    results = tuple(raw) if isinstance(raw, tuple | list) else (raw,)
    return results, as_outputs(tuple(map(as_array, results)))


def carried(results: Sequence[Any]) -> tuple[bool, ...] | None:
    """Say which outputs carry a gradient; None where none does, so that all are taken to.

    What PyTorch's graph does not reach, such as batch statistics beside the output or what
    ``mark_non_differentiable`` names, has none. Where nothing at all is reached, the gradient
    is zero, and that can be checked.
    """
    reached = tuple(bool(result.requires_grad) for result in results)
    return reached if any(reached) else None


def _known() -> tuple[Any, ...]:
    """Return the floating-point types that NumPy has as well."""
    import torch

    return torch.float16, torch.float32, torch.float64
