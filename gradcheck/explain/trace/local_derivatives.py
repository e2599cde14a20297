"""What can be wrong with a single step of the way back."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.trace import Node, SourceLocation, unbroadcast
from gradcheck.explain.trace.backward_pass import BackwardPass, Suspicion, at, place, suspect
from gradcheck.explain.trace.vjps import PAIRS, SLOPES

# Formulas that are taken for one another, of functions whose value lies where they expect it.
CONFUSED = ("tanh", "expit", "exp", "sin", "cos", "square", "sqrt", "log", "reciprocal", "arctan")

PRODUCTS = ("multiply", "divide")


@suspect
def paths(way: BackwardPass) -> Iterator[Suspicion]:
    """What goes back from an expression into one of its operands is missing, or has a factor."""
    for site, nodes in way.sites.items():
        for k in range(len(nodes[0].parents)):
            if any(way.leads_here(node, k) for node in nodes if k < len(node.parents)):
                yield from _cuts(way, site, nodes, k)


def _cuts(
    way: BackwardPass, site: SourceLocation, nodes: list[Node], k: int
) -> Iterator[Suspicion]:
    code, where = Bug.PATH_MISSING, f"through {place(site)}"
    if len(nodes[0].parents) > 1:
        where = f"into operand {k + 1} of {place(site)}"
    # a penalty is one number
    alone = nodes[0].operands[k].size == 1 and way.is_term_of_its_own(nodes[0], k)
    if nodes[0].op in ("add", "subtract") and alone:
        code, where = Bug.ADDITIVE_TERM, f"from the term of {way.name} alone in {place(site)}"
    for when, those in _times(way, nodes).items():
        yield Suspicion(
            code,
            f"what goes back {where}{when} is missing",
            f"add to the gradient of {way.name} what goes back {where}",
            0.6 if not when else 0.9,
            at(those, _without(k)),
            cuts=not when,
        )


def _times(way: BackwardPass, nodes: list[Node]) -> dict[str, list[Node]]:
    """Return all steps of an expression, and those of some layers or times alone."""
    times = {"": nodes}
    rounds = way.rounds(nodes) if len(nodes) > 1 else []
    if len(rounds) > 1:
        times |= {
            ", but for the last time it is evaluated,": [n for some in rounds[1:] for n in some],
            ", but for the first time it is evaluated,": [n for some in rounds[:-1] for n in some],
            ", the last time it is evaluated,": rounds[0],
            ", the first time it is evaluated,": rounds[-1],
        }
    return times


def _without(k: int) -> Callable[[Node, int, Array], Array | None]:
    return lambda node, j, g: None if j == k else node.pull(g, j)


@suspect
def slopes(way: BackwardPass) -> Iterator[Suspicion]:
    """The derivative of an elementwise step is left out, squared, or another function's."""
    for site, nodes in way.sites.items():
        op = nodes[0].op
        if op in SLOPES and op not in ("negative", "positive"):
            yield from _of_one_variable(way, site, nodes, op)
        elif op in PAIRS and op not in ("add", "subtract"):
            yield from _of_two_variables(way, site, nodes, op)
        elif op == "where":
            yield _left_out(site, nodes, Bug.MASK_NOT_APPLIED, "mask")
        elif op.endswith("over axis") and op.startswith(("maximum", "minimum")):
            yield from _of_extremes(site, nodes)


def _of_one_variable(
    way: BackwardPass, site: SourceLocation, nodes: list[Node], op: str
) -> Iterator[Suspicion]:
    for when, those in _times(way, nodes).items():
        yield _left_out(site, those, Bug.ACTIVATION_DERIVATIVE_MISSING, f"derivative of {op}", when)
    slope = SLOPES[op]
    yield Suspicion(
        Bug.DERIVATIVE_AT_WRONG_POINT,
        f"the derivative of {place(site)} is multiplied twice",
        f"multiply by the derivative of {op} once",
        0.8,
        at(nodes, lambda n, k, g: g * np.square(slope(n.operands[0], n.value))),
    )
    for other in CONFUSED:
        if other != op:
            yield Suspicion(
                Bug.DERIVATIVE_AT_WRONG_POINT,
                f"at {place(site)} the derivative of {other} stands for that of {op}",
                f"multiply by the derivative of {op}",
                0.9,
                at(nodes, _sloped(SLOPES[other])),
            )


