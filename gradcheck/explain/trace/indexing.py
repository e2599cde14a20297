"""Gradients that are put at other places than the forward took the entries from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, product

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.trace import Node, Scatter
from gradcheck.explain.trace.backward_pass import BackwardPass, Change, Step


def shifted(way: BackwardPass) -> Iterator[Hypothesis]:
    """The gradient of entries that were taken is put one place beside where they came from."""
    for step in _taking(way):
        rank = len(step.shapes[0])
        along = [(axis,) for axis in range(rank)] + [(rank - 2, rank - 1)] * (rank > 1)
        for axes, by in product(along, (1, -1)):
            move = np.array([by * (axis in axes) for axis in range(rank)])
            yield step.wrong(
                Bug.WRONG_INDEX,
                f"what {step} takes gets its gradient shifted by {by} along axis "
                + " and axis ".join(map(str, axes)),
                "write the gradient to the very index that the forward read",
                0.8,
                _moved(lambda node, move=move: move),  # type: ignore[misc]
            )


def crowded(way: BackwardPass) -> Iterator[Hypothesis]:
    """The gradient of entries that were taken apart from one another is put side by side."""
    for step in _taking(way):
        yield step.wrong(
            Bug.WRONG_INDEX,
            f"what {step} takes gets its gradient in the order of taking, from the first index on",
            "write the gradient to the very index that the forward read: np.add.at(d, index, g)",
            0.8,
            _in_order,
        )
        starts = np.array([_start(node) for node in step.nodes])
        strides = [max(1, int(np.gcd.reduce(along))) for along in starts.T]
        if len(step.nodes) > 1 and max(strides, default=1) > 1:
            yield step.wrong(
                Bug.WRONG_INDEX,
                f"what {step} takes gets its gradient put side by side, as if the stride "
                f"{max(strides)} were 1",
                "multiply the index by the stride, as in the forward",
                0.8,
                _moved(lambda node, by=strides: _start(node) // by - _start(node)),  # type: ignore[misc]
            )


def exchanged(way: BackwardPass) -> Iterator[Hypothesis]:
    """Two parts of a tensor, such as the gates of an LSTM, get each other's gradients."""
    for one, other in combinations(_taking(way), 2):
        shapes = [(step.first.value.shape, step.shapes[0]) for step in (one, other)]
        if len(one.nodes) != len(other.nodes) or shapes[0] != shapes[1]:
            continue
        pairs = [*zip(one.nodes, other.nodes, strict=True)]
        partner = {a.number: b for a, b in pairs} | {b.number: a for a, b in pairs}
        yield one.wrong(
            Bug.SWAPPED,
            f"{one} and {other} get each other's gradient",
            "exchange the two in the backward",
            0.8,
            lambda node, k, g, partner=partner: partner[node.number].pull(g, k),  # type: ignore[misc]
            [*one.nodes, *other.nodes],
        )


def _taking(way: BackwardPass) -> list[Step]:
    """Return the expressions that only take entries from one array."""
    return [
        step
        for step in way.steps
        if len(step.first.pulls) == 1
        and isinstance(step.first.pulls[0], Scatter)
        and len({node.operands[0].shape for node in step.nodes}) == 1
    ]


def _start(node: Node) -> Array:
    """Return the smallest index along every axis that a step takes an entry from."""
    pull, axes = node.pulls[0], node.operands[0].ndim
    if not axes or not isinstance(pull, Scatter) or not (pull.places >= 0).any():
        return np.zeros(axes, dtype=int)
    taken = pull.places[pull.places >= 0]
    return np.array([along.min() for along in np.unravel_index(taken, pull.shape)])


def _in_order(node: Node, k: int, g: Array) -> Array | None:
    """Send the gradients of rows that were gathered to the first rows, one after the other."""
    pull = node.pulls[k]
    if not isinstance(pull, Scatter) or len(g) > pull.shape[0] or g.shape[1:] != pull.shape[1:]:
        return node.pull(g, k)
    back = np.zeros(pull.shape)
    back[: len(g)] = g
    return back


def _moved(by: Callable[[Node], Array]) -> Change:
    """Return a change that sends gradients so far along every axis; those outside are lost."""

    def change(node: Node, k: int, g: Array) -> Array | None:
        pull = node.pulls[k]
        if not isinstance(pull, Scatter):
            return node.pull(g, k)
        index = np.unravel_index(np.maximum(pull.places, 0), pull.shape)
        moved = [along + step for along, step in zip(index, by(node), strict=True)]
        inside = pull.places >= 0
        for along, length in zip(moved, pull.shape, strict=True):
            inside = inside & (along >= 0) & (along < length)
        landed = np.ravel_multi_index(tuple(moved), pull.shape, mode="clip")
        return Scatter(np.where(inside, landed, -1), pull.shape)(g, node.operands, node.value)

    return change
