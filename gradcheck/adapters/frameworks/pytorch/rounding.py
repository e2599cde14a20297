"""PyTorch's operations with the rounding errors of an arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from importlib import import_module
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.rounded_arithmetic import RoundedArithmetic, current

# How many terms the sums of an operation have, from its tensors and what it returns. All are linear
# in each of their tensors, so that they give the sums of magnitudes as well.
TERMS: dict[str, Callable[[list[Any], Any], float]] = {
    **dict.fromkeys(
        ("sum", "mean", "_sparse_sum", "trace"),
        lambda given, made: given[0].numel() / max(made.numel(), 1),
    ),
    "cumsum": lambda given, made: max(made.shape, default=1),
    **dict.fromkeys(("mm", "bmm", "mv", "dot", "vdot"), lambda given, made: given[0].shape[-1]),
    **dict.fromkeys(
        ("convolution", "_convolution"), lambda given, made: math.prod(given[1].shape[1:])
    ),
    **dict.fromkeys(
        ("index_add", "scatter_add", "embedding_dense_backward", "col2im", "avg_pool2d"),
        lambda given, made: max(t.numel() for t in given) / max(made.numel(), 1),
    ),
}

# Operations that return numbers as they are.
EXACT = {
    "_to_copy", "clone", "copy", "cat", "stack", "index", "index_select", "gather", "where",
    "masked_fill", "neg", "abs", "sign", "sgn", "relu", "amax", "amin", "max", "min", "maximum",
    "minimum", "flip", "roll", "tril", "triu", "zeros", "zeros_like", "ones", "ones_like", "full",
    "full_like", "new_zeros", "empty", "empty_like", "new_empty", "new_empty_strided", "new_full",
    "fill", "zero", "arange", "scatter", "slice_backward", "select_backward", "embedding",
    "constant_pad_nd", "repeat", "lift_fresh", "scalar_tensor", "sort", "topk", "clamp",
    "diagonal_backward", "slice_scatter", "select_scatter", "view_copy", "set", "resize", "detach",
}  # fmt: skip


def in_current_arithmetic() -> AbstractContextManager[Any]:
    """Have operations make the errors of the current arithmetic, where there is one."""
    arithmetic = current()
    if arithmetic is None:
        return nullcontext()
    contexts = ExitStack()
    contexts.enter_context(_mode(arithmetic))
    if arithmetic.intermediates is None:
        contexts.enter_context(_watching_what_is_kept(arithmetic))
    return contexts


def _watching_what_is_kept(arithmetic: RoundedArithmetic) -> Any:
    """Note the formats of what is kept for a backward, but for what came in, which is exact."""
    import torch

    kept = arithmetic.kept_formats = arithmetic.kept_formats or set()

    def packed(tensor: Any) -> Any:
        floats = tensor.is_floating_point() or tensor.is_complex()
        if floats and not (tensor.is_leaf and tensor.requires_grad):
            kept.add(format_of(tensor))
        return tensor

    return torch.autograd.graph.saved_tensors_hooks(packed, lambda tensor: tensor)


def _mode(arithmetic: RoundedArithmetic) -> Any:
    import torch

    # untyped, so that types are checked alike with PyTorch and without
    dispatch: Any = import_module("torch.utils._python_dispatch")
    composite: Any = import_module("torch._decomp").decomposition_table

    class Rounded(dispatch.TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            name = func._schema.name.partition("::")[2]
            plain = name.rstrip("_") if name.endswith("_") else name
            elementary = plain in TERMS or plain in EXACT or arithmetic.intermediates is None
            if func in composite and not elementary:
                with self:
                    made = composite[func](*args, **kwargs)
                if made is not NotImplemented:
                    return made
            made = func(*args, **kwargs)
            if func.is_view or plain in EXACT:
                return made
            sizes, terms = None, 1.0
            if plain in TERMS:
                given = [t for t in args if torch.is_tensor(t)]
                terms = TERMS[plain](given, made)
                magnitudes = [_magnitude(t) for t in args]
                sizes = func(*magnitudes, **kwargs) if name == plain else None
            if isinstance(made, tuple):
                return type(made)(wrong(part, None, 1.0) for part in made)
            return wrong(made, sizes, terms, running=plain == "cumsum")

    def wrong(made: Any, sizes: Any, terms: float, *, running: bool = False) -> Any:
        if not (torch.is_tensor(made) and (made.is_floating_point() or made.is_complex())):
            return made
        arithmetic.formats.add(format_of(made))
        if arithmetic.intermediates is None:
            return made
        off = arithmetic.of_result(_numbers(made.abs()))
        if sizes is not None:
            off = off + arithmetic.of_sum(_numbers(sizes.abs()), terms, running=running)
        return made.add_(torch.as_tensor(off).to(made.device, made.dtype))

    return Rounded()


def format_of(tensor: Any) -> str:
    """Return the name of the format that the numbers of a tensor are kept in."""
    return str(tensor.real.dtype).removeprefix("torch.")


def _numbers(tensor: Any) -> Array:
    return np.asarray(tensor.double().cpu().numpy(force=True))


def _magnitude(argument: Any) -> Any:
    import torch

    floats = torch.is_tensor(argument) and (argument.is_floating_point() or argument.is_complex())
    return argument.abs().to(argument.dtype) if floats else argument
