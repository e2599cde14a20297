"""Gradients that go back to other places, or in another order, than the forward took them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations, product

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.trace.backward_pass import BackwardPass, Change, Step
from gradcheck.explain.trace.node import Node, Scatter

# Every order of so many axes is tried; of six there are 720.
MOST_AXES = 6

RESHAPES = ("reshape", "ravel")
TRANSPOSES = ("transpose", "swapaxes", "moveaxis", "rollaxis")

Shape = tuple[int, ...]


def shifted(way: BackwardPass) -> Iterator[Hypothesis]:
    """The gradient of entries that were taken is put one place beside where they came from."""
    fix = "write the gradient to the very index that the forward read"
    for step in _taking(way):
        rank = len(step.shapes[0])
        along = [(axis,) for axis in range(rank)] + [(rank - 2, rank - 1)] * (rank > 1)
        for axes, by in product(along, (1, -1)):
            move = np.array([by * (axis in axes) for axis in range(rank)])
            where = " and axis ".join(map(str, axes))
            message = f"what {step} takes gets its gradient shifted by {by} along axis {where}"
            change = _moved(lambda node, move=move: move)  # type: ignore[misc]
            yield step.wrong(Bug.WRONG_INDEX, message, fix, 0.8, change)


def crowded(way: BackwardPass) -> Iterator[Hypothesis]:
    """The gradient of entries that were taken apart from one another is put side by side."""
    for step in _taking(way):
        taken = f"what {step} takes gets its gradient"
        message = f"{taken} in the order of taking, from the first index on"
        fix = "write the gradient to the very index that the forward read: np.add.at(d, index, g)"
        yield step.wrong(Bug.WRONG_INDEX, message, fix, 0.8, _in_order)
        starts = np.array([_start(node) for node in step.nodes])
        strides = [max(1, int(np.gcd.reduce(along))) for along in starts.T]
        if len(step.nodes) > 1 and max(strides, default=1) > 1:
            message = f"{taken} put side by side, as if the stride {max(strides)} were 1"
            fix = "multiply the index by the stride, as in the forward"
            change = _moved(lambda node, by=strides: _start(node) // by - _start(node))  # type: ignore[misc]
            yield step.wrong(Bug.WRONG_INDEX, message, fix, 0.8, change)


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


def in_another_order(way: BackwardPass) -> Iterator[Hypothesis]:
    """The axes of a gradient are taken in another order, before it is reshaped or after."""
    fix = "undo the reshape and the transpose one after the other, in reverse order"
    for step in way.steps:
        if step.op not in (*RESHAPES, *TRANSPOSES):
            continue
        before, after = step.shapes[0], step.first.value.shape
        if max(len(before), len(after)) > MOST_AXES:
            continue
        orders = _of_reshape if step.op in RESHAPES else _of_transpose
        for what, rearrange in orders(before, after):
            message = f"the gradient of {step} goes back {what}"
            yield step.wrong(Bug.WRONG_INDEX, message, fix, 0.8, _sent(rearrange))


def _sent(rearrange: Callable[[Array], Array]) -> Change:
    def change(node: Node, k: int, g: Array) -> Array:
        moved = rearrange(np.broadcast_to(g, node.value.shape))
        if moved.shape != node.operands[k].shape:
            raise ValueError("the entries do not fit in this order")
        return moved

    return change


def _of_reshape(before: Shape, after: Shape) -> Iterator[tuple[str, Callable[[Array], Array]]]:
    for order in _orders(after):
        what = f"with its axes in the order {order} before it is reshaped"
        yield what, lambda g, order=order: g.transpose(order).reshape(before)  # type: ignore[misc]
    for order in _orders(before):
        shape, back = tuple(before[axis] for axis in order), np.argsort(order)
        what = f"reshaped to {shape}, and its axes exchanged after that"
        yield what, lambda g, shape=shape, back=back: g.reshape(shape).transpose(back)  # type: ignore[misc]


def _of_transpose(before: Shape, after: Shape) -> Iterator[tuple[str, Callable[[Array], Array]]]:
    yield "reshaped, where its axes have to be exchanged", lambda g: g.reshape(before)
    for order in permutations(range(len(after))):
        if tuple(after[axis] for axis in order) == before:
            what = f"with its axes in the order {order}"
            yield what, lambda g, order=order: g.transpose(order)  # type: ignore[misc]


def _orders(shape: Shape) -> Iterator[Shape]:
    """Yield all orders of the axes but their own."""
    return (order for order in permutations(range(len(shape))) if list(order) != sorted(order))
