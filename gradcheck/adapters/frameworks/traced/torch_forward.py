"""A forward of PyTorch, followed by arrays of NumPy that stand for its tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.frameworks.traced.moves import taken, written
from gradcheck.adapters.frameworks.traced.torch_operations import CONSTANTS, OPERATIONS


def followed(forward: Callable[[], Any], tensors: Iterable[tuple[Any, Array]]) -> Followed:
    """Run a forward, every operation once more on the arrays that stand for its tensors.

    Parameters
    ----------
    forward
        Called with nothing. What it returns is lost: ask for the arrays of its outputs.
    tensors
        Tensors that it reads, and the arrays that stand for them.

    Raises
    ------
    NotImplementedError
        If an operation that depends on one of them is not known.
    """
    import torch

    dispatch: Any = import_module("torch.utils._python_dispatch")
    arrays = Followed()
    for tensor, array in tensors:
        arrays.put(tensor, array)

    class Following(dispatch.TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            leaves = [x for x in _leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
            if not any(map(arrays.knows, leaves)):
                return func(*args, **kwargs)
            name = func._schema.name.partition("::")[2]
            in_place = name.endswith("_") and not name.endswith("__")
            given = _changed((args, kwargs), arrays.of)
            before = arrays.memory_before(args[0]) if in_place else None
            result = func(*args, **kwargs)
            floats = [
                x for x in _leaves(result) if isinstance(x, torch.Tensor) and x.is_floating_point()
            ]
            if not floats or (name in CONSTANTS and not in_place):
                return result
            made = _known(name.removesuffix("_") if in_place else name)(
                *given[0], **_named(given[1])
            )
            if in_place:
                arrays.write(args[0], made, before)
            else:
                for tensor, array in zip(_leaves(result), _leaves(made), strict=True):
                    if array is not None and tensor.is_floating_point():
                        arrays.put(tensor, array)
            return result

    with Following():
        arrays.result = forward()
    return arrays


class Followed:
    """The arrays that stand for tensors, whatever is written into them or into views of them.

    Attributes
    ----------
    result
        What the forward returned.
    """

    result: Any = None

    def __init__(self) -> None:
        # of every tensor: itself, so that its identity stays its own, its array, and the age of
        # the memory that it was made at
        self._arrays: dict[int, tuple[Any, Array, int]] = {}
        self._memory: dict[int, _Memory] = {}

    def knows(self, tensor: Any) -> bool:
        """Whether an array stands for a tensor, or for memory that it is a view of."""
        return id(tensor) in self._arrays or _memory_of(tensor) in self._memory

    def put(self, tensor: Any, array: Array) -> None:
        """Have an array stand for a tensor, which may be a view of one that is known."""
        memory = self._memory.setdefault(_memory_of(tensor), _Memory())
        self._arrays[id(tensor)] = tensor, array, memory.age
        if memory.whole is None and _covers(tensor):
            memory.whole = array

    def of(self, tensor: Any) -> Any:
        """Return the array that stands for a tensor, its numbers where none does; others as is."""
        import torch

        if not isinstance(tensor, torch.Tensor):
            return tensor
        memory = self._memory.get(_memory_of(tensor))
        _, array, age = self._arrays.get(id(tensor), (tensor, None, -1))
        if array is not None and memory is not None and age == memory.age:
            return array
        if memory is not None and memory.whole is not None:
            array = taken(memory.whole, _places(tensor))
            self._arrays[id(tensor)] = tensor, array, memory.age
            return array
        plain = tensor.detach().cpu()
        return (plain.double() if plain.is_floating_point() else plain).numpy().copy()

    def memory_before(self, tensor: Any) -> Any:
        """Return what stands for the memory of a tensor that is about to be written to."""
        memory = self._memory.get(_memory_of(tensor))
        if memory is not None and memory.whole is not None:
            return memory.whole
        size = tensor.untyped_storage().nbytes() // tensor.element_size()
        return self.of(tensor.detach().as_strided((size,), (1,), 0))

    def write(self, tensor: Any, array: Array, before: Any) -> None:
        """Have an array stand for a tensor into which it was written, and for all views of it."""
        memory = self._memory.setdefault(_memory_of(tensor), _Memory())
        memory.age += 1
        memory.whole = array if _covers(tensor) else written(before, array, _places(tensor))
        self._arrays[id(tensor)] = tensor, array, memory.age


class _Memory:
    """What stands for all entries of one piece of memory, and how often it was written to."""

    whole: Array | None = None
    age: int = 0


def _memory_of(tensor: Any) -> int:
    return int(tensor.untyped_storage()._cdata)


def _covers(tensor: Any) -> bool:
    nbytes = tensor.untyped_storage().nbytes()
    return bool(tensor.is_contiguous() and tensor.numel() * tensor.element_size() == nbytes)


def _places(tensor: Any) -> Array:
    """Return where in its memory every entry of a tensor is."""
    numbers = np.full(tensor.shape, tensor.storage_offset())
    for axis, (n, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        numbers += (np.arange(n) * stride).reshape((-1, *[1] * (tensor.dim() - axis - 1)))
    return numbers


def _known(name: str) -> Callable[..., Any]:
    if name not in OPERATIONS:
        raise NotImplementedError(f"the operation {name} is not replayed")
    return OPERATIONS[name]


# What says in which form and where numbers are kept.
FORM = ("dtype", "device", "layout", "memory_format", "pin_memory", "non_blocking")


def _named(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in FORM}


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return _leaves(list(tree.values()))
    if isinstance(tree, list | tuple):
        return [leaf for part in tree for leaf in _leaves(part)]
    return [tree]


def _changed(tree: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(tree, dict):
        return {key: _changed(value, change) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_changed(value, change) for value in tree)
    return change(tree)
