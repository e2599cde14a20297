"""All sites of a function where a single change can be made, and what each is there for."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import numpy as np

from gradcheck.explain.source.mutations.mutation import Role, Site, TreePosition, called

# Calls whose arguments are positions or sizes.
INDEXING = ("arange", "reshape", "transpose", "swapaxes", "moveaxis", "roll", "zeros", "eye")
# Expressions that stand only where they stand.
PARTIAL = (ast.Starred, ast.JoinedStr, ast.FormattedValue)
AXES = ("axis", "axes", "keepdims")


def _parameters(name: str) -> tuple[str, ...]:
    """Return the names of the parameters of a function of NumPy, none where it does not say."""
    function = getattr(np, name)
    try:
        return tuple(inspect.signature(function).parameters) if callable(function) else ()
    except ValueError:
        return ()


_SIGNATURES = {name: _parameters(name) for name in dir(np) if name[0].islower()}

# What takes an axis after the array, and what of that leaves fewer entries.
ALONG = frozenset(name for name, given in _SIGNATURES.items() if given[1:2] == ("axis",))
REDUCTIONS = frozenset(name for name in ALONG if "keepdims" in _SIGNATURES[name])


def sites(tree: ast.FunctionDef | ast.Lambda) -> Iterator[Site]:
    """Yield every statement and every expression that is read, outermost first."""
    yield from _of(tree, "body", tree.body, Role.VALUE, tree)


def _of(
    parent: ast.AST, field: str, held: object, role: Role, statement: ast.AST
) -> Iterator[Site]:
    for index, node in enumerate(held) if isinstance(held, list) else [(None, held)]:
        if isinstance(node, ast.AST):
            yield from _under(TreePosition(parent, field, index), node, role, statement)


def _under(position: TreePosition, node: ast.AST, role: Role, statement: ast.AST) -> Iterator[Site]:
    if isinstance(node, ast.While | ast.FunctionDef | ast.ClassDef | ast.Lambda):
        return  # a loop that may no longer end, and functions that are changed by themselves
    if isinstance(node, ast.stmt):
        statement = node
    written = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
    whole = isinstance(node, ast.stmt | ast.expr | ast.Slice) and not isinstance(node, PARTIAL)
    if whole and not written:
        yield Site(position, node, role, statement)
    into = isinstance(node, ast.Subscript) and written  # what is written into stays what it is
    for field, held in ast.iter_fields(node):
        if field not in ("ctx", "annotation", "decorator_list") and not (into and field == "value"):
            yield from _of(node, field, held, _role(node, field, role), statement)


def _role(node: ast.AST, field: str, role: Role) -> Role:
    """Return what the part ``field`` of a node is there for."""
    match node, field:
        case ast.Subscript(), "slice":
            return Role.INDEX
        case (ast.For() | ast.comprehension(), "iter"):
            return Role.RANGE
        case (ast.Compare(), _) | (ast.If(), "test"):
            return Role.MASK
        case ast.keyword(), _ if node.arg in AXES:
            return Role.AXIS
        case ast.BinOp(op=ast.Pow()), "right":
            return Role.EXPONENT
        case ast.Call(), "args":
            name = called(node)
            if name == "range":
                return Role.RANGE
            if name in ALONG and len(node.args) == 1 and _is_axis(node.args[0]):
                return Role.AXIS
            return Role.INDEX if name in INDEXING else role
    return role


def _is_axis(node: ast.expr) -> bool:
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(number, ast.Constant | ast.Tuple)
