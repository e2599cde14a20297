"""Gradients whose entries go back in another order than a reshape or a transpose had put them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.trace import Node
from gradcheck.explain.trace.backward_pass import BackwardPass, Change

# Every order of so many axes is tried; of six there are 720.
MOST_AXES = 6

RESHAPES = ("reshape", "ravel")
TRANSPOSES = ("transpose", "swapaxes", "moveaxis", "rollaxis")

Shape = tuple[int, ...]


def in_another_order(way: BackwardPass) -> Iterator[Hypothesis]:
    """The axes of a gradient are taken in another order, before it is reshaped or after."""
    for step in way.steps:
        if step.op not in (*RESHAPES, *TRANSPOSES):
            continue
        before, after = step.shapes[0], step.first.value.shape
        if max(len(before), len(after)) > MOST_AXES:
            continue
        orders = _of_reshape if step.op in RESHAPES else _of_transpose
        for what, rearrange in orders(before, after):
            yield step.wrong(
                Bug.WRONG_INDEX,
                f"the gradient of {step} goes back {what}",
                "undo the reshape and the transpose one after the other, in reverse order",
                0.8,
                _sent(rearrange),
            )


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
