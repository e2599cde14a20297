"""Statements that stand at the wrong place: too early, outside of a loop, or within it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradcheck.explain.source.mutations.mutation import (
    Block,
    Mutation,
    Scope,
    Site,
    TreePosition,
    kind,
    text,
)


@kind
def early(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A variable that is updated before the last use of what it was."""
    node, place = site.node, site.place
    if not isinstance(node, ast.AugAssign) or place.position is None:
        return
    block: list[ast.stmt] = getattr(place.parent, place.label)
    target = text(node.target)
    readers = [
        later
        for later, other in enumerate(block)
        if later > place.position and not isinstance(other, ast.Return) and _reads(other, target)
    ]
    if readers:
        order = [*block[: place.position], *block[place.position + 1 : readers[-1] + 1]]
        order += [node, *block[readers[-1] + 1 :]]
        scaled = any(_scales(block[later], target) for later in readers)
        yield Mutation(
            Site(TreePosition(place.parent, place.label), node, site.role, site.statement),
            Block(order, f"move `{text(node)}` below line {block[readers[-1]].lineno}"),
            "additive_term" if scaled else "derivative_at_wrong_point",
            f"`{text(node)}` comes before `{target}` is scaled"
            if scaled
            else f"`{target}` is updated before its old value is used for the last time",
            0.6,
        )


def _scales(statement: ast.stmt, name: str) -> bool:
    if not isinstance(statement, ast.AugAssign) or text(statement.target) != name:
        return False
    return isinstance(statement.op, ast.Mult | ast.Div)


def _reads(statement: ast.stmt, name: str) -> bool:
    return any(isinstance(n, ast.expr) and text(n) == name for n in ast.walk(statement))


@kind
def dedented(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A statement behind a loop or a condition that belongs into it: its indentation is lost."""
    node, place = site.node, site.place
    if not isinstance(node, ast.Assign | ast.AugAssign) or not place.position:
        return
    block: list[ast.stmt] = getattr(place.parent, place.label)
    before = block[place.position - 1]
    for depth, inner in enumerate(_endings(before), start=1):
        deeper = _appended(before, depth, node)
        order = [*block[: place.position - 1], deeper, *block[place.position + 1 :]]
        code = "overwritten_not_accumulated" if isinstance(inner, ast.For) else "path_missing"
        yield _moved(site, order, f"into the block of line {inner.lineno}", code)


@kind
def indented(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A statement at the end of a loop or a condition that belongs behind it."""
    block, place = site.node, site.place
    if not isinstance(block, ast.For | ast.If) or place.position is None or len(block.body) < 2:
        return
    last = block.body[-1]
    if isinstance(last, ast.Assign | ast.AugAssign):
        around: list[ast.stmt] = getattr(place.parent, place.label)
        shorter = _with_body(block, block.body[:-1])
        order = [*around[: place.position], shorter, last, *around[place.position + 1 :]]
        inside = Site(site.place, last, site.role, last)
        yield _moved(inside, order, f"behind the block of line {block.lineno}", "additive_term")


def _moved(site: Site, order: list[ast.stmt], where: str, code: str) -> Mutation:
    whole = Site(
        TreePosition(site.place.parent, site.place.label), site.node, site.role, site.statement
    )
    block = Block(order, f"move `{text(site.node)}` {where}")
    return Mutation(whole, block, code, f"`{text(site.node)}` belongs {where}", 0.7)


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
