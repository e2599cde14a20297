"""Sparse tensors of PyTorch: the numbers they store, and the same pattern with other numbers."""

from __future__ import annotations

from typing import Any


def stored_values(tensor: Any) -> Any:
    """Return the numbers that a tensor stores: a dense tensor itself, the values of a sparse one.

    A sparse tensor in coordinates has to be coalesced.
    """
    import torch

    return tensor if tensor.layout is torch.strided else tensor.detach().values()


def with_values(tensor: Any, values: Any) -> Any:
    """Return a tensor with the pattern of ``tensor`` and such ``values``, as autograd records."""
    import torch

    if tensor.layout is torch.strided:
        return values
    if tensor.layout is torch.sparse_coo:
        return torch.sparse_coo_tensor(
            tensor.indices(), values, tensor.shape, is_coalesced=True, check_invariants=False
        )
    by_row = tensor.layout in (torch.sparse_csr, torch.sparse_bsr)
    indices = (
        (tensor.crow_indices(), tensor.col_indices())
        if by_row
        else (tensor.ccol_indices(), tensor.row_indices())
    )
    return torch.sparse_compressed_tensor(
        *indices, values, tensor.shape, layout=tensor.layout, check_invariants=False
    )


def dense(tensor: Any) -> Any:
    """Return a tensor with the zeros that it does not store."""
    import torch

    return tensor if tensor.layout is torch.strided else tensor.to_dense()
