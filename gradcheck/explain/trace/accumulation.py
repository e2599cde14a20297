"""Gradients that are gathered wrongly: written over each other, or over other axes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.least_squares import other_axes
from gradcheck.explain.trace.backward_pass import BackwardPass, Change, Step, label
from gradcheck.explain.trace.node import Node, Scatter
from gradcheck.explain.trace.record import BackwardOverride
from gradcheck.explain.trace.vjps import PAIRS


def overwritten(way: BackwardPass) -> Iterator[Hypothesis]:
    """Of several uses of a value, or of several entries taken from one, only the last counts."""
    code = Bug.OVERWRITTEN_NOT_ACCUMULATED
    for step in way.steps:
        if any(isinstance(pull, Scatter) for pull in step.first.pulls):
            message = f"entries that {step} takes more than once get the last gradient only"
            fix = "accumulate: np.add.at(d, index, g), not d[index] = g"
            yield step.wrong(code, message, fix, 0.5, _assigned)
    groups: dict[str, list[Node]] = {}
    for node in way.nodes:
        if len(way.uses(node)) > 1:
            groups.setdefault(label(node, way.name), []).append(node)
    for what, nodes in groups.items():
        sites = [user.site for user in way.uses(nodes[-1])]
        # one use of two lines is a path like any other
        extra = 0.0 if len(set(sites)) < len(sites) else 0.3
        fix = f"accumulate over all uses: d{way.name} += ..."
        for which, order in (("last", 1), ("first", -1)):
            message = f"only what comes back from the {which} use of {what} counts"
            override = _gathered(nodes, order, over=False)
            yield Hypothesis(code, message, fix, 0.55 + extra, way.with_(override))
        message = f"the uses of {what} write their gradients over each other's"
        fix = f"accumulate: d{way.name}[...] += ..., not d{way.name}[...] = ..."
        for order in (1, -1):
            override = _gathered(nodes, order, over=True)
            yield Hypothesis(code, message, fix, 0.7 + extra, way.with_(override))


def _assigned(node: Node, k: int, g: Array) -> Array | None:
    pull = node.pulls[k]
    if not isinstance(pull, Scatter):
        return node.pull(g, k)
    return Scatter(pull.places, pull.shape, adds=False)(g, node.operands, node.value)


def _gathered(nodes: list[Node], order: int, *, over: bool) -> BackwardOverride:
    """Keep the first of what comes back from several uses, or write it over with the next ones."""
    numbers = {node.number for node in nodes}

    def gather(node: Node, parts: list[Array]) -> list[Array]:
        if node.number not in numbers:
            return parts
        kept, *others = parts[::order]
        for part in others if over else ():
            kept = np.where(part != 0, part, kept)
        return [kept]

    return BackwardOverride(gather=gather)


def over_other_axes(way: BackwardPass) -> Iterator[Hypothesis]:
    """A broadcast operand's gradient is summed over other axes, or is that of one index alone."""
    for step in way.steps:
        wide = step.first.value.shape
        for k, shape in enumerate(step.shapes) if step.op in PAIRS else ():
            if shape != wide and way.leads_here(step.first, k):
                yield from _other_axes(step, k)


def _other_axes(step: Step, k: int) -> Iterator[Hypothesis]:
    squeezed, wide = tuple(n for n in step.shapes[k] if n != 1), step.first.value.shape
    fix = f"sum over the axes along which operand {k + 1} was broadcast"
    for kept in combinations(range(len(wide)), len(squeezed)):
        if tuple(wide[axis] for axis in kept) != squeezed:
            continue
        rest = other_axes(len(wide), *kept)
        for code, what, position in (
            (Bug.WRONG_AXIS, "is summed over", None),
            (Bug.OVERWRITTEN_NOT_ACCUMULATED, "is the last along", -1),
            (Bug.OVERWRITTEN_NOT_ACCUMULATED, "is the first along", 0),
        ):
            message = f"the gradient of operand {k + 1} of {step} {what} the axes {rest}"
            yield step.wrong(code, message, fix, 0.7, _reduced(k, rest, position))


def _reduced(k: int, axes: tuple[int, ...], position: int | None) -> Change:
    """Return a change that sums an operand's gradient over axes, or takes it at one position."""

    def change(node: Node, j: int, g: Array) -> Array | None:
        pull, wide = node.pulls[j], node.value.shape
        if pull is None or j != k:
            return node.pull(g, j)
        operand = np.broadcast_to(node.operands[k], wide)
        operands = (*node.operands[:k], operand, *node.operands[k + 1 :])
        full = pull(np.broadcast_to(g, wide), operands, node.value)
        if position is None:
            reduced = full.sum(axis=axes)
        else:
            reduced = full[tuple(position if i in axes else slice(None) for i in range(full.ndim))]
        return np.reshape(reduced, node.operands[k].shape)

    return change
