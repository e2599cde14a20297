"""Stretches of the way back that are skipped, or gone only along the diagonal of their Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.trace import BackwardOverride, Node
from gradcheck.explain.trace.backward_pass import BackwardPass, label

# So many stretches are tried, the shortest first, and diagonals of rows up to this length.
MOST_STRETCHES = 80
LONGEST_ROW = 64


def skipped(way: BackwardPass) -> Iterator[Hypothesis]:
    """Several steps in a row, such as a softmax, are left out, cut to a diagonal, or gone twice."""
    for ends, starts in _stretches(way):
        end, start = ends[0], starts[0]
        what = f"from {label(start, start.op)} to {label(end, end.op)}"
        rounds = way.rounds(ends) if len(ends) > 1 else []
        for when, nodes in (
            ("", ends),
            *([(" the last time they are passed", rounds[0])] if len(rounds) > 1 else []),
        ):
            yield way.hypothesis(
                Bug.ACTIVATION_DERIVATIVE_MISSING,
                f"the derivative of the steps {what} is left out{when}",
                "multiply by their derivative: the gradient goes through them unchanged",
                0.95 if when else 0.9,
                _jumping(ends, starts, lambda node, start, g: g, nodes),
            )
        is_softmax = bool(end.value.ndim) and np.allclose(end.value.sum(axis=-1), 1.0)
        yield way.hypothesis(
            Bug.SOFTMAX_JACOBIAN_TWICE if is_softmax else Bug.DERIVATIVE_AT_WRONG_POINT,
            f"the derivative of the steps {what} is multiplied twice",
            "multiply by their derivative once",
            0.75,
            _jumping(ends, starts, lambda n, s, g: way.through(n, s, way.through(n, s, g))),
        )
        row = end.value.shape[-1] if end.value.ndim else 0
        if len(ends) == 1 and 1 < row <= LONGEST_ROW:
            yield way.hypothesis(
                Bug.JACOBIAN_DIAGONAL_ONLY,
                f"only the diagonal of the Jacobian is used {what}",
                "every output of a row depends on every input: use the whole Jacobian",
                0.7,
                _jumping(ends, starts, lambda n, s, g: g * _diagonal(way, n, s)),
            )


def _jumping(
    ends: list[Node],
    starts: list[Node],
    landing: Callable[[Node, Node, Array], Array],
    nodes: list[Node] | None = None,
) -> BackwardOverride:
    """Go back from ends to starts in one jump; from some of the ends alone where given."""
    chosen = {node.number for node in nodes or ends}
    start_of = {e.number: s for e, s in zip(ends, starts, strict=True) if e.number in chosen}

    def jump(node: Node, g: Array) -> tuple[Node, Array] | None:
        start = start_of.get(node.number)
        return None if start is None else (start, landing(node, start, g))

    return BackwardOverride(jump=jump)


def _stretches(way: BackwardPass) -> Iterator[tuple[list[Node], list[Node]]]:
    """Yield steps, and as many earlier ones of the same shape that they depend on."""
    groups = [step.nodes for step in way.steps]
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


def _diagonal(way: BackwardPass, end: Node, start: Node) -> Array:
    """Return how every entry of ``end`` depends on the entry of ``start`` at its own place."""
    diagonal = np.zeros(end.value.shape)
    for j in range(end.value.shape[-1]):
        sent = np.zeros(end.value.shape)
        sent[..., j] = 1.0
        diagonal[..., j] = way.through(end, start, sent)[..., j]
    return diagonal
