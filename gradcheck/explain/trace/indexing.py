"""Gradients that are put at other places than the forward took the entries from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations, product

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.trace import Node, Scatter, SourceLocation
from gradcheck.explain.trace.backward_pass import BackwardPass, Suspicion, at, place, suspect


@suspect
def shifted(way: BackwardPass) -> Iterator[Suspicion]:
    """The gradient of entries that were taken is put one place beside where they came from."""
    for site, nodes in _taking(way):
        rank = nodes[0].operands[0].ndim
        along = [(axis,) for axis in range(rank)] + [(rank - 2, rank - 1)] * (rank > 1)
        for axes, by in product(along, (1, -1)):
            yield Suspicion(
                Bug.WRONG_INDEX,
                f"what {place(site)} takes gets its gradient shifted by {by} along axis "
                + " and axis ".join(map(str, axes)),
                "write the gradient to the very index that the forward read",
                0.8,
                at(nodes, _moved(partial(_shifted, axes, by))),
            )


@suspect
def crowded(way: BackwardPass) -> Iterator[Suspicion]:
    """The gradient of entries that were taken apart from one another is put side by side."""
    for site, nodes in _taking(way):
        yield Suspicion(
            Bug.WRONG_INDEX,
            f"what {place(site)} takes gets its gradient in the order of taking, from the first "
            "index on",
            "write the gradient to the very index that the forward read: np.add.at(d, index, g)",
            0.8,
            at(nodes, _in_order),
        )
        starts = np.array([_start(node) for node in nodes])
        steps = [np.gcd.reduce(along) if along.size else 0 for along in starts.T]
        strides = [int(step) if step > 1 else 1 for step in steps]
        if len(nodes) > 1 and any(stride > 1 for stride in strides):
            yield Suspicion(
                Bug.WRONG_INDEX,
                f"what {place(site)} takes gets its gradient put side by side, as if the stride "
                f"{max(strides)} were 1",
                "multiply the index by the stride, as in the forward",
                0.8,
                at(nodes, partial(_put_closer, strides)),
            )


def _start(node: Node) -> Array:
    """Return the smallest index along every axis that a step takes an entry from."""
    pull, axes = node.pulls[0], node.operands[0].ndim
    if not axes or not isinstance(pull, Scatter) or not (pull.places >= 0).any():
        return np.zeros(axes, dtype=int)
    taken = pull.places[pull.places >= 0]
    return np.array([along.min() for along in np.unravel_index(taken, pull.shape)])


def _put_closer(strides: list[int], node: Node, k: int, g: Array) -> Array | None:
    start = _start(node)
    by = [int(first // stride - first) for first, stride in zip(start, strides, strict=True)]

    closer = _moved(lambda index: [along + move for along, move in zip(index, by, strict=True)])
    return closer(node, k, g)


def _in_order(node: Node, k: int, g: Array) -> Array | None:
    """Send the gradients of rows that were gathered to the first rows, one after the other."""
    pull = node.pulls[k]
    if not isinstance(pull, Scatter) or len(g) > pull.shape[0] or g.shape[1:] != pull.shape[1:]:
        return node.pull(g, k)
    back = np.zeros(pull.shape)
    back[: len(g)] = g
    return back


@suspect
def exchanged(way: BackwardPass) -> Iterator[Suspicion]:
    """Two parts of a tensor, such as the gates of an LSTM, get each other's gradients."""
    for (first, ones), (second, others) in combinations(_taking(way), 2):
        shapes = [(node.value.shape, node.operands[0].shape) for node in (ones[0], others[0])]
        if len(ones) != len(others) or shapes[0] != shapes[1]:
            continue
        partner = dict(zip((n.number for n in ones), others, strict=True))
        partner |= dict(zip((n.number for n in others), ones, strict=True))
        yield Suspicion(
            Bug.SWAPPED,
            f"{place(first)} and {place(second)} get each other's gradient",
            "exchange the two in the backward",
            0.8,
            at([*ones, *others], _like(partner)),
        )


def _taking(way: BackwardPass) -> list[tuple[SourceLocation, list[Node]]]:
    """Return the expressions that only take entries from one array."""
    return [
        (site, nodes)
        for site, nodes in way.sites.items()
        if len(nodes[0].pulls) == 1
        and isinstance(nodes[0].pulls[0], Scatter)
        and len({node.operands[0].shape for node in nodes}) == 1
    ]


Move = Callable[[list[Array]], list[Array]]


def _shifted(axes: tuple[int, ...], by: int, index: list[Array]) -> list[Array]:
    return [along + by if axis in axes else along for axis, along in enumerate(index)]


def _moved(move: Move) -> Callable[[Node, int, Array], Array | None]:
    """Return a change that sends gradients to other indices; those outside are lost."""

    def change(node: Node, k: int, g: Array) -> Array | None:
        pull = node.pulls[k]
        if not isinstance(pull, Scatter):
            return node.pull(g, k)
        index = list(np.unravel_index(np.maximum(pull.places, 0), pull.shape))
        inside = pull.places >= 0
        moved = move(index)
        for along, length in zip(moved, pull.shape, strict=True):
            inside = inside & (along >= 0) & (along < length)
        index = [np.clip(i, 0, n - 1) for i, n in zip(moved, pull.shape, strict=True)]
        places = np.where(inside, np.ravel_multi_index(tuple(index), pull.shape), -1)
        return Scatter(places, pull.shape)(g, node.operands, node.value)

    return change


def _like(partner: dict[int, Node]) -> Callable[[Node, int, Array], Array | None]:
    return lambda node, k, g: partner[node.number].pull(g, k)
