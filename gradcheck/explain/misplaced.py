"""Gradients that are put at other places than the forward took the entries from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from gradcheck.explain.way_back import Suspicion, WayBack, at, place, suspect
from gradcheck.tape import Node, Scatter, Site
from gradcheck.target import Array


@suspect
def shifted(way: WayBack) -> Iterator[Suspicion]:
    """The gradient of entries that were taken is put one place beside where they came from."""
    for site, nodes in _taking(way):
        for axis in range(len(nodes[0].operands[0].shape)):
            for by in (1, -1):
                yield Suspicion(
                    "wrong_index",
                    f"what {place(site)} takes gets its gradient shifted by {by} along axis {axis}",
                    "write the gradient to the very index that the forward read",
                    0.8,
                    at(nodes, _beside(axis, by)),
                )


@suspect
def exchanged(way: WayBack) -> Iterator[Suspicion]:
    """Two parts of a tensor, such as the gates of an LSTM, get each other's gradients."""
    for (first, ones), (second, others) in combinations(_taking(way), 2):
        shapes = [(node.value.shape, node.operands[0].shape) for node in (ones[0], others[0])]
        if len(ones) != len(others) or shapes[0] != shapes[1]:
            continue
        partner = dict(zip((n.number for n in ones), others, strict=True))
        partner |= dict(zip((n.number for n in others), ones, strict=True))
        yield Suspicion(
            "swapped",
            f"{place(first)} and {place(second)} get each other's gradient",
            "exchange the two in the backward",
            0.8,
            at([*ones, *others], _like(partner)),
        )


def _taking(way: WayBack) -> list[tuple[Site, list[Node]]]:
    """Return the expressions that only take entries from one array."""
    return [
        (site, nodes)
        for site, nodes in way.sites.items()
        if len(nodes[0].pulls) == 1 and isinstance(nodes[0].pulls[0], Scatter)
    ]


def _beside(axis: int, by: int) -> Callable[[Node, int, Array], Array | None]:
    def change(node: Node, k: int, g: Array) -> Array | None:
        pull = node.pulls[k]
        if not isinstance(pull, Scatter):
            return node.pull(g, k)
        index = list(np.unravel_index(np.maximum(pull.places, 0), pull.shape))
        moved = index[axis] + by
        inside = (pull.places >= 0) & (moved >= 0) & (moved < pull.shape[axis])
        index[axis] = np.clip(moved, 0, pull.shape[axis] - 1)
        places = np.where(inside, np.ravel_multi_index(tuple(index), pull.shape), -1)
        return Scatter(places, pull.shape)(g, node.operands, node.value)

    return change


def _like(partner: dict[int, Node]) -> Callable[[Node, int, Array], Array | None]:
    return lambda node, k, g: partner[node.number].pull(g, k)
