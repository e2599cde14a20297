"""Gradients whose entries go back in another order than a reshape or a transpose had put them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.trace import Node
from gradcheck.explain.trace.backward_pass import BackwardPass, Suspicion, at, place, suspect

# Every order of so many axes is tried; of six there are 720.
MOST_AXES = 6

Rearrange = Callable[[Array], Array]


@suspect
def in_another_order(way: BackwardPass) -> Iterator[Suspicion]:
    """The axes of a gradient are taken in another order, before it is reshaped or after."""
    for site, nodes in way.sites.items():
        before, after = nodes[0].operands[0].shape, nodes[0].value.shape
        if nodes[0].op not in MOVED or max(len(before), len(after)) > MOST_AXES:
            continue
        for what, rearrange in MOVED[nodes[0].op](before, after):
            yield Suspicion(
                Bug.WRONG_INDEX,
                f"the gradient of {place(site)} goes back {what}",
                "undo the reshape and the transpose one after the other, in reverse order",
                0.8,
                at(nodes, partial(_sent, rearrange)),
            )


def _sent(rearrange: Rearrange, node: Node, k: int, g: Array) -> Array | None:
    moved = rearrange(np.broadcast_to(g, node.value.shape))
    if moved.shape != node.operands[k].shape:
        raise ValueError("the entries do not fit in this order")
    return moved


def _of_reshape(before: tuple[int, ...], after: tuple[int, ...]) -> Iterator[tuple[str, Rearrange]]:
    for order in permutations(range(len(after))):
        if order != tuple(range(len(after))):
            yield (
                f"with its axes in the order {order} before it is reshaped",
                lambda g, order=order: g.transpose(order).reshape(before),  # type: ignore[misc]
            )
    for order in permutations(range(len(before))):
        if order != tuple(range(len(before))):
            shape = tuple(before[axis] for axis in order)
            yield (
                f"reshaped to {shape}, and its axes exchanged after that",
                lambda g, shape=shape, order=order: g.reshape(shape).transpose(  # type: ignore[misc]
                    np.argsort(order)
                ),
            )


def _of_transpose(
    before: tuple[int, ...], after: tuple[int, ...]
) -> Iterator[tuple[str, Rearrange]]:
    yield "reshaped, where its axes have to be exchanged", lambda g: g.reshape(before)
    for order in permutations(range(len(after))):
        if tuple(after[axis] for axis in order) == before:
            yield (
                f"with its axes in the order {order}",
                lambda g, order=order: g.transpose(order),  # type: ignore[misc]
            )


MOVED = {
    "reshape": _of_reshape,
    "ravel": _of_reshape,
    "transpose": _of_transpose,
    "swapaxes": _of_transpose,
    "moveaxis": _of_transpose,
    "rollaxis": _of_transpose,
}
