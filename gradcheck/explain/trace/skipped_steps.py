"""Stretches of the way back that are skipped, or gone only along the diagonal of their Jacobian."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.trace import BackwardOverride, Node
from gradcheck.explain.trace.backward_pass import BackwardPass, Suspicion, place, suspect

# So many stretches are tried, the shortest first, and diagonals of rows up to this length.
MOST_STRETCHES = 80
LONGEST_ROW = 64


@suspect
def skipped(way: BackwardPass) -> Iterator[Suspicion]:
    """Several steps in a row, such as a softmax, are left out, cut to a diagonal, or gone twice."""
    for ends, starts in _stretches(way):
        first, last = ends[0], starts[0]
        what = f"from {_name(last)} to {_name(first)}"
        landings = dict(zip((node.number for node in ends), starts, strict=True))
        for when, those in _times(way, ends).items():
            yield Suspicion(
                Bug.ACTIVATION_DERIVATIVE_MISSING,
                f"the derivative of the steps {what} is left out{when}",
                "multiply by their derivative: the gradient goes through them unchanged",
                0.9 if not when else 0.95,
                _jumping({node.number: landings[node.number] for node in those}, None),
            )
        yield _twice(way, ends, starts, what)
        row = first.value.shape[-1] if first.value.ndim else 0
        if len(ends) == 1 and 1 < row <= LONGEST_ROW:
            diagonal = _diagonal(way, first, last)
            yield Suspicion(
                Bug.JACOBIAN_DIAGONAL_ONLY,
                f"only the diagonal of the Jacobian is used {what}",
                "every output of a row depends on every input: use the whole Jacobian",
                0.7,
                _jumping({first.number: last}, diagonal),
            )


def _times(way: BackwardPass, nodes: list[Node]) -> dict[str, list[Node]]:
    rounds = way.rounds(nodes) if len(nodes) > 1 else []
    last = {" the last time they are passed": rounds[0]} if len(rounds) > 1 else {}
    return {"": nodes, **last}


def _twice(way: BackwardPass, ends: list[Node], starts: list[Node], what: str) -> Suspicion:
    landings = dict(zip((node.number for node in ends), starts, strict=True))

    def jump(node: Node, g: Array) -> tuple[Node, Array] | None:
        start = landings.get(node.number)
        if start is None:
            return None
        once = way.recording.pull([(node, g)], start)
        return start, way.recording.pull([(node, once)], start)

    is_softmax = bool(ends[0].value.ndim) and np.allclose(ends[0].value.sum(axis=-1), 1.0)
    return Suspicion(
        Bug.SOFTMAX_JACOBIAN_TWICE if is_softmax else Bug.DERIVATIVE_AT_WRONG_POINT,
        f"the derivative of the steps {what} is multiplied twice",
        "multiply by their derivative once",
        0.75,
        BackwardOverride(jump=jump),
    )


def _stretches(way: BackwardPass) -> Iterator[tuple[list[Node], list[Node]]]:
    """Yield steps, and as many earlier ones of the same shape that they depend on."""
    groups = list(way.sites.values())
    groups.insert(0, [way.recording.leaves[way.name]])
    tried = 0
    for length in range(2, len(groups)):
        for i in range(len(groups) - length):
            starts, ends = groups[i], groups[i + length]
            same = len(starts) == len(ends) and starts[0].value.shape == ends[0].value.shape
            if same and starts[0].value.ndim and tried < MOST_STRETCHES and _leads(starts, ends):
                tried += 1
                yield ends, starts


def _leads(starts: list[Node], ends: list[Node]) -> bool:
    """Whether the first of the ends depends on the first of the starts."""
    seen, queue = set(), [ends[0]]
    while queue:
        node = queue.pop()
        if node is starts[0]:
            return True
        for parent in node.parents:
            if parent is not None and starts[0].number <= parent.number not in seen:
                seen.add(parent.number)
                queue.append(parent)
    return False


def _jumping(landings: dict[int, Node], diagonal: Array | None) -> BackwardOverride:
    def jump(node: Node, g: Array) -> tuple[Node, Array] | None:
        start = landings.get(node.number)
        if start is None:
            return None
        return start, g if diagonal is None else g * diagonal

    return BackwardOverride(jump=jump)


def _diagonal(way: BackwardPass, end: Node, start: Node) -> Array:
    """Return how every entry of ``end`` depends on the entry of ``start`` at its own place."""
    diagonal = np.zeros(end.value.shape)
    for j in range(end.value.shape[-1]):
        sent = np.zeros(end.value.shape)
        sent[..., j] = 1.0
        diagonal[..., j] = way.recording.pull([(end, sent)], start)[..., j]
    return diagonal


def _name(node: Node) -> str:
    return node.name or (place(node.site) if node.site is not None else node.op)
