"""What can be wrong with a single step of the way back, or with several in a row."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.trace.backward_pass import BackwardPass, Change, Step, label
from gradcheck.explain.trace.node import Node, unbroadcast
from gradcheck.explain.trace.record import BackwardOverride
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

# So many stretches are tried, the shortest first, and diagonals of rows up to this length.
MOST_STRETCHES = 80
LONGEST_ROW = 64


def paths(way: BackwardPass) -> Iterator[Hypothesis]:
    """What goes back from an expression into one of its operands is missing, or has a factor."""
    for step in way.steps:
        for k in range(len(step.first.parents)):
            if any(way.leads_here(node, k) for node in step.nodes if k < len(node.parents)):
                yield from _missing(step, k)


def _missing(step: Step, k: int) -> Iterator[Hypothesis]:
    code, name = Bug.PATH_MISSING, step.way.name
    where = f"into operand {k + 1} of {step}" if len(step.shapes) > 1 else f"through {step}"
    # a penalty is one number
    alone = step.first.operands[k].size == 1 and step.way.is_term_of_its_own(step.first, k)
    if step.op in ("add", "subtract") and alone:
        code, where = Bug.ADDITIVE_TERM, f"from the term of {name} alone in {step}"
    part = f"what goes back {where}"
    fix = f"add to the gradient of {name} {part}"

    def cut(node: Node, j: int, g: Array) -> Array | None:
        return None if j == k else node.pull(g, j)

    for when, nodes in step.times().items():
        message, cost = f"{part} is missing{when}", 0.9 if when else 0.6
        yield step.wrong(code, message, fix, cost, cut, nodes, part="" if when else part)


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
    message = f"the {what} is left out at {step}{when}"
    fix = f"multiply the gradient by {WRITTEN.get(what, f'the {what}')}"
    return step.wrong(code, message, fix, 0.7 if when else 0.5, _times(lambda x, y: 1.0), nodes)


def _of_one_variable(step: Step) -> Iterator[Hypothesis]:
    op, slope, code = step.op, SLOPES[step.op], Bug.DERIVATIVE_AT_WRONG_POINT
    for when, nodes in step.times().items():
        yield _left_out(step, Bug.ACTIVATION_DERIVATIVE_MISSING, f"derivative of {op}", when, nodes)
    message = f"the derivative of {step} is multiplied twice"
    twice = _times(lambda x, y: np.square(slope(x, y)))
    yield step.wrong(code, message, f"multiply by the derivative of {op} once", 0.8, twice)
    fix = f"multiply by the derivative of {op}"
    for other in CONFUSED:
        if other != op:
            message = f"at {step} the derivative of {other} stands for that of {op}"
            yield step.wrong(code, message, fix, 0.9, _times(SLOPES[other]))


def _times(slope: Slope) -> Change:
    return lambda n, k, g: unbroadcast(g * slope(n.operands[0], n.value), n.operands[k].shape)


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

    fix = "send the gradient to the entry that won"
    for what, change in (
        ("gives every entry the gradient", everyone),
        ("spreads it evenly", evenly),
    ):
        message = f"the backward of {step} {what}, not the extreme one alone"
        yield step.wrong(Bug.MASK_NOT_APPLIED, message, fix, 0.7, change)


def _aligned(node: Node, g: Array) -> list[tuple[int, int]]:
    """Pair the operand's axes with those of the output, which has lost some of them."""
    lengths = list(np.shape(g))
    pairs = []
    for n in node.operands[0].shape:
        kept = bool(lengths) and lengths[0] in (n, 1)
        pairs.append((n, lengths.pop(0)) if kept else (n, 0))
    return pairs


def skipped(way: BackwardPass) -> Iterator[Hypothesis]:
    """Several steps in a row, such as a softmax, are left out, cut to a diagonal, or gone twice."""
    for ends, starts in _stretches(way):
        end, start = ends[0], starts[0]
        what = f"from {label(start, start.op)} to {label(end, end.op)}"
        rounds = way.rounds(ends) if len(ends) > 1 else []
        times = [("", 0.9, ends)]
        if len(rounds) > 1:
            times.append((" the last time they are passed", 0.95, rounds[0]))
        fix = "multiply by their derivative: the gradient goes through them unchanged"
        for when, cost, nodes in times:
            code = Bug.ACTIVATION_DERIVATIVE_MISSING
            message = f"the derivative of the steps {what} is left out{when}"
            jump = _jumping(ends, starts, lambda node, start, g: g, nodes)
            yield Hypothesis(code, message, fix, cost, way.with_(jump))
        is_softmax = bool(end.value.ndim) and np.allclose(end.value.sum(axis=-1), 1.0)
        code = Bug.SOFTMAX_JACOBIAN_TWICE if is_softmax else Bug.DERIVATIVE_AT_WRONG_POINT
        message = f"the derivative of the steps {what} is multiplied twice"
        jump = _jumping(ends, starts, lambda n, s, g: way.through(n, s, way.through(n, s, g)))
        yield Hypothesis(code, message, "multiply by their derivative once", 0.75, way.with_(jump))
        row = end.value.shape[-1] if end.value.ndim else 0
        if len(ends) == 1 and 1 < row <= LONGEST_ROW:
            message = f"only the diagonal of the Jacobian is used {what}"
            fix = "every output of a row depends on every input: use the whole Jacobian"
            jump = _jumping(ends, starts, lambda n, s, g: g * _diagonal(way, n, s))
            yield Hypothesis(Bug.JACOBIAN_DIAGONAL_ONLY, message, fix, 0.7, way.with_(jump))


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
            if not same or not starts[0].value.ndim or tried >= MOST_STRETCHES:
                continue
            if ends[0].number in way.recording.depending_on(starts[0]):
                tried += 1
                yield ends, starts


def _diagonal(way: BackwardPass, end: Node, start: Node) -> Array:
    """Return how every entry of ``end`` depends on the entry of ``start`` at its own place."""
    diagonal = np.zeros(end.value.shape)
    for j in range(end.value.shape[-1]):
        sent = np.zeros(end.value.shape)
        sent[..., j] = 1.0
        diagonal[..., j] = way.through(end, start, sent)[..., j]
    return diagonal
