"""All single changes of what a layer runs, the likeliest first."""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType

import numpy as np

from gradcheck.checking.linearization import CheckContext
from gradcheck.explain.source.call_sites import CallSite, watched
from gradcheck.explain.source.functions import Definition, Routine, live_functions, routine
from gradcheck.explain.source.mutations import KINDS, Before, Block, Mutation, Scope, expression
from gradcheck.explain.source.mutations.activation_derivatives import calls_of_slopes
from gradcheck.explain.source.mutations.sites import spots
from gradcheck.explain.source.purity import only_computes
from gradcheck.explain.source.validate import suppress_output

# A change of what the forward runs too is less likely the one, as its outputs have to stay.
IN_FORWARD = 0.3

# What hands a layer over is less likely wrong than the layer.
IN_GLUE = 0.3

# Nobody keeps a multiple of a value by mistake: it is used wrongly.
FACTORS = frozenset({"factor_two", "factor_batch_size", "constant_factor"})

# Of two changes that mend as much the one of less source is meant.
PER_CHARACTER = 1e-4

# Of a statement of more characters only the expression that changes is shown, and what it is part
# of if that has so few.
LONG = 72
SHORT = 12


@dataclass(frozen=True)
class Candidate:
    """A change of one function.

    Attributes
    ----------
    edit, routine
        The change, and the function.
    forward
        Whether the forward runs the function too.
    cost
        Description length.
    """

    edit: Mutation
    routine: Routine
    forward: bool
    cost: float

    @classmethod
    def of(cls, edit: Mutation, where: Routine, *, forward: bool) -> Candidate:
        """Return a change with its cost, to which the source that it changes adds a little."""
        source = PER_CHARACTER * len(ast.unparse(edit.site.node))
        aside = (IN_FORWARD if forward else 0.0) + (IN_GLUE if where.call.is_glue else 0.0)
        return cls(edit, where, forward, edit.cost + source + aside)

    def code(self) -> CodeType | None:
        """Return the changed code; None where it does not compile."""
        place = self.edit.site.place
        own = place.node
        place.put(self.edit.node)
        try:
            return self.routine.compiled()
        finally:
            place.put(own)

    @property
    def told(self) -> str:
        """What to do, where that is no change of one statement."""
        return self.edit.node.told if isinstance(self.edit.node, Block) else ""

    @property
    def line(self) -> int:
        """Where the changed statement stands."""
        first = self.routine.call.code.co_firstlineno
        return int(getattr(self.edit.site.statement, "lineno", first))

    def sources(self) -> tuple[str, str]:
        """Return the statement that is changed, or the part of a long one, without and with it."""
        place, shown = self.edit.site.place, self.edit.site.statement
        own = place.node
        if isinstance(self.edit.node, Block):
            return "", ""
        if isinstance(self.edit.node, Before):
            return "", ast.unparse(self.edit.node.body[0])
        if own is not shown and len(_source(shown)) > LONG:
            part = isinstance(place.parent, ast.expr | ast.keyword)
            whole = part and len(ast.unparse(own)) < SHORT
            shown = place.parent if whole else own
        before = _source(shown)
        place.put(self.edit.node)
        try:
            return before, _source(self.edit.node if shown is own else shown)
        finally:
            place.put(own)


def candidates(
    context: CheckContext, forward: list[CallSite], backward: list[CallSite]
) -> list[Candidate]:
    """Return the single changes of the functions that a layer was seen to call."""
    there = live_functions()
    in_forward = {call.code for call in forward}
    in_backward = {call.code for call in backward}
    called = [*backward, *(call for call in forward if call.code not in in_backward)]
    routines = [
        its
        for call in called
        if only_computes(call.code, call.namespace)
        and (its := routine(call, there, lambda r: _reaches(context, r))) is not None
    ]
    calls(context)  # leaves the layer's attributes as its functions knew them
    trees = {its.call.code: its.tree for its in routines}
    shared = _shared(forward, trees)
    batches = _batches(context, called)
    found: list[Candidate] = []
    for its in routines:
        call = its.call
        written, read = _names([its.tree], ast.Name)
        scope = Scope(
            {**shared.constants, **call.values},
            batches,
            call.namespace,
            call.code.co_varnames[: call.code.co_argcount],
            shared.unread | (written - read),
            shared.factors,
            calls_of_slopes([i.tree for i in routines], call.namespace),
        )
        known = call.code in in_forward
        found += [
            Candidate.of(edit, its, forward=known)
            for edit in _edits(its, scope)
            if edit.code not in FACTORS or not in_backward or call.code in in_backward
        ]
    return sorted(found, key=lambda candidate: candidate.cost)


