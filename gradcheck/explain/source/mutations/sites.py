"""The sites of a function where a single change can be made, and what each is there for."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.syntax import called, text

# Calls whose arguments are positions or sizes.
INDEXING = ("arange", "reshape", "transpose", "swapaxes", "moveaxis", "roll", "zeros", "eye")
# Expressions that stand only where they stand.
PARTIAL = (ast.Starred, ast.JoinedStr, ast.FormattedValue)
# What axes are called, and whether they are kept: NumPy and JAX, PyTorch.
AXIS_WORDS = ("axis", "keepdims"), ("dim", "keepdim")
AXES = ("axes", "dims", *(word for words in AXIS_WORDS for word in words))


def _parameters(name: str) -> tuple[str, ...]:
    """Return the parameters of a function of NumPy, none where there is none that says them."""
    function = getattr(np, name, None)
    try:
        return tuple(inspect.signature(function).parameters) if callable(function) else ()
    except ValueError:
        return ()


_SIGNATURES = {name: _parameters(name) for name in dir(np.ndarray)}

# What takes an axis after the array, and what of that leaves fewer entries.
ALONG = frozenset(name for name, given in _SIGNATURES.items() if given[1:2] == ("axis",))
REDUCTIONS = frozenset(name for name in ALONG if "keepdims" in _SIGNATURES[name])


class Role(Enum):
    """What an expression is there for, and the bug that it is to read another value than meant."""

    VALUE = "value", Bug.DERIVATIVE_AT_WRONG_POINT
    INDEX = "index", Bug.WRONG_INDEX
    RANGE = "range", Bug.PATH_MISSING
    MASK = "mask", Bug.WRONG_MASK
    AXIS = "axis", Bug.WRONG_AXIS
    EXPONENT = "exponent", Bug.DERIVATIVE_AT_WRONG_POINT

    @property
    def code(self) -> Bug:
        """The bug of a wrong value in this role."""
        bug: Bug = self.value[1]
        return bug


@dataclass(frozen=True)
class TreePosition:
    """Where a node is in the tree: it is ``parent.field``, or the element of that at ``index``."""

    parent: ast.AST
    field: str
    index: int | None = None

    @property
    def node(self) -> Any:
        """The node there, or the statements of a block."""
        held = getattr(self.parent, self.field)
        return held if self.index is None else held[self.index]

    def put(self, node: Any) -> None:
        """Replace what is there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class Site:
    """An expression or statement that can be changed, and the statement that it is part of."""

    position: TreePosition
    node: Any
    role: Role
    statement: ast.AST

    @cached_property
    def text(self) -> str:
        """Its source."""
        return text(self.node)

    @property
    def parent(self) -> ast.AST:
        """The node that it is part of."""
        return self.position.parent

    @property
    def block(self) -> list[ast.stmt]:
        """The statements among which a statement is."""
        held: list[ast.stmt] = getattr(self.parent, self.position.field)
        return held

    @property
    def is_value(self) -> bool:
        """Whether it is an expression that is read for its value."""
        return isinstance(self.node, ast.expr) and self.role is Role.VALUE

    @property
    def is_whole(self) -> bool:
        """Whether it is all that a statement assigns, adds or returns, or one element of that."""
        if isinstance(self.parent, ast.Tuple | ast.List | ast.Dict):
            return self.position.field in ("elts", "values")
        return self.position.field in ("value", "body") and isinstance(
            self.parent, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Lambda
        )

    @property
    def is_argument(self) -> bool:
        """Whether it is given to a call by its position."""
        return isinstance(self.parent, ast.Call) and self.position.field == "args"

    @property
    def assigned(self) -> ast.expr | None:
        """What all of it is assigned to, None where it is not."""
        if isinstance(self.parent, ast.Assign) and len(self.parent.targets) == 1:
            return self.parent.targets[0] if self.position.field == "value" else None
        return None

    def takes(self, *joined_by: type[ast.operator]) -> bool:
        """Whether to join something to it: as an operand of a like operator, that is done there."""
        fixed = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp)
        if not self.is_value or isinstance(self.node, fixed):
            return False
        if isinstance(self.parent, ast.BinOp):
            return not isinstance(self.parent.op, joined_by)
        return self.is_whole or isinstance(self.parent, ast.UnaryOp) or self._is_chosen_or_appended

    @property
    def _is_chosen_or_appended(self) -> bool:
        """Whether it is a branch of ``np.where`` or ``if``, or what a list is given more of."""
        if isinstance(self.parent, ast.IfExp):
            return self.position.field in ("body", "orelse")
        if not isinstance(self.parent, ast.Call) or not self.is_argument:
            return False
        called = text(self.parent.func)
        return called.endswith((".append", ".insert")) or (
            called.endswith("where") and self.position.index != 0
        )


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
