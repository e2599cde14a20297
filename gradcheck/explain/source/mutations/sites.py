"""All places of a function where a single change can be made, and what each is there for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradcheck.explain.source.mutations.mutation import Role, Site, TreePosition

# Calls whose arguments are positions or sizes, and those that take an axis.
INDEXING = ("arange", "reshape", "transpose", "swapaxes", "moveaxis", "roll", "zeros", "eye")
ALONG = ("sum", "mean", "max", "min", "prod", "argmax", "argmin", "std", "var", "cumsum", "any")
# Expressions that stand only where they stand.
PARTIAL = (ast.Starred, ast.JoinedStr, ast.FormattedValue)
AXES = ("axis", "axes", "keepdims")


def spots(tree: ast.FunctionDef | ast.Lambda) -> Iterator[Site]:
    """Yield every statement and every expression that is read, outermost first."""
    yield from _of(tree, "body", tree.body, Role.VALUE, tree)


def _of(
    parent: ast.AST, label: str, held: object, role: Role, statement: ast.AST
) -> Iterator[Site]:
    if isinstance(held, list):
        for position, node in enumerate(held):
            if isinstance(node, ast.AST):
                yield from _under(TreePosition(parent, label, position), node, role, statement)
    elif isinstance(held, ast.AST):
        yield from _under(TreePosition(parent, label), held, role, statement)


def _under(place: TreePosition, node: ast.AST, role: Role, statement: ast.AST) -> Iterator[Site]:
    if isinstance(node, ast.While | ast.FunctionDef | ast.ClassDef | ast.Lambda):
        return  # a loop that may no longer end, and functions that are routines of their own
    if isinstance(node, ast.stmt):
        statement = node
    written = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
    whole = isinstance(node, ast.stmt | ast.expr | ast.Slice) and not isinstance(node, PARTIAL)
    if whole and not written:
        yield Site(place, node, role, statement)
    into = isinstance(node, ast.Subscript) and written  # what is written into stays what it is
    for label, held in ast.iter_fields(node):
        if label not in ("ctx", "annotation", "decorator_list") and not (into and label == "value"):
            yield from _of(node, label, held, _role(node, label, role), statement)


def _role(node: ast.AST, label: str, role: Role) -> Role:
    """Return what the part ``label`` of a node is there for."""
    if isinstance(node, ast.Subscript) and label == "slice":
        return Role.INDEX
    if isinstance(node, ast.For | ast.comprehension) and label == "iter":
        return Role.RANGE
    if isinstance(node, ast.Compare) or (isinstance(node, ast.If) and label == "test"):
        return Role.MASK
    if isinstance(node, ast.keyword) and node.arg in AXES:
        return Role.AXIS
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and label == "right":
        return Role.EXPONENT
    if isinstance(node, ast.Call) and label == "args":
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name == "range":
            return Role.RANGE
        if name in ALONG and len(node.args) == 1 and _is_axis(node.args[0]):
            return Role.AXIS
        return Role.INDEX if name in INDEXING else role
    return role


def _is_axis(node: ast.expr) -> bool:
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(number, ast.Constant | ast.Tuple)
