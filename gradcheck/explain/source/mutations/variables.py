"""Another variable, number, axis or index than the one that belongs there."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.activation_derivatives import is_derivative_of
from gradcheck.explain.source.mutations.mutation import Change
from gradcheck.explain.source.mutations.scope import Scope
from gradcheck.explain.source.mutations.sites import Role, Site
from gradcheck.explain.source.mutations.syntax import expression, is_named, text

AXES = ("0", "1", "-1", "2", "-2", "(0, 1)", "(0, 2, 3)", "(2, 3)", "None")


def exchanged(site: Site, scope: Scope) -> Iterator[Change]:
    """Another variable of the same shape."""
    is_function = isinstance(site.parent, ast.Call) and site.position.field == "func"
    if not is_named(site.node) or is_function:
        return
    name, value = site.text, scope.value(site.node)
    for other in scope.lists if name in scope.lists else ():
        if other != name:
            message = f"`{name}` stands where `{other}` belongs"
            yield other, Bug.DERIVATIVE_AT_WRONG_POINT, message, 0.7
    for other, its in scope.different.items() if value is not None else ():
        message, code = f"`{name}` stands where `{other}` belongs", site.role.code
        if np.shape(its) == np.shape(value) and not np.array_equal(its, value):
            if site.role is Role.VALUE and is_derivative_of(its, value, scope):
                code = Bug.ACTIVATION_DERIVATIVE_MISSING
            yield other, code, message, scope.cost(other, 0.7)
        elif np.ndim(its) == np.ndim(value) == 2 and np.shape(its)[0] == np.shape(value)[0]:
            yield other, code, message, 0.8  # activations of another layer
        elif np.ndim(its) == 1 and np.ndim(value) in (1, 2):
            column = f"{other}[:, None]"
            yield column, Bug.WRONG_AXIS, f"`{name}` stands where `{column}` belongs", 0.8


def renamed(site: Site, scope: Scope) -> Iterator[Change]:
    """Two variables of the same shape that change places, or one wherever the other is read."""
    if not site.is_whole:
        return
    read = Counter(text(node) for node in ast.walk(site.node) if is_named(node))
    arrays = scope.arrays
    for one, other in combinations([n for n in read if read[n] == 1 and n in arrays], 2):
        if arrays[one].shape == arrays[other].shape:
            message = f"`{one}` and `{other}` stand each where the other belongs"
            yield replaced(site.node, {one: other, other: one}), Bug.SWAPPED, message, 0.7
    for name, value in arrays.items():
        for other, its in arrays.items() if read[name] > 1 else ():
            if its.shape == value.shape and other != name:
                message = f"`{name}` stands where `{other}` belongs"
                changed = replaced(site.node, {name: other})
                yield changed, Bug.DERIVATIVE_AT_WRONG_POINT, message, 0.75


def wrapped(site: Site, scope: Scope) -> Iterator[Change]:
    """A call that stands more than once where its argument is meant: ``s(y) * (1 - s(y))``."""
    if not (site.is_whole and site.is_value):
        return
    calls = {text(n): n for n in reversed(list(ast.walk(site.node))) if isinstance(n, ast.Call)}
    read = Counter(text(node) for node in ast.walk(site.node) if isinstance(node, ast.Call))
    for call, times in read.items():
        if times > 1 and len(calls[call].args) == 1:
            argument = text(calls[call].args[0])
            message = f"`{argument}` itself is meant, not `{call}`"
            changed = replaced(site.node, {call: argument})
            yield changed, Bug.DERIVATIVE_AT_WRONG_POINT, message, 0.7


def replaced(node: ast.AST, others: dict[str, str]) -> ast.AST:
    """Return a tree with other expressions wherever some names or calls are read."""

    class Replacer(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            source = text(node) if is_named(node) or isinstance(node, ast.Call) else ""
            return expression(others[source]) if source in others else self.generic_visit(node)

    tree: ast.AST = Replacer().visit(copy.deepcopy(node))
    return tree


def indices(site: Site, scope: Scope) -> Iterator[Change]:
    """A variable for a number as an index."""
    if site.role is Role.INDEX and isinstance(site.node, ast.Constant | ast.UnaryOp):
        for name in (n for n, v in scope.values.items() if isinstance(v, int | np.integer)):
            message = f"the index is {site.text}, where it should be `{name}`"
            yield name, Bug.WRONG_INDEX, message, 0.75


def slices(site: Site, scope: Scope) -> Iterator[Change]:
    """A slice that begins or ends elsewhere, or runs the other way."""
    if not isinstance(site.node, ast.Slice):
        return
    message = f"the slice `{site.text}` takes other entries than the forward did"
    for other in ("1:", ":-1", ":", "::-1", "2:", ":-2", "1:-1"):
        if site.text != ":" or other == "::-1":
            code = Bug.KERNEL_FLIPPED if "::-1" in (other, site.text) else Bug.WRONG_INDEX
            yield other, code, message, 0.75
    for name in scope.arrays if site.text == ":" else ():
        message = "every row is taken with every index, not each with its own"
        yield scope.written(f"np.arange(len({name}))"), Bug.WRONG_INDEX, message, 0.8


def masks(site: Site, scope: Scope) -> Iterator[Change]:
    """A condition where a mask that was computed is meant."""
    for name, value in scope.arrays.items() if isinstance(site.node, ast.Compare) else ():
        if value.dtype == bool:
            message = f"the condition `{site.text}` stands where `{name}` belongs"
            yield name, Bug.WRONG_MASK, message, 0.7


# A number that is added is likelier part of the formula than one that multiplies or is chosen.
TERM = 0.75

# Significant digits to which a number is written by hand: 1.1 - 1 is 0.1.
DIGITS = 12


def numbers(site: Site, scope: Scope) -> Iterator[Change]:
    """Another number, or a variable."""
    n = site.node.value if isinstance(site.node, ast.Constant) else None
    if isinstance(n, bool):
        yield str(not n), site.role.code, f"`{site.text}` should be `{not n}`", 0.7
    elif isinstance(n, int | float) and site.role is not Role.AXIS:
        factor = isinstance(getattr(site.parent, "op", None), ast.Mult | ast.Div)
        joined = isinstance(site.parent, ast.BinOp)
        addend = site.role is Role.VALUE and not factor
        for other in _others(n, site.role):
            if joined and not addend and _is_neutral(other, site):
                continue  # what changes nothing is better left out
            code = site.role.code
            if site.role is Role.VALUE and factor and other:
                code = scope.factor_code(n / other)
            elif isinstance(site.parent, ast.Subscript) and ".shape" in text(site.parent):
                code = Bug.CONSTANT_FACTOR
            other = int(other) if other == int(other) else other
            cost = TERM if addend and joined else 0.65
            yield str(other), code, f"`{site.text}` should be `{other}`", cost
        for name, value in scope.different.items() if site.role is Role.VALUE else ():
            if factor or not np.ndim(value) or name in scope.unread:
                code = Bug.DERIVATIVE_AT_WRONG_POINT if addend and joined else Bug.CONSTANT_FACTOR
                message = f"the number {n} stands where `{name}` belongs"
                yield name, code, message, scope.cost(name, 0.8)


def _is_neutral(n: float, site: Site) -> bool:
    """Whether nobody writes a number into an operation: a factor of one, a term of zero.

    What is divided, or raised to a power, cannot be left out.
    """
    operation: Any = site.parent
    if isinstance(operation.op, ast.Add | ast.Sub):
        return n == 0
    first = isinstance(operation.op, ast.Div | ast.Pow) and operation.left is site.node
    return n == 0 or (n == 1 and not first)


def axes(site: Site, scope: Scope) -> Iterator[Change]:
    """Another axis."""
    if site.role is Role.AXIS and not isinstance(site.parent, ast.UnaryOp | ast.Tuple):
        for other in AXES:
            if other != site.text:
                message = f"a reduction runs along axis {site.text}, where it has to along {other}"
                yield other, Bug.WRONG_AXIS, message, 0.55


def _others(n: float, role: Role) -> list[float]:
    if role in (Role.INDEX, Role.RANGE):
        return [m for m in (n + 1, n - 1, -n, 0) if m != n]
    others = (n + 1, n - 1, -n, 2 * n, n / 2, 0, 1, 2, 0.5)
    return [m for m in dict.fromkeys(float(f"{m:.{DIGITS}g}") for m in others) if m != n]
