"""A mutation: one change of a function's source, and the site where it is made."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.functions import FunctionSource, Mutant
from gradcheck.report.data import Edit


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


class Before(ast.If):
    """A statement that is put before another."""

    @classmethod
    def of(cls, added: str, statement: ast.stmt) -> Before:
        """Return both, as one statement."""
        return cls(ast.Constant(True), [*ast.parse(added).body, statement], [])


class Block(list[ast.stmt]):
    """Statements of a block, one of which was moved, or several of which were changed.

    Attributes
    ----------
    instruction
        What to do, as a sentence.
    moved
        The statement that was moved, None of several.
    """

    def __init__(
        self, statements: Iterable[ast.stmt], instruction: str, moved: ast.stmt | None = None
    ) -> None:
        super().__init__(statements)
        self.instruction = instruction
        self.moved = moved


# What an operator yields: what takes the place of a site, as source or as a tree; the bug that this
# corrects, by its name and in words; and the description length: likelier mistakes cost less.
Change = tuple[str | ast.AST | Block, Bug, str, float]


# Of a statement of more characters only the expression that changes is shown, and what it is part
# of if that has so few.
LONG = 72
SHORT = 12


@dataclass(frozen=True)
class Mutation:
    """The hypothesis that one change of a function corrects the gradients: it is tried by running.

    Attributes
    ----------
    site, node
        What is replaced, and by what.
    code, message
        The bug that this corrects, by its name and in words.
    cost
        Description length: the likelier mistake is tried, and believed, first.
    function
        The function that is changed.
    in_forward
        Whether the forward runs it too.
    """

    site: Site
    node: ast.AST | Block
    code: Bug
    message: str
    cost: float
    function: FunctionSource
    in_forward: bool = False

    @classmethod
    def of(cls, site: Site, change: Change, function: FunctionSource) -> Mutation:
        """Return a change of a site; a block takes the place of all statements around.

        Raises
        ------
        SyntaxError
            If the change cannot be written so.
        """
        new, code, message, cost = change
        if isinstance(new, str):
            new = _parsed(new, site.node)
        if isinstance(new, Block):
            site = replace(site, position=replace(site.position, index=None))
        return cls(site, new, code, message, cost, function)

    @property
    def key(self) -> tuple[Any, ...]:
        """What two mutations that do the same have in common."""
        node = ast.Module(self.node, []) if isinstance(self.node, Block) else self.node
        at = self.site.position
        return id(at.parent), at.field, at.index, ast.dump(node)

    @property
    def instruction(self) -> str:
        """What to do, where that is no change of one statement."""
        return self.node.instruction if isinstance(self.node, Block) else ""

    @property
    def line(self) -> int:
        """Where the changed statement stands."""
        statement = getattr(self.node, "moved", None) or self.site.statement
        return int(getattr(statement, "lineno", self.function.call.code.co_firstlineno))

    @property
    def edit(self) -> Edit:
        """The statement that is changed, or the part of a long one, without and with it."""
        before, after = self._sources()
        return Edit(Path(self.function.call.code.co_filename).name, self.line, before, after)

    def _sources(self) -> tuple[str, str]:
        if isinstance(self.node, Block):
            return "", ""
        if isinstance(self.node, Before):
            return "", text(self.node.body[0])
        own, shown = self.site.node, self.site.statement
        if own is not shown and len(_head(shown)) > LONG:
            part = isinstance(self.site.parent, ast.expr | ast.keyword)
            shown = self.site.parent if part and len(text(own)) < SHORT else own
        before = _head(shown)
        with made([self]):
            return before, _head(self.node if shown is own else shown)


@contextmanager
def made(mutations: Sequence[Mutation]) -> Iterator[None]:
    """Change the trees of functions, for a while."""
    positions = [mutation.site.position for mutation in mutations]
    before = [position.node for position in positions]
    try:
        for mutation, position in zip(mutations, positions, strict=True):
            position.put(mutation.node)
        yield
    finally:
        for position, own in zip(reversed(positions), reversed(before), strict=True):
            position.put(own)


def mutant_of(*mutations: Mutation) -> Mutant | None:
    """Return the program with mutations; None where it does not compile."""
    with made(mutations):
        functions = dict.fromkeys(mutation.function for mutation in mutations)
        codes = [(function, function.compiled()) for function in functions]
    compiled = tuple((function, code) for function, code in codes if code is not None)
    return Mutant(compiled) if len(compiled) == len(codes) else None


def _head(statement: ast.AST) -> str:
    """Return a statement, or the head of one that holds others; nothing of an empty one."""
    if isinstance(statement, ast.Pass):
        return ""
    if not isinstance(statement, ast.For | ast.If | ast.With | ast.Try):
        return text(ast.fix_missing_locations(statement))
    bare = copy.copy(statement)
    bare.body = [ast.Pass()]
    if not isinstance(bare, ast.With):
        bare.orelse = []
    return text(ast.fix_missing_locations(bare)).splitlines()[0]


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


def _parsed(source: str, like: ast.AST) -> ast.AST:
    if isinstance(like, ast.stmt):
        return ast.parse(source).body[0]
    if isinstance(like, ast.Slice):
        return expression(f"x[{source}]").slice  # type: ignore[no-any-return]
    return expression(source)  # type: ignore[no-any-return]
