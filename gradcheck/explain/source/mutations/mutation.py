"""A mutation: one change of a function's source, and how it is written and run."""

from __future__ import annotations

import ast
import copy
import linecache
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.function_source import FunctionSource, Mutant
from gradcheck.explain.source.mutations.sites import Site
from gradcheck.explain.source.mutations.syntax import expression, text
from gradcheck.report.edit import Edit


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
    penalty
        What it costs more for where it is made.
    """

    site: Site
    node: ast.AST | Block
    code: Bug
    message: str
    cost: float
    function: FunctionSource
    in_forward: bool = False
    penalty: float = 0.0

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
    def total_cost(self) -> float:
        """By which mutations are ordered."""
        return self.cost + self.penalty

    @cached_property
    def tree(self) -> str:
        """What two mutations of a site that do the same have in common."""
        return ast.dump(ast.Module(self.node, []) if isinstance(self.node, Block) else self.node)

    @property
    def instruction(self) -> str:
        """What to do, where that is no change of one statement."""
        return self.node.instruction if isinstance(self.node, Block) else ""

    @property
    def line(self) -> int:
        """Where the change is made."""
        node, code = self._moved or self.site.node, self.function.call.code
        if isinstance(node, ast.BinOp):
            return _line_of_operator(node, code.co_filename)
        return int(getattr(node, "lineno", code.co_firstlineno))

    @property
    def size(self) -> int:
        """How many characters of the source it is about."""
        return len(text(self._moved) if self._moved is not None else self.site.text)

    @property
    def _moved(self) -> ast.stmt | None:
        return self.node.moved if isinstance(self.node, Block) else None

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


def _line_of_operator(operation: ast.BinOp, file: str) -> int:
    """Return where an operator stands: after what it follows, or at the head of another line."""
    before = operation.left
    line = linecache.getline(file, before.end_lineno or 0).encode()
    rest = line[before.end_col_offset :].lstrip(b" )")
    stands_there = rest[:1] not in (b"", b"\n", b"\r", b"\\", b"#")
    return (before.end_lineno or 0) if stands_there else operation.right.lineno


@contextmanager
def made(mutations: Sequence[Mutation]) -> Iterator[None]:
    """Change the trees of functions, for a while."""
    positions = [mutation.site.position for mutation in mutations]
    before = [position.node for position in positions]
    try:
        for mutation, position in zip(mutations, positions, strict=True):
            position.put(_located(mutation.node, mutation.site.node))
        yield
    finally:
        for position, own in zip(reversed(positions), reversed(before), strict=True):
            position.put(own)


def _located(node: ast.AST | Block, like: ast.AST) -> ast.AST | Block:
    """Say of new nodes where they stand, as the compiler asks: where what they replace stood."""
    for new in node if isinstance(node, Block) else [node]:
        if not hasattr(new, "lineno") and "lineno" in new._attributes:
            ast.copy_location(new, like)
        ast.fix_missing_locations(new)
    return node


def mutant_of(*mutations: Mutation) -> Mutant:
    """Return the program with mutations; what does not compile raises as `compile` does."""
    with made(mutations):
        functions = dict.fromkeys(mutation.function for mutation in mutations)
        return Mutant(tuple((function, function.compiled()) for function in functions))


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


def _parsed(source: str, like: ast.AST) -> ast.AST:
    if isinstance(like, ast.stmt):
        return ast.parse(source).body[0]
    if isinstance(like, ast.Slice):
        return expression(f"x[{source}]").slice  # type: ignore[no-any-return]
    return expression(source)  # type: ignore[no-any-return]
