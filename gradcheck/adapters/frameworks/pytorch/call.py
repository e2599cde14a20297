"""A call of PyTorch code: its arguments flattened to named tensors, and made again with others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.adapters.frameworks.pytorch.arrays import as_array, is_differentiable, like
from gradcheck.adapters.frameworks.pytorch.sparse import stored_values, with_values
from gradcheck.adapters.signatures import pytree
from gradcheck.values import TargetError


@dataclass(frozen=True)
class Call:
    """What is called, and with what.

    Attributes
    ----------
    forward
        The function of the arguments.
    arguments
        By name: tensors, containers of them, anything else.
    floats
        The tensors among them that are differentiated, by their paths. Of a sparse one its stored
        values are: the pattern is no number.
    """

    forward: Callable[..., Any]
    arguments: dict[str, Any]
    floats: dict[str, Any]

    @classmethod
    def of(cls, forward: Callable[..., Any], names: Sequence[str], given: Sequence[Any]) -> Call:
        """Name the arguments; arrays become tensors.

        Raises
        ------
        TargetError
            If a tensor has no numbers.
        """
        import torch

        arguments = {
            name: pytree.rebuilt(
                name, value, {path: _plain(leaf) for path, leaf in pytree.paths(name, value)}
            )
            for name, value in zip(names, given, strict=False)
        }
        leaves = [leaf for n, value in arguments.items() for leaf in pytree.paths(n, value)]
        floats = {n: v for n, v in leaves if torch.is_tensor(v) and is_differentiable(v)}
        for name, tensor in floats.items():
            if tensor.is_meta:
                raise TargetError(
                    f"{name} is on the device 'meta', where tensors have a shape and no numbers: "
                    f"give a tensor with numbers, such as torch.randn({tuple(tensor.shape)})"
                )
        return cls(forward, arguments, floats)

    def values(self) -> dict[str, Array]:
        """Return the numbers of the tensors that are differentiated."""
        return {name: as_array(stored_values(tensor)) for name, tensor in self.floats.items()}

    def leaves(self, at: Tensors) -> dict[str, Any]:
        """Return new tensors of other numbers, that gradients can be taken of."""
        return {
            name: like(at[name], stored_values(tensor)).requires_grad_()
            for name, tensor in self.floats.items()
        }

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Call the forward with such ``values`` in place of its own."""
        return self.forward(*self.given(values))

    def given(self, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the arguments with such ``values`` in place of their own."""
        moved = {name: with_values(self.floats[name], value) for name, value in values.items()}
        return tuple(pytree.rebuilt(n, v, moved) for n, v in self.arguments.items())


@contextmanager
def recording() -> Iterator[None]:
    """Have autograd record what runs inside, in whatever mode the caller is."""
    import torch

    with torch.inference_mode(False), torch.enable_grad():
        yield


def _plain(value: Any) -> Any:
    """Return an array as a tensor; of tensors, one that autograd can record."""
    import torch

    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return torch.from_numpy(np.array(value))
    if torch.is_tensor(value):
        if value.layout is torch.sparse_coo:
            value = value.coalesce()  # entries that are stored twice have no value of their own
        if value.is_inference():
            value = value.clone()
    return value