def _sloped(slope: Callable[[Array, Array], Any]) -> Callable[[Node, int, Array], Array | None]:
    return lambda n, k, g: unbroadcast(g * slope(n.operands[0], n.value), n.operands[0].shape)


def _of_two_variables(
    way: BackwardPass, site: SourceLocation, nodes: list[Node], op: str
) -> Iterator[Suspicion]:
    if op not in PRODUCTS:
        yield _left_out(site, nodes, Bug.ACTIVATION_DERIVATIVE_MISSING, f"derivative of {op}")
        return
    constants = [
        x for x, parent in zip(nodes[0].operands, nodes[0].parents, strict=True) if not parent
    ]
    if not constants:
        yield _left_out(site, nodes, Bug.PATH_MISSING, "other factor")
    elif constants[0].size > 1 or _varies(nodes):  # one number is found where its part is fitted
        k = 0 if nodes[0].parents[0] is None else 1
        values = np.concatenate([np.unique(node.operands[k]) for node in nodes])
        mask = len(set(values.tolist()) - {0.0}) <= 1
        code = Bug.MASK_NOT_APPLIED if mask else Bug.PATH_MISSING
        yield _left_out(site, nodes, code, f"factor `{_operand(site, k)}`")


def _operand(site: SourceLocation, k: int) -> str:
    """Return an operand of a product as it is written."""
    with contextlib.suppress(SyntaxError):
        node = ast.parse(site.text, mode="eval").body
        if isinstance(node, ast.BinOp):
            return ast.unparse((node.left, node.right)[k])
    return f"operand {k + 1}"


def _varies(nodes: list[Node]) -> bool:
    """Whether the constant factor of an expression is another one each time it is evaluated."""
    k = 0 if nodes[0].parents[0] is None else 1
    return any(float(node.operands[k].sum()) != float(nodes[0].operands[k].sum()) for node in nodes)


# What the gradient has to be multiplied by, in the words of the code.
WRITTEN = {
    "derivative of tanh": "1 - h**2, with h the output of the tanh",
    "derivative of expit": "s * (1 - s), with s the output of the sigmoid",
    "derivative of exp": "the output of the exp",
    "derivative of log": "1 / its input",
    "derivative of sqrt": "0.5 / its output",
    "derivative of square": "twice its input",
    "derivative of absolute": "the sign of its input",
    "derivative of maximum": "the mask of the forward: (a > b), as in d * (z > 0) for a ReLU",
    "derivative of minimum": "the mask of the forward: (a < b)",
}


def _left_out(
    site: SourceLocation, nodes: list[Node], code: str, what: str, when: str = ""
) -> Suspicion:
    return Suspicion(
        code,
        f"the {what} is left out at {place(site)}{when.removesuffix(',')}",
        f"multiply the gradient by {WRITTEN.get(what, f'the {what}')}",
        0.5 if not when else 0.7,
        at(nodes, lambda n, k, g: unbroadcast(g, n.operands[k].shape)),
    )


def _of_extremes(site: SourceLocation, nodes: list[Node]) -> Iterator[Suspicion]:
    def everyone(node: Node, k: int, g: Array) -> Array | None:
        sent = node.pull(np.ones_like(g), k)
        wide = np.asarray(g).reshape([n if n == m else 1 for n, m in _aligned(node, g)])
        return None if sent is None else np.broadcast_to(wide, sent.shape)

    def evenly(node: Node, k: int, g: Array) -> Array | None:
        all_of_it = everyone(node, k, g)
        return None if all_of_it is None else all_of_it * (node.value.size / all_of_it.size)

    for what, change in (
        ("gives every entry the gradient", everyone),
        ("spreads it evenly", evenly),
    ):
        yield Suspicion(
            Bug.MASK_NOT_APPLIED,
            f"the backward of {place(site)} {what}, not the extreme one alone",
            "send the gradient to the entry that won",
            0.7,
            at(nodes, change),
        )


def _aligned(node: Node, g: Array) -> list[tuple[int, int]]:
    """Pair the operand's axes with those of the output, which has lost some of them."""
    lengths = list(np.shape(g))
    pairs = []
    for n in node.operands[0].shape:
        kept = bool(lengths) and lengths[0] in (n, 1)
        pairs.append((n, lengths.pop(0)) if kept else (n, 0))
    return pairs
