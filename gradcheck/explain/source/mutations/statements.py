"""Statements that are too many, too early, or in the wrong block; parts that changed places."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.mutation import Block, Change, Role, Site, text
from gradcheck.explain.source.mutations.scope import Scope


def early(site: Site, scope: Scope) -> Iterator[Change]:
    """A variable that is updated before the last use of what it was."""
    node, index = site.node, site.position.index
    if not isinstance(node, ast.AugAssign) or index is None:
        return
    target, block = text(node.target), site.block
    readers = [
        later
        for later, other in enumerate(block)
        if later > index and not isinstance(other, ast.Return) and _reads(other, target)
    ]
    if readers:
        last = readers[-1] + 1
        order = [*block[:index], *block[index + 1 : last], node, *block[last:]]
        moved = Block(order, f"move `{site.text}` below line {block[readers[-1]].lineno}")
        if any(_scales(block[later], target) for later in readers):
            message = f"`{site.text}` comes before `{target}` is scaled"
            yield moved, Bug.ADDITIVE_TERM, message, 0.6
        else:
            message = f"`{target}` is updated before its old value is used for the last time"
            yield moved, Bug.DERIVATIVE_AT_WRONG_POINT, message, 0.6


def _scales(statement: ast.stmt, name: str) -> bool:
    if not isinstance(statement, ast.AugAssign) or text(statement.target) != name:
        return False
    return isinstance(statement.op, ast.Mult | ast.Div)


def _reads(statement: ast.stmt, name: str) -> bool:
    return any(isinstance(n, ast.expr) and text(n) == name for n in ast.walk(statement))


def dedented(site: Site, scope: Scope) -> Iterator[Change]:
    """A statement after a loop or a condition that belongs into it: its indentation is lost."""
    node, index = site.node, site.position.index
    if not isinstance(node, ast.Assign | ast.AugAssign) or not index:
        return
    before, *after = site.block[index - 1 :]
    for depth, inner in enumerate(_endings(before), start=1):
        order = [*site.block[: index - 1], _appended(before, depth, node), *after[1:]]
        code = Bug.OVERWRITTEN_NOT_ACCUMULATED if isinstance(inner, ast.For) else Bug.PATH_MISSING
        yield _moved(node, order, f"into the block of line {inner.lineno}", code)


def indented(site: Site, scope: Scope) -> Iterator[Change]:
    """A statement at the end of a loop or a condition that belongs after it."""
    node, index = site.node, site.position.index
    if not isinstance(node, ast.For | ast.If) or index is None or len(node.body) < 2:
        return
    last = node.body[-1]
    if isinstance(last, ast.Assign | ast.AugAssign):
        shorter = _with_body(node, node.body[:-1])
        order = [*site.block[:index], shorter, last, *site.block[index + 1 :]]
        yield _moved(last, order, f"behind the block of line {node.lineno}", Bug.ADDITIVE_TERM)


def _moved(statement: ast.stmt, order: list[ast.stmt], where: str, code: Bug) -> Change:
    moved = Block(order, f"move `{text(statement)}` {where}", statement)
    return moved, code, f"`{text(statement)}` belongs {where}", 0.7


def _endings(statement: ast.stmt) -> Iterator[ast.For | ast.If]:
    """Yield a loop or a condition, and those that its body ends with."""
    while isinstance(statement, ast.For | ast.If):
        yield statement
        statement = statement.body[-1]


def _appended(statement: ast.stmt, depth: int, last: ast.stmt) -> ast.stmt:
    """Return a loop or a condition with a statement added, so many blocks deep."""
    if depth == 0 or not isinstance(statement, ast.For | ast.If):
        return statement
    *others, end = statement.body
    body = [*others, _appended(end, depth - 1, last)] if depth > 1 else [*others, end, last]
    return _with_body(statement, body)


def _with_body(node: ast.For | ast.If, body: list[ast.stmt]) -> ast.stmt:
    fields = {name: getattr(node, name) for name in node._fields}
    return ast.copy_location(type(node)(**{**fields, "body": body}), node)


def all_accumulated(site: Site, scope: Scope) -> Iterator[Change]:
    """`=` for `+=` in several lines at once, as in each closure of an autodiff of one's own."""
    if not isinstance(site.parent, ast.FunctionDef) or site.position.index != 0:
        return
    added = {id(s): a for s in site.parent.body if (a := _added_to_a_gradient(s)) is not None}
    if len(added) > 1:
        names = " and ".join(f"`{text(statement.target)}`" for statement in added.values())
        changed = [added.get(id(s), s) for s in site.parent.body]
        block = Block(changed, f"write += for = where {names} get a value")
        message = f"{names} are assigned, where they have to accumulate"
        yield block, Bug.OVERWRITTEN_NOT_ACCUMULATED, message, 0.55


def _added_to_a_gradient(statement: ast.stmt) -> ast.AugAssign | None:
    """Return what adds to a gradient in the place of what assigns it."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    if not isinstance(target, ast.Attribute) or "grad" not in target.attr:
        return None
    return ast.copy_location(ast.AugAssign(target, ast.Add(), statement.value), statement)


def superfluous(site: Site, scope: Scope) -> Iterator[Change]:
    """A statement or a condition too many."""
    node = site.node
    if not isinstance(node, ast.stmt) or isinstance(node, ast.Return):
        return
    code = Bug.DERIVATIVE_AT_WRONG_POINT
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        code = Bug.ADDITIVE_TERM
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        index = ast.walk(node.targets[0].slice)
        fixed = not any(isinstance(part, ast.Name | ast.Slice) for part in index)
        code = Bug.FEW_ENTRIES if fixed else Bug.WRONG_MASK
    yield "pass", code, f"`{site.text.splitlines()[0]}` should not be there", 0.75
    for value in (True, False) if isinstance(node, ast.If) else ():
        changed = ast.If(ast.Constant(value), node.body, node.orelse)
        yield changed, Bug.SLOPE_WRONG, f"the condition `{text(node.test)}` is wrong", 0.75


# Where parts are listed whose order matters.
PARTS = {ast.Tuple: "elts", ast.List: "elts", ast.Call: "args", ast.Dict: "values"}


def swapped(site: Site, scope: Scope) -> Iterator[Change]:
    """Two parts of a list, of arguments, or of a dict that have each other's place."""
    node, field = site.node, PARTS.get(type(site.node))
    if field is None or site.role is Role.RANGE:
        return
    parts = getattr(node, field)
    for i, j in combinations(range(len(parts)), 2):
        if isinstance(parts[i], ast.Compare) != isinstance(parts[j], ast.Compare):
            continue  # a condition is not taken for a value
        order = list(parts)
        order[i], order[j] = order[j], order[i]
        fields = {name: getattr(node, name) for name in node._fields}
        code = Bug.WRONG_INDEX if site.role is Role.INDEX else Bug.SWAPPED
        cost = 0.55 if code == Bug.WRONG_INDEX and field != "args" else 0.65
        message = f"`{text(parts[i])}` and `{text(parts[j])}` have each other's place"
        code = Bug.TRANSPOSED if field == "args" else code
        yield type(node)(**{**fields, field: order}), code, message, cost
