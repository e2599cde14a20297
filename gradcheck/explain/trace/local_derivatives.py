"""What can be wrong with a single step of the way back."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.trace import Node, unbroadcast
from gradcheck.explain.trace.backward_pass import BackwardPass, Change, Step
from gradcheck.explain.trace.vjps import PAIRS, SLOPES, Slope

# Formulas that are taken for one another, of functions whose value lies where they expect it.
CONFUSED = ("tanh", "expit", "exp", "sin", "cos", "square", "sqrt", "log", "reciprocal", "arctan")

PRODUCTS = ("multiply", "divide")

# Steps without a derivative that could be left out.
LINEAR = ("negative", "positive", "add", "subtract")

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


def paths(way: BackwardPass) -> Iterator[Hypothesis]:
    """What goes back from an expression into one of its operands is missing, or has a factor."""
    for step in way.steps:
        for k in range(len(step.first.parents)):
            if any(way.leads_here(node, k) for node in step.nodes if k < len(node.parents)):
                yield from _missing(step, k)


def _missing(step: Step, k: int) -> Iterator[Hypothesis]:
    way, code = step.way, Bug.PATH_MISSING
    where = f"into operand {k + 1} of {step}" if len(step.shapes) > 1 else f"through {step}"
    # a penalty is one number
    alone = step.first.operands[k].size == 1 and way.is_term_of_its_own(step.first, k)
    if step.op in ("add", "subtract") and alone:
        code, where = Bug.ADDITIVE_TERM, f"from the term of {way.name} alone in {step}"
    part = f"what goes back {where}"
    for when, nodes in step.times().items():
        yield step.wrong(
            code,
            f"{part} is missing{when}",
            f"add to the gradient of {way.name} {part}",
            0.9 if when else 0.6,
            lambda node, j, g: None if j == k else node.pull(g, j),
            nodes,
            part="" if when else part,
        )


def slopes(way: BackwardPass) -> Iterator[Hypothesis]:
    """The derivative of an elementwise step is left out, squared, or another function's."""
    for step in way.steps:
        if step.op in LINEAR:
            continue
        if step.op in SLOPES:
            yield from _of_one_variable(step)
        elif step.op in PRODUCTS:
            yield from _of_product(step)
        elif step.op in PAIRS:
            yield _left_out(step, Bug.ACTIVATION_DERIVATIVE_MISSING, f"derivative of {step.op}")
        elif step.op == "where":
            yield _left_out(step, Bug.MASK_NOT_APPLIED, "mask")
        elif step.op in ("maximum over axis", "minimum over axis"):
            yield from _of_extremes(step)


def _left_out(
    step: Step, code: Bug, what: str, when: str = "", nodes: list[Node] | None = None
) -> Hypothesis:
    return step.wrong(
        code,
        f"the {what} is left out at {step}{when}",
        f"multiply the gradient by {WRITTEN.get(what, f'the {what}')}",
        0.7 if when else 0.5,
        lambda node, k, g: unbroadcast(g, node.operands[k].shape),
        nodes,
    )


def _of_one_variable(step: Step) -> Iterator[Hypothesis]:
    op, slope = step.op, SLOPES[step.op]
    for when, nodes in step.times().items():
        yield _left_out(step, Bug.ACTIVATION_DERIVATIVE_MISSING, f"derivative of {op}", when, nodes)
    yield step.wrong(
        Bug.DERIVATIVE_AT_WRONG_POINT,
        f"the derivative of {step} is multiplied twice",
        f"multiply by the derivative of {op} once",
        0.8,
        _times(lambda x, y: np.square(slope(x, y))),
    )
    for other in CONFUSED:
        if other != op:
            yield step.wrong(
                Bug.DERIVATIVE_AT_WRONG_POINT,
                f"at {step} the derivative of {other} stands for that of {op}",
                f"multiply by the derivative of {op}",
                0.9,
                _times(SLOPES[other]),
            )


def _times(slope: Slope) -> Change:
    return lambda n, k, g: unbroadcast(g * slope(n.operands[0], n.value), n.operands[0].shape)


def _of_product(step: Step) -> Iterator[Hypothesis]:
    constants = [k for k, parent in enumerate(step.first.parents) if parent is None]
    if not constants:
        yield _left_out(step, Bug.PATH_MISSING, "other factor")
        return
    values = [node.operands[constants[0]] for node in step.nodes]
    # one number that is always the same is found where the factor of its part is fitted
    if values[0].size > 1 or any(float(v.sum()) != float(values[0].sum()) for v in values):
        mask = len(set(np.concatenate([np.unique(v) for v in values]).tolist()) - {0.0}) <= 1
        code = Bug.MASK_NOT_APPLIED if mask else Bug.PATH_MISSING
        yield _left_out(step, code, f"factor `{_operand(step, constants[0])}`")


def _operand(step: Step, k: int) -> str:
    """Return an operand of a product as it is written."""
    with contextlib.suppress(SyntaxError):
        node = ast.parse(step.site.text, mode="eval").body
        if isinstance(node, ast.BinOp):
            return ast.unparse((node.left, node.right)[k])
    return f"operand {k + 1}"


def _of_extremes(step: Step) -> Iterator[Hypothesis]:
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
        yield step.wrong(
            Bug.MASK_NOT_APPLIED,
            f"the backward of {step} {what}, not the extreme one alone",
            "send the gradient to the entry that won",
            0.7,
            change,
        )


def _aligned(node: Node, g: Array) -> list[tuple[int, int]]:
    """Pair the operand's axes with those of the output, which has lost some of them."""
    lengths = list(np.shape(g))
    pairs = []
    for n in node.operands[0].shape:
        kept = bool(lengths) and lengths[0] in (n, 1)
        pairs.append((n, lengths.pop(0)) if kept else (n, 0))
    return pairs
