"""Copies of arrays as tensors, for code that may write to what it is given."""

from __future__ import annotations

from typing import Any

from gradcheck._types import Array


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
