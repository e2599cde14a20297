"""Another variable than the one that belongs there, or the right one at another index."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from gradcheck.explain.source.mutations.activation_derivatives import is_slope_of
from gradcheck.explain.source.mutations.codes import MISREAD
from gradcheck.explain.source.mutations.mutation import (
    Edit,
    Role,
    Scope,
    Spot,
    expression,
    kind,
    text,
)

# What an array may have to be turned or stretched to.
REARRANGED = {
    "::-1": "kernel_flipped",
    "..., ::-1": "kernel_flipped",
    "..., ::-1, ::-1": "kernel_flipped",
    ":, None": "wrong_axis",
    "..., None": "wrong_axis",
}


@kind
def exchanged(spot: Spot, scope: Scope) -> Iterator[Edit]:
    """Another variable of the same shape."""
    node = spot.node
    if not _is_named(node) or _is_called(spot):
        return
    name, value = text(node), scope.value(node)
    if name in scope.lists:
        for other in scope.lists:
            if other != name:
                message = f"`{name}` stands where `{other}` belongs"
                yield Edit(spot, expression(other), "derivative_at_wrong_point", message, 0.7)
    if value is None:
        return
    for other, its in scope.different.items():
        if np.shape(its) == np.shape(value) and not np.array_equal(its, value):
            message = f"`{name}` stands where `{other}` belongs"
            code, cost = MISREAD[spot.role], scope.cost(other, 0.7)
            if spot.role is Role.VALUE and is_slope_of(its, value, scope):
                code = "activation_derivative_missing"
            yield Edit(spot, expression(other), code, message, cost)
        elif np.ndim(its) == np.ndim(value) == 2 and np.shape(its)[0] == np.shape(value)[0]:
            message = f"`{name}` stands where `{other}` belongs"  # activations of another layer
            yield Edit(spot, expression(other), MISREAD[spot.role], message, 0.8)
        elif np.ndim(its) == 1 and np.ndim(value) in (1, 2):
            message = f"`{name}` stands where `{other}[:, None]` belongs"
            column = expression(f"{other}[:, None]")
            yield Edit(spot, column, "wrong_axis", message, 0.8)


@kind
def swapped(spot: Spot, scope: Scope) -> Iterator[Edit]:
    """Two variables of the same shape, each where the other belongs."""
    if not spot.is_whole:
        return
    read = [text(node) for node in ast.walk(spot.node) if _is_named(node)]
    once = [n for n, times in Counter(read).items() if times == 1 and n in scope.arrays()]
    for one, other in combinations(once, 2):
        if scope.values[one].shape == scope.values[other].shape:
            changed = _Renamer({one: other, other: one}).visit(copy.deepcopy(spot.node))
            message = f"`{one}` and `{other}` stand each where the other belongs"
            yield Edit(spot, changed, "swapped", message, 0.7)


@kind
def renamed(spot: Spot, scope: Scope) -> Iterator[Edit]:
    """Another variable of the same shape wherever one stands in a statement."""
    if not spot.is_whole:
        return
    read = [node for node in ast.walk(spot.node) if _is_named(node)]
    counts = Counter(text(node) for node in read)
    for name, value in scope.arrays().items():
        if counts[name] < 2:
            continue
        for other, its in scope.arrays().items():
            if its.shape == value.shape and other != name:
                changed = _Renamer({name: other}).visit(copy.deepcopy(spot.node))
                message = f"`{name}` stands where `{other}` belongs"
                yield Edit(spot, changed, "derivative_at_wrong_point", message, 0.75)


class _Renamer(ast.NodeTransformer):
    """Puts other variables wherever some are read."""

    def __init__(self, others: dict[str, str]) -> None:
        self.others = others

    def visit(self, node: ast.AST) -> Any:
        """Return the node, or the other variable."""
        if _is_named(node) and text(node) in self.others:
            return expression(self.others[text(node)])
        return self.generic_visit(node)


@kind
def indexed(spot: Spot, scope: Scope) -> Iterator[Edit]:
    """An index that is one off, or another index."""
    node = spot.node
    if isinstance(node, ast.Subscript) and spot.role in (Role.VALUE, Role.RANGE):
        code = "wrong_index" if spot.role is Role.VALUE else MISREAD[spot.role]
        if "::-1" in text(node.slice):
            code = "kernel_flipped"
        message = f"`{text(node.value)}` is meant, not `{text(node)}`"
        yield Edit(spot, node.value, code, message, 0.7)
        yield from _of_all_samples(spot, node)
    if _is_read_whole(spot) and _is_named(node) and np.ndim(scope.value(node)):
        for index, code in REARRANGED.items():
            changed = expression(f"{text(node)}[{index}]")
            message = f"`{text(node)}` stands where `{text(changed)}` belongs"
            yield Edit(spot, changed, code, message, 0.85)
    if spot.role is not Role.INDEX:
        return
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(
        scope.value(node), int | np.integer
    ):
        for shift in ("- 1", "+ 1"):
            near = expression(f"{text(node)} {shift}")
            yield Edit(spot, near, "wrong_index", f"the index `{text(node)}` is one off", 0.7)
    if isinstance(node, ast.Constant | ast.UnaryOp):
        for name in scope.integers():
            message = f"the index is {text(node)}, where it should be `{name}`"
            yield Edit(spot, expression(name), "wrong_index", message, 0.75)


def _of_all_samples(spot: Spot, node: ast.Subscript) -> Iterator[Edit]:
    """The first or the last of what should be summed, or averaged, over all."""
    if spot.role is Role.VALUE and text(node.slice) in ("-1", "0"):
        for reduced in ("sum", "mean"):
            meant = expression(f"{text(node.value)}.{reduced}(axis=0)")
            message = f"only the {'last' if text(node.slice) == '-1' else 'first'} sample counts"
            yield Edit(spot, meant, "last_sample_only", f"{message} in `{text(node)}`", 0.7)


@kind
def slices(spot: Spot, scope: Scope) -> Iterator[Edit]:
    """A slice that begins or ends elsewhere, or runs the other way."""
    node = spot.node
    if not isinstance(node, ast.Slice):
        return
    bounds = (node.lower, node.upper, node.step)
    message = f"the slice `{text(node)}` takes other entries than the forward did"
    for other in ("1:", ":-1", ":", "::-1", "2:", ":-2", "1:-1"):
        changed = ast.parse(f"x[{other}]", mode="eval").body.slice  # type: ignore[attr-defined]
        if bounds != (None, None, None) or other == "::-1":
            code = "kernel_flipped" if "::-1" in (other, text(node)) else "wrong_index"
            yield Edit(spot, changed, code, message, 0.75)
    if bounds == (None, None, None):
        for name in scope.arrays():
            each = expression(f"np.arange(len({name}))")
            message = "every row is taken with every index, not each with its own"
            yield Edit(spot, each, "wrong_index", message, 0.8)


@kind
def transposes(spot: Spot, scope: Scope) -> Iterator[Edit]:
    """A transpose that is missing, or too many; two factors in the wrong order."""
    node = spot.node
    if isinstance(node, ast.Attribute) and node.attr == "T":
        message = f"`{text(node)}` should not be transposed"
        yield Edit(spot, node.value, "transposed", message, 0.55)
    elif _is_read_whole(spot) and _is_matrix(node, scope):
        stacked = np.ndim(scope.value(node)) > 2
        turned = expression(f"{text(node)}.swapaxes(-1, -2)" if stacked else f"{text(node)}.T")
        yield Edit(spot, turned, "transposed", f"`{text(node)}` is not transposed", 0.6)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        other = ast.BinOp(node.right, ast.MatMult(), node.left)
        message = f"the factors of `{text(node)}` are in the wrong order"
        yield Edit(spot, other, "transposed", message, 0.6)
        turned = ast.Attribute(node, "T", ast.Load())
        yield Edit(spot, turned, "transposed", f"`{text(node)}` is not transposed", 0.65)


def _is_read_whole(spot: Spot) -> bool:
    """Whether an expression is read for its entries, not for its shape."""
    of_shape = isinstance(spot.place.parent, ast.Attribute)
    return isinstance(spot.node, ast.expr) and spot.role is Role.VALUE and not of_shape


def _is_matrix(node: ast.expr, scope: Scope) -> bool:
    return _is_named(node) and np.ndim(scope.value(node)) >= 2


def _is_named(node: ast.AST) -> bool:
    """Whether a node is a variable, an attribute, or an item of a dict."""
    return isinstance(node, ast.Name | ast.Attribute) or (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )


def _is_called(spot: Spot) -> bool:
    return isinstance(spot.place.parent, ast.Call) and spot.place.label == "func"
