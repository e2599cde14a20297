"""A single change of a function's source, the places where one can be made, and their registry."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

# How much likelier a variable is meant that is computed and never read.
FORGOTTEN = 0.25


class Role(StrEnum):
    """What an expression is there for: the same slip has another name in each."""

    VALUE = "value"
    INDEX = "index"
    RANGE = "range"
    MASK = "mask"
    AXIS = "axis"
    EXPONENT = "exponent"


@dataclass(frozen=True)
class TreePosition:
    """Where a node hangs in the tree.

    Attributes
    ----------
    parent, label, position
        The node is ``parent.label``, or the element of it at ``position``.
    """

    parent: ast.AST
    label: str
    position: int | None = None

    @property
    def node(self) -> Any:
        """What hangs there: a node, or the statements of a block."""
        held = getattr(self.parent, self.label)
        return held if self.position is None else held[self.position]

    def put(self, node: Any) -> None:
        """Hang something else there."""
        if self.position is None:
            setattr(self.parent, self.label, node)
        else:
            getattr(self.parent, self.label)[self.position] = node


@dataclass(frozen=True)
class Site:
    """An expression or statement, its place, and the statement that it is part of."""

    place: TreePosition
    node: Any
    role: Role
    statement: ast.AST

    @property
    def is_whole(self) -> bool:
        """Whether it is all that a statement assigns, adds or returns, or one element of that."""
        parent = self.place.parent
        if isinstance(parent, ast.Tuple | ast.List | ast.Dict):
            return self.place.label in ("elts", "values")
        return self.place.label in ("value", "body") and isinstance(
            parent, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Lambda
        )

    @property
    def assigned(self) -> ast.expr | None:
        """What all of it is assigned to, None where it is not."""
        parent = self.place.parent
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            return parent.targets[0] if self.place.label == "value" else None
        return None


@dataclass(frozen=True)
class Mutation:
    """One change.

    Attributes
    ----------
    site
        What is replaced.
    node
        By what.
    code, message
        The bug that this change mends, by its name and in words.
    cost
        Description length: the likelier slip is tried, and believed, first.
    """

    site: Site
    node: ast.AST | Block
    code: str
    message: str
    cost: float


class Before(ast.If):
    """A statement that is put before another."""

    @classmethod
    def of(cls, added: ast.stmt, statement: ast.stmt) -> Before:
        """Return both, as one statement."""
        return cls(ast.Constant(True), [added, statement], [])


class Block(list[ast.stmt]):
    """Statements of a block, one of which was moved, or several of which were changed.

    Attributes
    ----------
    told
        What to do, as a sentence.
    """

    def __init__(self, statements: Iterable[ast.stmt], told: str) -> None:
        super().__init__(statements)
        self.told = told


@dataclass(frozen=True)
class Scope:
    """The values a function worked with, by the expression that names them.

    Attributes
    ----------
    values
        Arrays and numbers.
    batches
        Numbers that are likely the number of samples.
    namespace
        All names that the function knew.
    arguments
        Names of its arguments.
    unread
        Variables that are computed and never read: what is forgotten is likely one of them.
    factors
        Expressions that the forward multiplies or divides by.
    slopes
        Calls of the code's functions that return a derivative, with ``{}`` for the argument.
    lists
        Names among ``values`` of lists of arrays.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    batches: frozenset[int] = frozenset()
    namespace: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()
    factors: tuple[str, ...] = ()
    slopes: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    _shapes: dict[str, tuple[int, ...] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {name: _as_numpy(value) for name, value in self.values.items()}
        kept = {name: value for name, value in known.items() if _is_number(value)}
        lists = tuple(name for name, value in known.items() if _is_list(value))
        object.__setattr__(self, "values", kept)
        object.__setattr__(self, "lists", lists)

    @cached_property
    def different(self) -> dict[str, Any]:
        """Values with the shortest name for each: those that are equal do the same."""
        found: dict[str, Any] = {}
        for name in sorted(self.values, key=lambda n: ("." in n, len(n))):
            value = self.values[name]
            if not any(_equal(value, other) for other in found.values()):
                found[name] = value
        return found

    def cost(self, name: str, usual: float) -> float:
        """Return what it costs to put in a variable: less for one that nothing reads."""
        return usual - FORGOTTEN if name in self.unread else usual

    def value(self, node: ast.AST) -> Any:
        """Return the value of a name, an attribute or a number; None of anything else."""
        if isinstance(node, ast.Constant):
            return node.value if _is_number(node.value) else None
        return self.values.get(ast.unparse(node))

    def shape(self, node: ast.AST) -> tuple[int, ...] | None:
        """Return the shape an expression had when the function returned; None where unknown."""
        source = text(node)
        if source not in self._shapes:
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                    value = eval(source, {}, dict(self.namespace))  # the user's own expression
                self._shapes[source] = np.shape(value)
            except Exception:  # noqa: BLE001 (names may be gone by then)
                self._shapes[source] = None
        return self._shapes[source]

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what has axes."""
        return {n: v for n, v in self.different.items() if isinstance(v, np.ndarray) and v.ndim}

    def integers(self) -> list[str]:
        """Return the names of whole numbers, which may be indices."""
        return [n for n, v in self.values.items() if isinstance(v, int | np.integer)]


def _as_numpy(value: Any) -> Any:
    """Return the numbers of a framework's tensor; anything else as it is."""
    if not hasattr(value, "detach"):
        return value
    try:
        return np.asarray(value.detach())
    except (TypeError, ValueError, RuntimeError):  # on another device, or of a type NumPy lacks
        return value


def _is_list(value: Any) -> bool:
    return type(value) is list and bool(value) and all(isinstance(v, np.ndarray) for v in value)


def _equal(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True)


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "bif"
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


Kind = Callable[[Site, Scope], Iterator[Mutation]]

KINDS: list[Kind] = []


def kind(function: Kind) -> Kind:
    """Register a kind of edit: it yields the changes of one sort that a place allows."""
    KINDS.append(function)
    return function


def expression(text: str) -> Any:
    """Return the tree of an expression."""
    return ast.parse(text, mode="eval").body


def text(node: ast.AST) -> str:
    """Return a tree as source."""
    return ast.unparse(node)


def takes(site: Site, *joined_by: type[ast.operator]) -> bool:
    """Whether to put something to an expression: if joined to a like one, that is done there."""
    if not isinstance(site.node, ast.expr) or site.role is not Role.VALUE:
        return False
    if isinstance(site.node, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.UnaryOp):
        return False
    parent = site.place.parent
    if isinstance(parent, ast.BinOp):
        return not isinstance(parent.op, joined_by)
    return (
        site.is_whole or isinstance(parent, ast.UnaryOp) or _is_branch(site) or _is_appended(site)
    )


def _is_appended(site: Site) -> bool:
    """Whether an expression is what a list is given more of."""
    parent = site.place.parent
    if not isinstance(parent, ast.Call) or site.place.label != "args":
        return False
    return isinstance(parent.func, ast.Attribute) and parent.func.attr in ("append", "insert")


def _is_branch(site: Site) -> bool:
    """Whether an expression is one of the two that ``np.where`` or ``if`` chooses from."""
    parent = site.place.parent
    if isinstance(parent, ast.IfExp):
        return site.place.label in ("body", "orelse")
    of_where = isinstance(parent, ast.Call) and text(parent.func).endswith("where")
    return of_where and site.place.label == "args" and site.place.position != 0
