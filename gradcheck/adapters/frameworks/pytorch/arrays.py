"""PyTorch's tensors as arrays, and PyTorch code computing in float64, as arrays do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.frameworks.pytorch.sparse import dense
from gradcheck.adapters.signatures import pytree
from gradcheck.target import ForwardRun
from gradcheck.values import TargetError, as_outputs


def is_differentiable(tensor: Any) -> bool:
    """Whether a tensor is of real or complex floating-point numbers."""
    return bool(tensor.is_floating_point() or tensor.is_complex())


def tensors_in(raw: Any) -> list[Any]:
    """Return the tensors among what code takes or returns, nested as it may be."""
    import torch

    return [leaf for _, leaf in pytree.paths("", raw) if torch.is_tensor(leaf)]


def in_reals(tensor: Any) -> Any:
    """Return a tensor, of complex numbers with one more axis for their two parts."""
    import torch

    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def as_array(tensor: Any) -> Array:
    """Return the numbers of a tensor as a NumPy array of its own; bfloat16 as float32.

    Of a sparse tensor, with the zeros that it does not store.
    """
    import torch

    plain = dense(tensor.detach()).cpu()
    if plain.is_floating_point() and plain.dtype not in _known():
        plain = plain.to(torch.float32)
    return np.array(plain.numpy(force=True))


def like(array: Array, tensor: Any) -> Any:
    """Return the numbers of an array as a new tensor, of the dtype and device of ``tensor``."""
    import torch

    copied = torch.from_numpy(np.array(array))
    low = tensor.is_floating_point() and tensor.dtype not in _known()
    return copied.to(tensor.device, tensor.dtype if low else copied.dtype)


class TensorCopies:
    """Copies of arrays as tensors; of an array that nobody can write to, one until it is spoilt.

    All but one tensor of a point stay as they are from one evaluation to the next: to copy them
    anew each time takes longer than most forwards. PyTorch counts what is written to a tensor, so
    that a copy which the code has changed is known.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Array, Any, int]] = {}

    def of(self, name: str, array: Array, device: Any) -> Any:
        """Return a tensor with the numbers of ``array`` that shares no memory with it."""
        import torch

        known = self._kept.get(name)
        if known is not None:
            of, copy, version = known
            if of is array and copy._version == version:
                return copy
        copy = torch.tensor(array, device=device)
        if not array.flags.writeable:
            self._kept[name] = array, copy, copy._version
        return copy


def rounding_of(tensors: Sequence[Any]) -> float | None:
    """Return the largest rounding unit of the tensors that NumPy must keep in a wider dtype."""
    import torch

    low = [t for t in tensors if t.is_floating_point() and t.dtype not in _known()]
    return max((float(torch.finfo(t.dtype).eps) for t in low), default=None)


def shared(tensor: Any) -> Array:
    """Return a tensor as the very array it is in memory, a copy where NumPy cannot share it."""
    in_memory = tensor.dtype in _known() and tensor.device.type == "cpu"
    return tensor.detach().numpy() if in_memory else as_array(tensor)


def lowest_precision(tensors: Sequence[Any]) -> Any:
    """Return the floating-point type with the largest rounding unit, float64 if there is none."""
    import torch

    dtypes = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
    return max(dtypes, key=lambda dtype: torch.finfo(dtype).eps, default=torch.float64)


def results_in(raw: Any) -> tuple[Any, ...]:
    """Return the tensors in what a forward returned, nested as it may be, as dense ones.

    Raises
    ------
    TargetError
        If there is none.
    """
    results = tuple(map(dense, tensors_in(raw)))
    if not results:
        raise TargetError(
            f"the forward returned {type(raw).__name__} without a tensor in it: return the tensor "
            "itself, not what .item(), .tolist() or .numpy() make of it; an object of a class of "
            "your own can be registered by torch.utils._pytree.register_pytree_node"
        )
    return results


