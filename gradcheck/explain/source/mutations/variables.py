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
    Mutation,
    Role,
    Scope,
    Site,
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
def exchanged(site: Site, scope: Scope) -> Iterator[Mutation]:
    """Another variable of the same shape."""
    node = site.node
    if not _is_named(node) or _is_called(site):
        return
    name, value = text(node), scope.value(node)
    if name in scope.lists:
        for other in scope.lists:
            if other != name:
                message = f"`{name}` stands where `{other}` belongs"
                yield Mutation(site, expression(other), "derivative_at_wrong_point", message, 0.7)
    if value is None:
        return
    for other, its in scope.different.items():
        if np.shape(its) == np.shape(value) and not np.array_equal(its, value):
            message = f"`{name}` stands where `{other}` belongs"
            code, cost = MISREAD[site.role], scope.cost(other, 0.7)
            if site.role is Role.VALUE and is_slope_of(its, value, scope):
                code = "activation_derivative_missing"
            yield Mutation(site, expression(other), code, message, cost)
        elif np.ndim(its) == np.ndim(value) == 2 and np.shape(its)[0] == np.shape(value)[0]:
            message = f"`{name}` stands where `{other}` belongs"  # activations of another layer
            yield Mutation(site, expression(other), MISREAD[site.role], message, 0.8)
        elif np.ndim(its) == 1 and np.ndim(value) in (1, 2):
            message = f"`{name}` stands where `{other}[:, None]` belongs"
            column = expression(f"{other}[:, None]")
            yield Mutation(site, column, "wrong_axis", message, 0.8)


@kind
def swapped(site: Site, scope: Scope) -> Iterator[Mutation]:
    """Two variables of the same shape, each where the other belongs."""
    if not site.is_whole:
        return
    read = [text(node) for node in ast.walk(site.node) if _is_named(node)]
    once = [n for n, times in Counter(read).items() if times == 1 and n in scope.arrays()]
    for one, other in combinations(once, 2):
        if scope.values[one].shape == scope.values[other].shape:
            changed = _Renamer({one: other, other: one}).visit(copy.deepcopy(site.node))
            message = f"`{one}` and `{other}` stand each where the other belongs"
            yield Mutation(site, changed, "swapped", message, 0.7)


@kind
def renamed(site: Site, scope: Scope) -> Iterator[Mutation]:
    """Another variable of the same shape wherever one stands in a statement."""
    if not site.is_whole:
        return
    read = [node for node in ast.walk(site.node) if _is_named(node)]
    counts = Counter(text(node) for node in read)
    for name, value in scope.arrays().items():
        if counts[name] < 2:
            continue
        for other, its in scope.arrays().items():
            if its.shape == value.shape and other != name:
                changed = _Renamer({name: other}).visit(copy.deepcopy(site.node))
                message = f"`{name}` stands where `{other}` belongs"
                yield Mutation(site, changed, "derivative_at_wrong_point", message, 0.75)


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
def indexed(site: Site, scope: Scope) -> Iterator[Mutation]:
    """An index that is one off, or another index."""
    node = site.node
    if isinstance(node, ast.Subscript) and site.role in (Role.VALUE, Role.RANGE):
        code = "wrong_index" if site.role is Role.VALUE else MISREAD[site.role]
        if "::-1" in text(node.slice):
            code = "kernel_flipped"
        message = f"`{text(node.value)}` is meant, not `{text(node)}`"
        yield Mutation(site, node.value, code, message, 0.7)
        yield from _of_all_samples(site, node)
    if _is_read_whole(site) and _is_named(node) and np.ndim(scope.value(node)):
        for index, code in REARRANGED.items():
            changed = expression(f"{text(node)}[{index}]")
            message = f"`{text(node)}` stands where `{text(changed)}` belongs"
            yield Mutation(site, changed, code, message, 0.85)
    if site.role is not Role.INDEX:
        return
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(
        scope.value(node), int | np.integer
    ):
        for shift in ("- 1", "+ 1"):
            near = expression(f"{text(node)} {shift}")
            yield Mutation(site, near, "wrong_index", f"the index `{text(node)}` is one off", 0.7)
    if isinstance(node, ast.Constant | ast.UnaryOp):
        for name in scope.integers():
            message = f"the index is {text(node)}, where it should be `{name}`"
            yield Mutation(site, expression(name), "wrong_index", message, 0.75)


def _of_all_samples(site: Site, node: ast.Subscript) -> Iterator[Mutation]:
    """The first or the last of what should be summed, or averaged, over all."""
    if site.role is Role.VALUE and text(node.slice) in ("-1", "0"):
        for reduced in ("sum", "mean"):
            meant = expression(f"{text(node.value)}.{reduced}(axis=0)")
            message = f"only the {'last' if text(node.slice) == '-1' else 'first'} sample counts"
            yield Mutation(site, meant, "last_sample_only", f"{message} in `{text(node)}`", 0.7)


@kind
def slices(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A slice that begins or ends elsewhere, or runs the other way."""
    node = site.node
    if not isinstance(node, ast.Slice):
        return
    bounds = (node.lower, node.upper, node.step)
    message = f"the slice `{text(node)}` takes other entries than the forward did"
    for other in ("1:", ":-1", ":", "::-1", "2:", ":-2", "1:-1"):
        changed = ast.parse(f"x[{other}]", mode="eval").body.slice  # type: ignore[attr-defined]
        if bounds != (None, None, None) or other == "::-1":
            code = "kernel_flipped" if "::-1" in (other, text(node)) else "wrong_index"
            yield Mutation(site, changed, code, message, 0.75)
    if bounds == (None, None, None):
        for name in scope.arrays():
            each = expression(f"np.arange(len({name}))")
            message = "every row is taken with every index, not each with its own"
            yield Mutation(site, each, "wrong_index", message, 0.8)


@kind
def transposes(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A transpose that is missing, or too many; two factors in the wrong order."""
    node = site.node
    if isinstance(node, ast.Attribute) and node.attr == "T":
        message = f"`{text(node)}` should not be transposed"
        yield Mutation(site, node.value, "transposed", message, 0.55)
    elif _is_read_whole(site) and _is_matrix(node, scope):
        stacked = np.ndim(scope.value(node)) > 2
        turned = expression(f"{text(node)}.swapaxes(-1, -2)" if stacked else f"{text(node)}.T")
        yield Mutation(site, turned, "transposed", f"`{text(node)}` is not transposed", 0.6)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        other = ast.BinOp(node.right, ast.MatMult(), node.left)
        message = f"the factors of `{text(node)}` are in the wrong order"
        yield Mutation(site, other, "transposed", message, 0.6)
        turned = ast.Attribute(node, "T", ast.Load())
        yield Mutation(site, turned, "transposed", f"`{text(node)}` is not transposed", 0.65)


def _is_read_whole(site: Site) -> bool:
    """Whether an expression is read for its entries, not for its shape."""
    of_shape = isinstance(site.place.parent, ast.Attribute)
    return isinstance(site.node, ast.expr) and site.role is Role.VALUE and not of_shape


def _is_matrix(node: ast.expr, scope: Scope) -> bool:
    return _is_named(node) and np.ndim(scope.value(node)) >= 2


def _is_named(node: ast.AST) -> bool:
    """Whether a node is a variable, an attribute, or an item of a dict."""
    return isinstance(node, ast.Name | ast.Attribute) or (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )


def _is_called(site: Site) -> bool:
    return isinstance(site.place.parent, ast.Call) and site.place.label == "func"
