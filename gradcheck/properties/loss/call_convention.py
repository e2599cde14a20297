"""How a loss is called: in which order, and in which shapes, it takes predictions and targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck._types import Array

# How predictions lie in arrays, and what that looks like.
SHAPES = {
    "matrix": "(samples, classes)",
    "sample": "(classes,), one sample at a time",
    "row": "(1, samples)",
    "column": "(samples, 1)",
    "vector": "(samples,)",
}

# Shapes in which each sample is one number, as it may be where entries are yes or no.
BINARY_SHAPES = ("row", "column", "vector")


@dataclass(frozen=True)
class CallConvention:
    """How a loss is called: which argument comes first, and how both are written.

    Attributes
    ----------
    target_first
        Whether it is ``fn(t, p)``.
    indices
        Whether targets are class indices.
    shape
        The name in `SHAPES` of how predictions lie in arrays.
    """

    target_first: bool = False
    indices: bool = False
    shape: str = "matrix"

    @property
    def most_rows(self) -> int:
        """How many samples are tried at most."""
        return 1 if self.shape == "sample" else 3

    @property
    def most_classes(self) -> int:
        """How many classes are tried at most: one where each sample is one number."""
        return 1 if self.shape in BINARY_SHAPES else 4

    def arguments(self, p: Array, t: Array) -> tuple[Array, Array]:
        """Return the two arguments, given as matrices or vectors, as the loss wants them."""
        target = self.lay_out(t)
        if self.indices:
            target = np.asarray(target.argmax(axis=-1))
        return (target, self.lay_out(p)) if self.target_first else (self.lay_out(p), target)

    def fit(self, a: Array) -> Array:
        """Return as much of ``a`` as the loss takes, as a matrix."""
        if self.shape == "matrix":
            return a
        return np.atleast_2d(a)[-1:] if self.shape == "sample" else a.reshape(-1, 1)

    def lay_out(self, a: Array) -> Array:
        """Return a view of the matrix ``a`` in the shape that the loss takes."""
        if a.ndim != 2 or self.shape in ("matrix", "column"):
            return a
        return a.T if self.shape == "row" else a[:, 0] if self.shape == "vector" else a[0]


def conventions(shape: str) -> Iterator[CallConvention]:
    """Yield all conventions of that shape; one-hot before indices, predictions before targets."""
    for indices in (False,) if shape in BINARY_SHAPES else (False, True):
        for target_first in (False, True):
            yield CallConvention(target_first, indices, shape)
