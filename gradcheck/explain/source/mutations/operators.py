"""Wrong signs, operators the other way round, operands too many, comparisons turned."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.explain.source.mutations.codes import MISREAD, factor_code
from gradcheck.explain.source.mutations.mutation import (
    Mutation,
    Role,
    Scope,
    Site,
    expression,
    kind,
    text,
)

OPPOSITE: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}

BRANCHES = (ast.If, ast.IfExp)

TURNED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.LtE, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
    ast.LtE: (ast.Lt, ast.GtE, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}


@kind
def signs(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A plus for a minus, a minus too many or too few."""
    node = site.node
    code = "sign_flipped" if site.role is Role.VALUE else MISREAD[site.role]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.BinOp(node.left, OPPOSITE[type(node.op)](), node.right)
        yield Mutation(site, other, code, f"`{text(node.right)}` has the wrong sign", 0.5)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield Mutation(site, node.operand, code, f"`{text(node)}` has the wrong sign", 0.5)
    elif isinstance(node, ast.expr) and site.is_whole:
        minus = ast.UnaryOp(ast.USub(), node)
        yield Mutation(site, minus, code, f"`{text(node)}` has the wrong sign", 0.55)
    elif isinstance(node, ast.Name | ast.Attribute) and _is_argument(site):
        minus = ast.UnaryOp(ast.USub(), node)
        message = f"`{text(site.place.parent)}` takes `{text(node)}` with the wrong sign"
        yield Mutation(site, minus, "derivative_at_wrong_point", message, 0.7)


@kind
def inverses(site: Site, scope: Scope) -> Iterator[Mutation]:
    """Multiplied where it should be divided, or the other way round."""
    node = site.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        done, due = ("multiplies", "divide")
        if isinstance(node.op, ast.Div):
            done, due = ("divides", "multiply")
        value = scope.value(node.right)
        code = "derivative_at_wrong_point" if value is None else factor_code(value, scope)
        message = f"`{text(node.right)}` {done}, where it has to {due}"
        yield Mutation(
            site, ast.BinOp(node.left, OPPOSITE[type(node.op)](), node.right), code, message, 0.7
        )


OPERANDS: dict[type[ast.operator], str] = {
    ast.Add: "term",
    ast.Sub: "term",
    ast.Mult: "factor",
    ast.MatMult: "factor",
    ast.Div: "divisor",
    ast.FloorDiv: "divisor",
    ast.Pow: "power",
}


@kind
def operands(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A factor, a divisor, a power or a term too many."""
    node = site.node
    if not isinstance(node, ast.BinOp) or site.role is Role.MASK:
        return
    what = OPERANDS.get(type(node.op), "operand")
    for kept, lost in ((node.left, node.right), (node.right, node.left)):
        code = "derivative_at_wrong_point"
        if what == "term":
            code = "additive_term"
            if isinstance(node.op, ast.Sub) and kept is node.right:
                kept = ast.UnaryOp(ast.USub(), kept)
        elif isinstance(node.op, ast.Div | ast.Pow) and kept is node.right:
            continue
        elif what != "power" and (value := scope.value(lost)) is not None:
            code = factor_code(value, scope)
        if site.role is not Role.VALUE:
            code = MISREAD[site.role]
        yield Mutation(site, kept, code, f"`{text(lost)}` is a {what} too many", 0.65)


@kind
def complements(site: Site, scope: Scope) -> Iterator[Mutation]:
    """``1 - v`` where ``v`` is meant."""
    node = site.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and text(node.left) == "1":
        message = f"`{text(node)}` stands where `{text(node.right)}` belongs"
        yield Mutation(site, node.right, "derivative_at_wrong_point", message, 0.65)


@kind
def comparisons(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A mask that lets through what it should hold back."""
    node = site.node
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for turned in TURNED.get(type(node.ops[0]), ()):
            other = ast.Compare(node.left, [turned()], node.comparators)
            code = "slope_wrong" if isinstance(site.place.parent, BRANCHES) else "wrong_mask"
            yield Mutation(site, other, code, f"the condition `{text(node)}` is wrong", 0.6)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not):
        yield Mutation(site, node.operand, "wrong_mask", f"`{text(node)}` is the wrong mask", 0.6)
    elif isinstance(node, ast.expr) and site.role is Role.INDEX and _is_mask(node, scope):
        other_mask = ast.UnaryOp(ast.Invert(), node)
        yield Mutation(site, other_mask, "wrong_mask", f"`{text(node)}` is the wrong mask", 0.6)
    if isinstance(node, ast.Compare):
        for name, value in scope.arrays().items():
            if value.dtype == bool:
                message = f"the condition `{text(node)}` stands where `{name}` belongs"
                yield Mutation(site, expression(name), "wrong_mask", message, 0.7)


def _is_argument(site: Site) -> bool:
    in_call = isinstance(site.place.parent, ast.Call) and site.place.label == "args"
    return in_call and site.role is Role.VALUE


def _is_mask(node: ast.expr, scope: Scope) -> bool:
    value = scope.value(node)
    return isinstance(node, ast.Compare) or np.asarray(value).dtype.kind == "b"
