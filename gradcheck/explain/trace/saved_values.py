"""Steps of the way back that use another value than the forward had, or have it transposed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.trace.backward_pass import BackwardPass, Change, label, with_operand
from gradcheck.explain.trace.node import Node
from gradcheck.formulas.elementwise import ELEMENTARY

# So many other values are tried in the place of one that a step remembers.
MOST_CANDIDATES = 60

# Steps whose way back needs the values of the other operands.
REMEMBERING = ("multiply", "divide", "matmul", "einsum", "power", "maximum", "minimum")

PRODUCTS = ("matmul", "einsum")

Choose = Callable[[Node], Array | None]


def remembered(way: BackwardPass) -> Iterator[Hypothesis]:
    """A step uses another value than the one it had in the forward."""
    code, candidates = Bug.DERIVATIVE_AT_WRONG_POINT, _candidates(way)
    for step in way.steps:
        if step.op in ELEMENTARY:
            fix = f"take the derivative at `{step.site.text}`"
            for what, choose in candidates(step.shapes[0]):
                message = f"the derivative of {step} is taken at {what}"
                for as_input in (True, False):
                    change = _derivative(step.op, choose, as_input=as_input)
                    yield step.wrong(code, message, fix, 0.8, change)
        elif step.op in REMEMBERING:
            for k, shape in enumerate(step.shapes):
                fix = f"use the value that operand {k + 1} had in the forward"
                for what, choose in candidates(shape):
                    message = f"the backward of {step} uses {what} for operand {k + 1}"
                    yield step.wrong(code, message, fix, 0.85, with_operand(k, choose))


def _derivative(op: str, choose: Choose, *, as_input: bool) -> Change:
    """Return a change with another value in the place of the input, or of the output."""

    def change(node: Node, k: int, g: Array) -> Array | None:
        x, other = node.operands[0], choose(node)
        if other is None:
            return None
        slope = ELEMENTARY[op].derivative(other) if as_input else ELEMENTARY[op].slope(x, other)
        return np.asarray(g * slope)

    return change


def _candidates(way: BackwardPass) -> Callable[[tuple[int, ...]], Iterator[tuple[str, Choose]]]:
    """Return what yields the values of a shape that the forward had, in words and by step."""
    by_label: dict[str, list[Node]] = {}
    for node in way.recording.nodes:
        if what := label(node):
            by_label.setdefault(what, []).append(node)

    def of(shape: tuple[int, ...]) -> Iterator[tuple[str, Choose]]:
        tried = 0
        for what, those in by_label.items():
            if those[0].value.shape != shape or not shape:
                continue
            for back, when in ((1, ""), (2, " one step before"), (0, " one step later")):
                if (back == 1 or len(those) > 1) and tried < MOST_CANDIDATES:
                    tried += 1
                    yield f"{what}{when}", _nearest(those, back)

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


def transposed(way: BackwardPass) -> Iterator[Hypothesis]:
    """A square matrix is used as it is where its transpose belongs, or the other way round."""
    for step in way.steps:
        if step.op not in PRODUCTS:
            continue
        for j, shape in enumerate(step.shapes):
            if _is_square(shape):
                message = f"the backward of {step} uses operand {j + 1} without transposing it"
                turned = with_operand(j, lambda node, j=j: _turned(node.operands[j]))  # type: ignore[misc]
                yield step.wrong(Bug.TRANSPOSED, message, "multiply by the transpose", 0.6, turned)
        for j in range(len(step.shapes)) if _is_square(step.first.value.shape) else ():
            message = f"the gradient of {step} goes back into operand {j + 1} transposed"
            fix = "transpose the gradient of the product, not the operand"
            yield step.wrong(
                Bug.TRANSPOSED,
                message,
                fix,
                0.65,
                lambda node, k, g, j=j: node.pull(_turned(g) if k == j else g, k),  # type: ignore[misc]
            )


def _is_square(shape: tuple[int, ...]) -> bool:
    return len(shape) >= 2 and shape[-1] == shape[-2]


def _turned(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)
