"""Steps of the way back that use another value than the forward had, or have it transposed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.trace import Node, SourceLocation
from gradcheck.explain.trace.backward_pass import BackwardPass, Suspicion, at, place, suspect
from gradcheck.explain.trace.vjps import SLOPES

# So many other values are tried in the place of one that a step remembers.
MOST_CANDIDATES = 60

# Steps whose way back needs the values of the other operands.
REMEMBERING = ("multiply", "divide", "matmul", "einsum", "power", "maximum", "minimum")


@suspect
def remembered(way: BackwardPass) -> Iterator[Suspicion]:
    """A step uses another value than the one it had in the forward."""
    candidates = _candidates(way)
    for site, nodes in way.sites.items():
        first = nodes[0]
        if first.op in SLOPES:
            for label, choose in candidates(nodes, 0):
                yield from _elsewhere(site, nodes, label, choose)
        elif first.op in REMEMBERING:
            for k in range(len(first.operands)):
                for label, choose in candidates(nodes, k):
                    yield _exchanged(site, nodes, k, label, choose)


Choose = Callable[[Node], "Array | None"]


def _candidates(way: BackwardPass) -> Callable[[list[Node], int], Iterator[tuple[str, Choose]]]:
    by_site: dict[str, list[Node]] = {}
    for node in way.recording.nodes:
        label = node.name or (place(node.site) if node.site is not None else "")
        if label:
            by_site.setdefault(label, []).append(node)

    def of(nodes: list[Node], k: int) -> Iterator[tuple[str, Choose]]:
        shape, tried = nodes[0].operands[k].shape, 0
        for label, those in by_site.items():
            if those[0].value.shape != shape or not shape:
                continue
            for back, when in ((1, ""), (2, " one step before"), (0, " one step later")):
                if (back == 1 or len(those) > 1) and tried < MOST_CANDIDATES:
                    tried += 1
                    yield f"{label}{when}", _nearest(those, back)

    return of


def _nearest(those: list[Node], back: int) -> Choose:
    """Return a choice among a loop's values: the last before a step, that before, the next."""
    numbers = [node.number for node in those]

    def choose(node: Node) -> Array | None:
        if len(those) == 1:
            return those[0].value
        position = int(np.searchsorted(numbers, node.number)) - back
        return those[position].value if 0 <= position < len(those) else None

    return choose


def _elsewhere(
    site: SourceLocation, nodes: list[Node], label: str, choose: Choose
) -> Iterator[Suspicion]:
    slope = SLOPES[nodes[0].op]

    def moved(node: Node, k: int, g: Array) -> Array | None:
        x = choose(node)
        return None if x is None else g * slope(x, _value(node.op, x))

    def swapped(node: Node, k: int, g: Array) -> Array | None:
        y = choose(node)
        return None if y is None else g * slope(node.operands[0], y)

    for change, cost in ((moved, 0.8), (swapped, 0.8)):
        yield Suspicion(
            Bug.DERIVATIVE_AT_WRONG_POINT,
            f"the derivative of {place(site)} is taken at {label}",
            f"take the derivative at `{site.text}`",
            cost,
            at(nodes, change),
        )


def _value(op: str, x: Array) -> Array:
    from scipy import special

    function = getattr(np, op, None) or getattr(special, op)
    return np.asarray(function(x))


def _exchanged(
    site: SourceLocation, nodes: list[Node], j: int, label: str, choose: Choose
) -> Suspicion:
    def change(node: Node, k: int, g: Array) -> Array | None:
        pull, value = node.pulls[k], choose(node)
        if pull is None or value is None or k == j or value.shape != node.operands[j].shape:
            return node.pull(g, k) if k == j else None
        operands = tuple(value if i == j else x for i, x in enumerate(node.operands))
        return pull(g, operands, node.value)

    return Suspicion(
        Bug.DERIVATIVE_AT_WRONG_POINT,
        f"the backward of {place(site)} uses {label} for operand {j + 1}",
        f"use the value that operand {j + 1} had in the forward",
        0.85,
        at(nodes, change),
    )


@suspect
def transposed(way: BackwardPass) -> Iterator[Suspicion]:
    """A square matrix is used as it is where its transpose belongs, or the other way round."""
    for site, nodes in way.sites.items():
        for j, x in enumerate(nodes[0].operands):
            square = x.ndim >= 2 and x.shape[-1] == x.shape[-2]
            if nodes[0].op in ("matmul", "einsum") and square:
                yield Suspicion(
                    Bug.TRANSPOSED,
                    f"the backward of {place(site)} uses operand {j + 1} without transposing it",
                    "multiply by the transpose",
                    0.6,
                    at(nodes, _turned(j)),
                )
        y = nodes[0].value
        if nodes[0].op in ("matmul", "einsum") and y.ndim >= 2 and y.shape[-1] == y.shape[-2]:
            for j in range(len(nodes[0].operands)):
                yield Suspicion(
                    Bug.TRANSPOSED,
                    f"the gradient of {place(site)} goes back into operand {j + 1} transposed",
                    "transpose the gradient of the product, not the operand",
                    0.65,
                    at(nodes, _turned_gradient(j)),
                )


def _turned(j: int) -> Callable[[Node, int, Array], Array | None]:
    def change(node: Node, k: int, g: Array) -> Array | None:
        pull = node.pulls[k]
        if pull is None or k == j:
            return node.pull(g, k)
        operands = tuple(
            np.swapaxes(x, -1, -2) if i == j else x for i, x in enumerate(node.operands)
        )
        return pull(g, operands, node.value)

    return change


def _turned_gradient(j: int) -> Callable[[Node, int, Array], Array | None]:
    return lambda node, k, g: node.pull(np.swapaxes(g, -1, -2) if k == j else g, k)