def outputs_of(raw: Any) -> tuple[tuple[Any, ...], Outputs]:
    """Return what a forward returned as tensors, and as arrays."""
    results = results_in(raw)
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


# Methods that name a precision without an argument.
CASTS = ("float", "half", "bfloat16")


@contextmanager
def computing_in_float64(native: Any) -> Iterator[None]:
    """Have all that runs inside compute in float64; no gradient is recorded.

    Parameters
    ----------
    native
        The dtype that the code computes in by itself. Random numbers are drawn in it, so that
        they are the same.

    Notes
    -----
    Arguments of lower precision are widened where they enter an operation, whether they come from
    a closure, a module or a constructor, and so is what constructors and casts return. Two levels
    are needed: the functions that users call check their arguments for a common dtype before they
    split into operations (see ``torch.overrides`` and ``torch.utils._python_dispatch``).
    """
    import torch

    calls, operations = _modes_in_float64(native)
    with torch.no_grad(), calls(), operations():
        yield


@cache
def _modes_in_float64(native: Any) -> tuple[Any, Any]:
    """Return the classes of both levels; to make classes takes as long as a small forward."""
    import torch

    # untyped, so that types are checked alike with PyTorch and without
    overrides: Any = import_module("torch.overrides")
    dispatch: Any = import_module("torch.utils._python_dispatch")

    wide = {
        torch.float32: torch.float64,
        torch.float16: torch.float64,
        torch.bfloat16: torch.float64,
        torch.complex64: torch.complex128,
        torch.complex32: torch.complex128,
    }
    casts = tuple(getattr(torch.Tensor, name) for name in CASTS)

    def widened(value: Any) -> Any:
        if isinstance(value, torch.dtype):
            return wide.get(value, value)
        if isinstance(value, torch.Tensor) and value.dtype in wide:
            return value.to(wide[value.dtype])
        return value

    def narrowed(value: Any) -> Any:
        double = isinstance(value, torch.Tensor) and value.dtype is torch.float64
        return value.to(native) if double else value

    class Calls(overrides.TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if func in casts:
                return args[0].double()
            if getattr(func, "__name__", "") != "__get__":  # an attribute is read as it is
                args, kwargs = _changed((args, kwargs), widened)
            return _changed(func(*args, **kwargs), widened)

    class Operations(dispatch.TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if torch.Tag.nondeterministic_seeded in func.tags:
                drawn = func(*_changed(args, narrowed), **_changed(kwargs, narrowed))
                in_place = func._schema.name.endswith("_")
                return args[0].copy_(drawn) if in_place else _changed(drawn, widened)
            args, kwargs = _changed((args, kwargs), widened)
            return _changed(func(*args, **kwargs), widened)

    return Calls, Operations


def _changed(tree: Any, change: Any) -> Any:
    """Return tuples, lists and mappings of arguments with every leaf changed."""
    if isinstance(tree, Mapping):
        return {key: _changed(value, change) for key, value in tree.items()}
    if type(tree) in (tuple, list):
        return type(tree)(_changed(value, change) for value in tree)
    return change(tree)


def within_domain(run: Callable[[Tensors], ForwardRun]) -> Callable[[Tensors], ForwardRun]:
    """Return ``run`` with ValueError in place of a RuntimeError, once a point has gone through.

    PyTorch raises it for points outside of the domain of an operation, where NumPy raises
    ValueError or returns NaN. At the first point it is the user's to see as it is.
    """
    reached = False

    def guarded(at: Tensors) -> ForwardRun:
        nonlocal reached
        try:
            found = run(at)
        except RuntimeError as error:
            if not reached:
                raise
            raise ValueError(f"{type(error).__name__}: {error}") from error
        reached = True
        return found

    return guarded


def no_gradients(cotangents: Outputs) -> dict[str, Any]:
    """Return none: only the numbers are taken from code that computes in another precision."""
    return {}
