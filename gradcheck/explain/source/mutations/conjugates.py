"""Conjugates that are missing, or too many, in code of complex numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.mutation import Change
from gradcheck.explain.source.mutations.scope import Scope
from gradcheck.explain.source.mutations.sites import Site
from gradcheck.explain.source.mutations.syntax import called

CONJUGATES = ("conj", "conjugate")


def missing(site: Site, scope: Scope) -> Iterator[Change]:
    """A complex value whose conjugate is meant."""
    if not (scope.has_complex and site.is_value) or isinstance(site.node, ast.Constant):
        return
    if called(site.node) in CONJUGATES or isinstance(site.parent, ast.Attribute):
        return  # of `z.T` all is conjugated, and not `z` before
    if isinstance(site.node, ast.Tuple | ast.List | ast.Dict) or not scope.is_complex(site.node):
        return
    message = f"the conjugate of `{site.text}` is meant"
    conjugate = ast.Call(ast.Attribute(site.node, "conj", ast.Load()), [], [])
    yield conjugate, Bug.CONJUGATE_MISSING, message, 0.6


def superfluous(site: Site, scope: Scope) -> Iterator[Change]:
    """A conjugate where the value itself is meant."""
    node = site.node
    if not isinstance(node, ast.Call) or called(node) not in CONJUGATES:
        return
    value = node.args[0] if node.args else getattr(node.func, "value", None)
    if value is not None:
        message = f"`{ast.unparse(value)}` itself is meant, not its conjugate"
        yield value, Bug.CONJUGATE_MISSING, message, 0.6
