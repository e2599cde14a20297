"""Jacobians as people return them: dense or sparse, of outputs and inputs of any shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.adapters.signatures.pytree import is_plain
from gradcheck.adapters.signatures.results import BackwardCall
from gradcheck.array_containers import is_sparse
from gradcheck.values import is_differentiable

Shape = tuple[int, ...]


def contracted(returned: Any, call: BackwardCall) -> Any:
    """Return the cotangent times a Jacobian; of several, in the order of their inputs.

    Raises
    ------
    ValueError
        If one has the shape of no Jacobian.
    """
    cotangent = np.asarray(call.cotangent).ravel()
    parts = {
        call.names[position]: np.asarray(matrix.conj().T @ cotangent).reshape(
            np.shape(call.inputs[position])
        )
        for position, matrix in _positioned(returned, call)
    }
    return tuple(map(parts.get, call.names)) if len(parts) > 1 else next(iter(parts.values()))


def matrices(returned: Any, call: BackwardCall) -> dict[str, Any]:
    """Return what was returned as one matrix (outputs, entries) for each input, by name."""
    return {call.names[i]: matrix for i, matrix in _positioned(returned, call)}


def has_jacobian(returned: Any, inputs: Iterable[Any]) -> bool:
    """Whether outputs of more than one number come with their Jacobian by one of the inputs."""
    if not isinstance(returned, tuple) or len(returned) != 2:
        return False
    outputs, shape = map(shape_of, returned)
    if not outputs or shape is None:
        return False
    by = [np.shape(value) for value in inputs if is_differentiable(value)]
    fits = any(_fits(shape, outputs, own) or _is_transposed(shape, outputs, own) for own in by)
    return len(shape) > 1 and fits


def as_columns(returned: Any, call: BackwardCall) -> str:
    """Say which Jacobian is returned as its transpose, as far as its shape shows; empty if none."""
    parts = returned if _is_several(returned) else [returned]
    positioned = list(_positioned(returned, call))
    if len(positioned) > len(parts):  # columns of one matrix, by several numbers
        return ""
    outputs = np.shape(call.cotangent)
    for part, (position, _) in zip(parts, positioned, strict=True):
        shape, own = _shape(part), np.shape(call.inputs[position])
        if not _fits(shape, outputs, own):
            size = math.prod(outputs), math.prod(own)
            return (
                f"it has shape {shape}; that of {size[0]} outputs by {size[1]} entries of the "
                f"input has {size}"
            )
    return ""


def _is_several(returned: Any) -> bool:
    return isinstance(returned, tuple | list) and not is_plain(returned)


def _positioned(returned: Any, call: BackwardCall) -> Iterator[tuple[int, Any]]:
    """Yield every Jacobian as a matrix, with the position of the input that it is by.

    One of a function of several numbers has a column for each of them, as that of a curve has.
    """
    scalars = [position for position, own in _inputs(call) if own == ()]
    size = np.size(call.cotangent), len(scalars)
    if len(scalars) > 1 and _shape(returned) == size:
        matrix = as_matrix(returned, size)
        yield from ((p, matrix[:, [column]]) for column, p in enumerate(scalars))
        return
    outputs, left = np.shape(call.cotangent), list(_inputs(call))
    for part in returned if _is_several(returned) else [returned]:
        shape = _shape(part)
        fitting = [i for i, own in left if _fits(shape, outputs, own)]
        fitting += [i for i, own in left if _is_transposed(shape, outputs, own)]
        if not fitting:
            inputs = [own for _, own in _inputs(call)]
            raise ValueError(f"an array of shape {shape} is no Jacobian of {outputs} by {inputs}")
        size = math.prod(outputs), math.prod(np.shape(call.inputs[fitting[0]]))
        yield fitting[0], as_matrix(part, size)
        if _is_several(returned):
            left = [(i, own) for i, own in left if i != fitting[0]]


def _inputs(call: BackwardCall) -> Iterator[tuple[int, Shape]]:
    for position, value in enumerate(call.inputs):
        if is_differentiable(value):
            yield position, np.shape(value)


def _shape(jacobian: Any) -> Shape:
    shape = shape_of(jacobian)
    if shape is None:
        raise ValueError(f"rows of different lengths are no Jacobian: {jacobian!r:.60}")
    return shape


def shape_of(value: Any) -> Shape | None:
    """Return the shape of an array, sparse or not, or of nested lists; None for ragged ones."""
    try:
        return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
    except ValueError:
        return None


def _fits(shape: Shape, outputs: Shape, own: Shape) -> bool:
    """Whether it has the axes of outputs and input, or one for all entries of either.

    One output may go without its axis, and one entry of the input too.
    """
    rows, columns = math.prod(outputs), math.prod(own)
    usual = [outputs + own, (rows, columns)]
    usual += [own, (columns,)] if rows == 1 else []
    usual += [outputs, (rows,)] if columns == 1 else []
    return shape in usual


def _is_transposed(shape: Shape, outputs: Shape, own: Shape) -> bool:
    rows, columns = math.prod(outputs), math.prod(own)
    return shape in (own + outputs, (columns, rows)) and not _fits(shape, outputs, own)


def as_matrix(jacobian: Any, size: tuple[int, int]) -> Any:
    """Return a Jacobian as (outputs, entries); sparse matrices and linear operators stay such.

    One of another shape is read as arrays are reshaped: in C order.
    """
    if is_sparse(jacobian):
        from scipy.sparse import csr_array  # which only what is sparse needs

        return csr_array(jacobian.reshape(size))
    if hasattr(jacobian, "matmat"):
        return jacobian @ np.eye(size[1])
    dense: Array = np.asarray(jacobian, dtype=None).reshape(size)
    return dense
