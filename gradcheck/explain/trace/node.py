"""One step of a recorded forward: what went in, what came out, and how gradients go back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradcheck._types import Array

# (gradient of the output, operands, output) -> gradient of one operand, in the operand's shape
Pull = Callable[[Array, tuple[Array, ...], Array], Array]

# Line and column where an expression begins and where it ends.
Span = tuple[int, int, int, int]


@dataclass(frozen=True)
class SourceLocation:
    """The place in the user's code where a step is made; a loop comes by it many times.

    Attributes
    ----------
    file, line
        Where the expression begins.
    text
        The expression as it is written.
    span
        Line and column where it begins and ends: two steps of one line are two sites.
    """

    file: str
    line: int
    text: str
    span: Span

    def __str__(self) -> str:
        """Name the expression, and where it stands."""
        return f"`{self.text}` ({Path(self.file).name}:{self.line})"


@dataclass(eq=False)
class Node:
    """One step of the forward.

    Attributes
    ----------
    op
        What was done, such as ``"tanh"``, ``"matmul"``, ``"getitem"``; ``"leaf"`` of a tensor.
    value
        The output, copied.
    operands
        The values that went in, copied.
    parents
        The steps that made them; None for constants.
    pulls
        For every operand, how the gradient goes back to it; None where it does not.
    site
        Where it was done; None outside of the user's code.
    """

    op: str
    value: Array
    operands: tuple[Array, ...] = ()
    parents: tuple[Node | None, ...] = ()
    pulls: tuple[Pull | None, ...] = ()
    site: SourceLocation | None = None
    number: int = 0
    name: str = ""

    def pull(self, g: Array, k: int) -> Array | None:
        """Return the gradient of operand ``k``; None where none goes back to it."""
        pull = self.pulls[k]
        if pull is None or self.parents[k] is None:
            return None
        return pull(g, self.operands, self.value)


@dataclass(frozen=True)
class Scatter:
    """Sends gradients back to where each entry was taken from.

    Attributes
    ----------
    places
        Position in the flattened operand that each entry comes from; negative: from nowhere.
    shape
        Shape of the operand.
    adds
        Whether entries taken more than once get the sum, or what comes last.
    """

    places: Array
    shape: tuple[int, ...]
    adds: bool = True

    def __call__(self, g: Array, operands: tuple[Array, ...], y: Array) -> Array:
        """Return the gradient of the operand; a `Pull`."""
        taken = self.places >= 0
        sent = np.broadcast_to(g, self.places.shape)[taken]
        back = np.zeros(int(np.prod(self.shape)))
        if self.adds:
            np.add.at(back, self.places[taken], sent)
        else:
            back[self.places[taken]] = sent
        return back.reshape(self.shape)


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum ``g`` over the axes along which an operand of ``shape`` was broadcast."""
    g = np.asarray(g)
    if g.shape == shape:
        return g
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return np.asarray(g.sum(axis=axes, keepdims=True))
