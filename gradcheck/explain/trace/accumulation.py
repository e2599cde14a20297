"""Gradients that are gathered wrongly: written over each other, or over other axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.trace import BackwardOverride, Node, Scatter, SourceLocation
from gradcheck.explain.trace.backward_pass import BackwardPass, Suspicion, at, place, suspect
from gradcheck.explain.trace.vjps import PAIRS


@suspect
def overwritten(way: BackwardPass) -> Iterator[Suspicion]:
    """Of several uses of a value, or of several entries taken from one, only the last counts."""
    for site, nodes in way.sites.items():
        if any(isinstance(pull, Scatter) for pull in nodes[0].pulls):
            yield Suspicion(
                Bug.OVERWRITTEN_NOT_ACCUMULATED,
                f"entries that {place(site)} takes more than once get the last gradient only",
                "accumulate: np.add.at(d, index, g), not d[index] = g",
                0.5,
                at(nodes, _assigned),
            )
    groups: dict[str, list[Node]] = {}
    looped: dict[str, bool] = {}
    for node in way.nodes:
        users = way.uses(node)
        if len(users) > 1:
            label = node.name or (place(node.site) if node.site else way.name)
            groups.setdefault(label, []).append(node)
            looped[label] = len({user.site for user in users}) < len(users)
    for label, those in groups.items():
        extra = 0.0 if looped[label] else 0.3  # one use of two lines is a path like any other
        for which, keep in (("last", slice(0, 1)), ("first", slice(-1, None))):
            yield Suspicion(
                Bug.OVERWRITTEN_NOT_ACCUMULATED,
                f"only what comes back from the {which} use of {label} counts",
                f"accumulate over all uses: d{way.name} += ...",
                0.55 + extra,
                _gathered(those, keep),
            )
        for last_wins in (True, False):
            yield Suspicion(
                Bug.OVERWRITTEN_NOT_ACCUMULATED,
                f"the uses of {label} write their gradients over each other's",
                f"accumulate: d{way.name}[...] += ..., not d{way.name}[...] = ...",
                0.7 + extra,
                _written_over(those, last_wins=last_wins),
            )


def _assigned(node: Node, k: int, g: Array) -> Array | None:
    pull = node.pulls[k]
    if not isinstance(pull, Scatter):
        return node.pull(g, k)
    return Scatter(pull.places, pull.shape, adds=False)(g, node.operands, node.value)


def _gathered(nodes: list[Node], keep: slice) -> BackwardOverride:
    numbers = {node.number for node in nodes}
    return BackwardOverride(
        gather=lambda node, parts: parts[keep] if node.number in numbers else parts
    )


def _written_over(nodes: list[Node], *, last_wins: bool) -> BackwardOverride:
    """Return a deviation where each use writes its entries over those of the others."""
    numbers = {node.number for node in nodes}

    def gather(node: Node, parts: list[Array]) -> list[Array]:
        if node.number not in numbers:
            return parts
        total = np.zeros_like(parts[0])
        for part in parts if last_wins else reversed(parts):
            total = np.where(part != 0, part, total)
        return [total]

    return BackwardOverride(gather=gather)


@suspect
def over_other_axes(way: BackwardPass) -> Iterator[Suspicion]:
    """A broadcast operand's gradient is summed over other axes, or is that of one index alone."""
    for site, nodes in way.sites.items():
        if nodes[0].op not in PAIRS:
            continue
        for k, x in enumerate(nodes[0].operands):
            wide = nodes[0].value.shape
            if x.shape != wide and way.leads_here(nodes[0], k):
                yield from _other_axes(site, nodes, k, x.shape, wide)


def _other_axes(
    site: SourceLocation, nodes: list[Node], k: int, shape: tuple[int, ...], wide: tuple[int, ...]
) -> Iterator[Suspicion]:
    squeezed = tuple(n for n in shape if n != 1)
    for kept in combinations(range(len(wide)), len(squeezed)):
        if tuple(wide[axis] for axis in kept) != squeezed:
            continue
        rest = tuple(axis for axis in range(len(wide)) if axis not in kept)
        for code, what, reduce in (
            (Bug.WRONG_AXIS, "is summed over", _summed(rest)),
            (Bug.OVERWRITTEN_NOT_ACCUMULATED, "is the last along", _ends(rest, -1)),
            (Bug.OVERWRITTEN_NOT_ACCUMULATED, "is the first along", _ends(rest, 0)),
        ):
            yield Suspicion(
                code,
                f"the gradient of operand {k + 1} of {place(site)} {what} the axes {rest}",
                f"sum over the axes along which operand {k + 1} was broadcast",
                0.7,
                at(nodes, _reduced(k, reduce)),
            )


def _summed(axes: tuple[int, ...]) -> Callable[[Array], Array]:
    return lambda full: np.asarray(full.sum(axis=axes))


def _ends(axes: tuple[int, ...], position: int) -> Callable[[Array], Array]:
    return lambda full: np.asarray(
        full[tuple(position if axis in axes else slice(None) for axis in range(full.ndim))]
    )


def _reduced(
    k: int, reduce: Callable[[Array], Array]
) -> Callable[[Node, int, Array], Array | None]:
    def change(node: Node, j: int, g: Array) -> Array | None:
        pull = node.pulls[j]
        if pull is None or j != k:
            return node.pull(g, j)
        operands = tuple(
            np.broadcast_to(x, node.value.shape) if i == k else x
            for i, x in enumerate(node.operands)
        )
        full = pull(np.broadcast_to(g, node.value.shape), operands, node.value)
        return np.reshape(reduce(full), node.operands[k].shape)

    return change
