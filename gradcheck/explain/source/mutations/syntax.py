"""Source and syntax trees."""

from __future__ import annotations

import ast
from typing import Any


def expression(source: str) -> Any:
    """Return the tree of an expression."""
    return ast.parse(source, mode="eval").body


def text(node: ast.AST) -> str:
    """Return a tree as source."""
    return ast.unparse(node)


def called(node: ast.AST) -> str:
    """Return the last name of the function that a call calls; nothing of anything else."""
    func = node.func if isinstance(node, ast.Call) else None
    return getattr(func, "attr", getattr(func, "id", ""))


def is_named(node: ast.AST) -> bool:
    """Whether a node is a variable, an attribute, or an item of a dict."""
    return isinstance(node, ast.Name | ast.Attribute) or (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    )