def _batches(context: CheckContext, called: list[CallSite]) -> frozenset[int]:
    """Return what may be the number of samples: the target's, and what data have in common.

    That is the length of the axis, the first or the last, that two arguments of a call share, and
    of a list of samples.
    """
    sizes = {context.native.target.batch}
    for call in called:
        given = [call.values.get(n) for n in call.code.co_varnames[: call.code.co_argcount]]
        shapes = [value.shape for value in given if isinstance(value, np.ndarray) and value.ndim]
        sizes |= {len(value) for value in given if isinstance(value, list)}
        for axis in (0, -1):
            ends = [shape[axis] for shape in shapes]
            sizes |= {end for end in ends if ends.count(end) > 1}
    return frozenset(size for size in sizes if size > 2)


@dataclass(frozen=True)
class _Shared:
    """What all functions know: the forward's global numbers, attributes it keeps for nobody."""

    constants: dict[str, float]
    unread: frozenset[str]
    factors: tuple[str, ...]


def _shared(forward: list[CallSite], trees: dict[CodeType, Definition]) -> _Shared:
    constants = {
        name: call.values[name]
        for call in forward
        for name in call.code.co_names
        if name not in call.code.co_varnames and isinstance(call.values.get(name), int | float)
    }
    kept = [trees[call.code] for call in forward if call.code in trees]
    written, _ = _names(kept, ast.Attribute)
    _, read = _names(list(trees.values()), ast.Attribute)
    return _Shared(constants, written - read, _factors(kept))


def _factors(trees: Sequence[ast.AST]) -> tuple[str, ...]:
    """Return the expressions, no plain variables, that something is multiplied or divided by."""
    products = (
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)
    )
    sides = (side for node in products for side in (node.left, node.right))
    return tuple(
        dict.fromkeys(ast.unparse(s) for s in sides if isinstance(s, ast.Call | ast.BinOp))
    )


def _names(
    trees: Sequence[ast.AST], kind: type[ast.Name | ast.Attribute]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the variables, or attributes, that are written, and those that are read."""
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, kind)]
    written = (ast.unparse(node) for node in nodes if isinstance(node.ctx, ast.Store))
    read = (ast.unparse(node) for node in nodes if isinstance(node.ctx, ast.Load))
    return frozenset(written), frozenset(read)


def calls(context: CheckContext) -> tuple[list[CallSite], list[CallSite]]:
    """Return what the forward calls, and what the backward does."""
    runs = []
    with suppress_output():
        forward = watched(lambda: runs.append(context.native.run(context.native_base.tensors)))
        backward = watched(lambda: context.native.pull(runs[0], context.native_base.cotangents))
    return forward, backward


def _edits(where: Routine, scope: Scope) -> Iterator[Mutation]:
    seen = set()
    for site in spots(where.tree):
        place = site.place
        for kind in KINDS:
            with contextlib.suppress(SyntaxError):  # what cannot be written so is no change
                for edit in kind(site, scope):
                    node = ast.Module(edit.node, []) if isinstance(edit.node, Block) else edit.node
                    change = (id(place.parent), place.label, place.position, ast.dump(node))
                    if change not in seen:
                        seen.add(change)
                        yield edit


def _reaches(context: CheckContext, where: Routine) -> bool:
    """Whether the layer runs what a routine is changed to: a breakdown has to show."""
    tree, body = where.tree, where.tree.body
    if isinstance(tree, ast.Lambda):  # what it reads stays, lest it share fewer names
        tree.body = ast.Tuple([expression("[][0]"), tree.body], ast.Load())
    else:
        tree.body = [ast.Expr(expression("[][0]")), *tree.body]
    code = where.compiled()
    setattr(tree, "body", body)  # noqa: B010 (a lambda's is an expression, a function's a list)
    if code is None:
        return False
    try:
        with where.patched(code), suppress_output():
            context.native.pull(
                context.native.run(context.native_base.tensors), context.native_base.cotangents
            )
    except Exception:  # noqa: BLE001 (whatever becomes of a breakdown in the user's code)
        return True
    return False


def _source(statement: ast.AST) -> str:
    """Return a statement, or the head of one that holds others; nothing of an empty one."""
    if isinstance(statement, ast.Pass):
        return ""
    bare = copy.copy(statement)
    if isinstance(bare, ast.For | ast.If | ast.With | ast.Try):
        bare.body = [ast.Pass()]
    if isinstance(bare, ast.For | ast.If | ast.Try):
        bare.orelse = []
    holds_others = isinstance(bare, ast.For | ast.If | ast.With | ast.Try)
    lines = ast.unparse(ast.fix_missing_locations(bare)).splitlines()
    return lines[0] if holds_others else "\n".join(lines)
