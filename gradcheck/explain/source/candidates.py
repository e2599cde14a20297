"""All single changes of what a layer runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import CodeType

import numpy as np

from gradcheck.checking.context import CheckContext
from gradcheck.explain.catalogue import Trait
from gradcheck.explain.source.call_sites import CallSite, calls_of
from gradcheck.explain.source.function_source import (
    FunctionSource,
    Mutant,
    live_functions,
    sources_of,
)
from gradcheck.explain.source.limits import Limits
from gradcheck.explain.source.mutations import Mutation, Scope, Site, mutations
from gradcheck.explain.source.mutations.activation_derivatives import derivative_calls
from gradcheck.explain.source.mutations.syntax import expression

# A change of what the forward runs too is less likely the one, as its outputs have to stay.
IN_FORWARD = 0.3

# What hands a layer over is less likely wrong than the layer.
IN_GLUE = 0.3

# Of two changes that correct as much the one of less source is meant.
PER_CHARACTER = 1e-4


@dataclass(frozen=True)
class Changeable:
    """A function whose changed code the layer runs.

    Attributes
    ----------
    function, scope
        Its source, and what its variables held.
    in_forward
        Whether the forward runs it.
    keeps_multiples
        Whether it may be a mistake in it that it returns a multiple of a value.
    aside
        What its changes cost more than those of other functions.
    """

    function: FunctionSource
    scope: Scope
    in_forward: bool
    keeps_multiples: bool
    aside: float

    def mutations(self, wanted: Callable[[Site], bool]) -> Iterator[Mutation]:
        """Yield the changes of the sites that are wanted."""
        for mutation in mutations(self.function, self.scope, wanted):
            # nobody keeps a multiple of a value by mistake: it is used wrongly
            if self.keeps_multiples or Trait.FACTOR not in mutation.code.traits:
                penalty = PER_CHARACTER * mutation.size + self.aside
                yield replace(mutation, penalty=penalty, in_forward=self.in_forward)


def changeable(
    context: CheckContext,
    forward: list[CallSite],
    backward: list[CallSite],
    limits: Limits,
    *,
    installed: bool = False,
) -> list[Changeable]:
    """Return the functions that a layer was seen to call, and that run what they are changed to.

    Those of installed packages that it uses, or those of its own.
    """
    in_forward = {call.code for call in forward}
    if context.native.target.replay is not None:
        # what JAX runs on the way back first, to keep what that needs, computes the forward anew
        known = {_parameters(call.code) for call in forward}
        in_forward |= {call.code for call in backward if _parameters(call.code) in known}
    in_backward = {call.code for call in backward}
    called = [*backward, *(call for call in forward if call.code not in in_backward)]
    called = [call for call in called if call.is_installed == installed]
    functions = _run_when_changed(context, called, limits)
    calls(context)  # leaves the layer's attributes as its functions knew them
    trees = [function.tree for function in functions]
    kept = [function.tree for function in functions if function.call.code in in_forward]
    unread = _names(kept, ast.Attribute)[0] - _names(trees, ast.Attribute)[1]
    constants, factors, batches = _constants(forward), _factors(kept), _batches(context, called)
    found = []
    for function in functions:
        call = function.call
        written, read = _names([function.tree], ast.Name)
        scope = Scope(
            {**constants, **call.values},
            batches,
            call.namespace,
            _parameters(call.code),
            unread | (written - read),
            factors,
            derivative_calls(trees, call.namespace),
        )
        also_forward = call.code in in_forward
        aside = (IN_FORWARD if also_forward else 0.0) + (IN_GLUE if call.is_glue else 0.0)
        multiples = not in_backward or call.code in in_backward
        found.append(Changeable(function, scope, also_forward, multiples, aside))
    return found


def _parameters(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount]


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


def _constants(forward: list[CallSite]) -> dict[str, float]:
    """Return the global numbers that the forward reads."""
    return {
        name: call.values[name]
        for call in forward
        for name in call.code.co_names
        if name not in call.code.co_varnames and isinstance(call.values.get(name), int | float)
    }


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
    forward = calls_of(lambda: runs.append(context.native.run(context.native_base.tensors)))
    backward = calls_of(lambda: context.native.pull(runs[0], context.native_base.cotangents))
    return forward, backward


def _run_when_changed(
    context: CheckContext, called: list[CallSite], limits: Limits
) -> list[FunctionSource]:
    """Return the functions whose changed code the layer runs, with the first source for which."""
    live = live_functions(called)
    sources = [source for call in called for source in sources_of(call, live)]
    answers = limits.each(lambda source: _is_run(context, source), sources)
    found: dict[CodeType, FunctionSource] = {}
    for source, is_run in zip(sources, answers, strict=True):
        if is_run is True:
            found.setdefault(source.call.code, source)
    return list(found.values())


def _is_run(context: CheckContext, function: FunctionSource) -> bool:
    """Whether the layer runs what a function is changed to: a breakdown has to show."""
    tree, body = function.tree, function.tree.body
    if isinstance(tree, ast.Lambda):  # what it reads stays, lest it share fewer names
        tree.body = ast.Tuple([expression("[][0]"), tree.body], ast.Load())
    else:
        tree.body = [ast.Expr(expression("[][0]")), *tree.body]
    ast.fix_missing_locations(tree)
    try:
        code = function.compiled()
    finally:
        setattr(tree, "body", body)  # noqa: B010 (a lambda's is an expression, a function's a list)
    try:
        with Mutant(((function, code),)).running():
            context.native.pull(
                context.native.run(context.native_base.tensors), context.native_base.cotangents
            )
    except Exception:  # noqa: BLE001 (whatever becomes of a breakdown in the user's code)
        return True
    return False
