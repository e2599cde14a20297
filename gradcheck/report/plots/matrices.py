"""Gradients of any shape as matrices small enough to look at, without hiding what is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gradcheck.report.data import FloatArray, TensorReport
from gradcheck.report.entries import BoolArray, side_by_side, wrong_mask
from gradcheck.report.wording import shape_words

# More cells than this along one axis are narrower than 2 pixels in a panel of a third of a page.
MOST_CELLS = 64


@dataclass(frozen=True)
class Panels:
    """What is drawn for one tensor, all as matrices of the same shape.

    Attributes
    ----------
    analytic, numerical, difference
        NaN where anything in the cell is not finite or was not measured.
    wrong
        Cells in which an entry is wrong.
    block
        Rows and columns of the gradient in one cell.
    how
        What was done to the gradient to draw it, in words; empty for nothing.
    """

    analytic: FloatArray
    numerical: FloatArray
    difference: FloatArray
    wrong: BoolArray
    block: tuple[int, int]
    how: str

    @property
    def sides(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What stands side by side."""
        return self.analytic, self.numerical, self.difference

    @property
    def is_row(self) -> bool:
        """Whether the gradient is a vector."""
        return len(self.analytic) == 1


def panels(tensor: TensorReport) -> Panels | None:
    """Prepare a tensor for drawing, None where one of its gradients is not known."""
    if tensor.jacobian is not None and tensor.jacobian.matrices is not None:
        analytic, numerical, mask = tensor.jacobian.matrices
    elif (sides := side_by_side(tensor)) is not None:
        analytic, numerical = sides
        wrong = wrong_mask(tensor)
        mask = np.zeros(analytic.shape) if wrong is None else wrong.astype(np.float64)
    else:
        return None
    with np.errstate(invalid="ignore"):
        difference = analytic - numerical
    # a vector as one row, else the first axis against all the others
    shape = (difference.shape[0] if difference.ndim > 1 else 1, -1)
    matrices = [a.reshape(shape) for a in (analytic, numerical, difference, mask)]
    rows, columns = (math.ceil(n / MOST_CELLS) for n in matrices[0].shape)
    cells = [largest_of_blocks(matrix, (rows, columns)) for matrix in matrices]
    how = _how(analytic.shape, matrices[0].shape, (rows, columns))
    return Panels(cells[0], cells[1], cells[2], cells[3] > 0, (rows, columns), how)


def largest_of_blocks(values: FloatArray, block: tuple[int, int]) -> FloatArray:
    """Return, for each block, its entry of largest magnitude with its sign; NaN if not finite.

    Means would cancel a sign that is wrong, and sampling would miss a single wrong entry.
    """
    finite = np.where(np.isfinite(values), values, np.nan)
    short = [-size % step for size, step in zip(values.shape, block, strict=True)]
    padded = np.pad(finite, [(0, short[0]), (0, short[1])])
    rows, columns = padded.shape[0] // block[0], padded.shape[1] // block[1]
    blocks = padded.reshape(rows, block[0], columns, block[1]).swapaxes(1, 2)
    cells = blocks.reshape(rows, columns, -1)
    # argmax takes a NaN for the largest
    largest = np.abs(cells).argmax(axis=2)[..., np.newaxis]
    return np.take_along_axis(cells, largest, axis=2)[..., 0]


def _how(shape: tuple[int, ...], matrix: tuple[int, ...], block: tuple[int, int]) -> str:
    steps = []
    if len(shape) > 2:
        steps.append(f"{shape_words(shape)} drawn as {shape_words(matrix)}")
    if block != (1, 1):
        cell, size = ("bar", block[1]) if matrix[0] == 1 else ("cell", shape_words(block))
        steps.append(f"each {cell} shows the largest of {size} entries")
    return ", ".join(steps)
