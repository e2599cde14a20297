"""Slips of a single place of a syntax tree, as a mutation tester makes them."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

TRUE = ast.Constant(True)

Slip = tuple[str, Callable[[], None], Callable[[], None]]


def slips(tree: ast.Module) -> Iterator[Slip]:
    """Yield every slip as its kind, the change and its undoing."""
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        if function.name == "__init__":
            continue
        locals_ = sorted({n.id for n in ast.walk(function)
                          if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)})  # fmt: skip
        for node in ast.walk(function):
            for child, put in _places(node):
                for kind, new in _instead(child, node, locals_):
                    yield kind, lambda put=put, new=new: put(new), lambda put=put, c=child: put(c)


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, Callable[[Any], None]]]:
    for label, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield value, lambda new, label=label: setattr(node, label, new)
        elif isinstance(value, list) and label not in ("decorator_list", "targets"):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield item, lambda new, i=i, v=value: v.__setitem__(i, new)


def _instead(node: ast.AST, parent: ast.AST, locals_: list[str]) -> Iterator[tuple[str, ast.AST]]:
    """Yield what a slip may have put in a node's place."""
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Add | ast.Sub):
            other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield "sign", ast.BinOp(node.left, other, node.right)
            yield "term", node.left
            yield "term", node.right
        if isinstance(node.op, ast.Mult | ast.Div):
            other = ast.Div() if isinstance(node.op, ast.Mult) else ast.Mult()
            yield "operator", ast.BinOp(node.left, other, node.right)
            yield "factor", node.left
            if isinstance(node.op, ast.Mult):
                yield "factor", node.right
        if isinstance(node.op, ast.MatMult):
            yield "transpose", ast.BinOp(node.left, node.op, ast.Attribute(node.right, "T"))
        if isinstance(node.op, ast.Pow):
            yield "factor", node.left
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        left, target = node.value.left, node.targets[0]
        if isinstance(left, ast.Name) and isinstance(target, ast.Name):  # d = g * m, in place
            done = ast.AugAssign(ast.Name(left.id, ast.Store()), node.value.op, node.value.right)
            named = ast.Assign([ast.Name(target.id, ast.Store())], left)
            yield "in place", done if left.id == target.id else ast.If(TRUE, [done, named], [])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", node.operand
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", node.value
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        swap = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE}
        if type(node.ops[0]) in swap:
            yield (
                "comparison",
                ast.Compare(node.left, [swap[type(node.ops[0])]()], node.comparators),
            )
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        is_axis = isinstance(parent, ast.keyword) and parent.arg == "axis"
        values = [1 - node.value, None] if is_axis else [node.value + 1, node.value * 2]
        for value in values:
            if value != node.value:
                yield "axis" if is_axis else "number", ast.Constant(value)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for other in locals_:
            if other != node.id and node.id in locals_:
                yield "name", ast.Name(other, ast.Load())
    elif isinstance(node, ast.AugAssign):
        yield "accumulate", ast.Assign([_as_target(node.target)], node.value)
        flip = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
        if type(node.op) in flip:
            kind = "sign" if isinstance(node.op, ast.Add | ast.Sub) else "operator"
            yield kind, ast.AugAssign(node.target, flip[type(node.op)](), node.value)
        yield "statement", ast.Pass()


def _as_target(node: ast.expr) -> ast.expr:
    return copy.deepcopy(node)
