"""Rewrite rules: source of one form that is written in another form."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.mutation import Change
from gradcheck.explain.source.mutations.scope import Scope
from gradcheck.explain.source.mutations.sites import Site
from gradcheck.explain.source.mutations.syntax import text

# What stands for any expression in a pattern.
VARIABLE = re.compile(r"\b[ABC]\b")

Parts = dict[str, ast.AST]


def always(site: Site, scope: Scope) -> bool:
    """Every site."""
    return True


@dataclass(frozen=True)
class Rewrite:
    """A rule: what has one form is written in another.

    Attributes
    ----------
    forms, others
        Sources, separated by ``;``, in which ``A``, ``B`` and ``C`` stand for any expressions, each
        always for the same. Any of the forms is written in any of the others.
    code
        The bug, or how it is found from the site and the parts.
    message
        With the parts in braces, ``{whole}`` for all and ``{new}`` for what replaces it.
    cost
        Description length.
    when
        Sites at which the rule is tried.
    """

    forms: str
    others: str
    code: Bug | Callable[[Site, Scope, Parts], Bug]
    message: str
    cost: float
    when: Callable[[Site, Scope], bool] = always

    def changes(self, site: Site, scope: Scope, form: str, parts: Parts) -> Iterator[Change]:
        """Yield what the rule makes of a site of some form."""
        code = self.code if isinstance(self.code, Bug) else self.code(site, scope, parts)
        texts = {name: text(part) for name, part in parts.items()}
        around = text(site.parent) if "{parent}" in self.message else ""
        for other in self.others.split("; "):
            if other != form:
                written = scope.written(other)
                new = VARIABLE.sub(lambda found: f"({texts[found[0]]})", written)
                shown = VARIABLE.sub(lambda found: texts[found[0]], written)
                message = self.message.format(**texts, whole=site.text, new=shown, parent=around)
                yield new, code, message, self.cost


def tree(pattern: str) -> ast.AST:
    """Return the tree of a pattern."""
    statement = ast.parse(pattern).body[0]
    return statement.value if isinstance(statement, ast.Expr) else statement


def matched(pattern: object, node: object) -> Parts | None:
    """Return what the variables of a pattern stand for, None where it does not match."""
    if isinstance(pattern, ast.Name) and VARIABLE.fullmatch(pattern.id):
        return {pattern.id: node} if isinstance(node, ast.AST) else None
    if type(pattern) is not type(node):
        return None
    if isinstance(pattern, list) and isinstance(node, list):
        pairs = list(zip(pattern, node, strict=False)) if len(pattern) == len(node) else [(0, 1)]
    elif isinstance(pattern, ast.AST):
        fields = (field for field in pattern._fields if field not in ("ctx", "kind"))
        pairs = [(getattr(pattern, field), getattr(node, field)) for field in fields]
    else:
        return {} if pattern == node else None
    found: Parts = {}
    for one, other in pairs:
        parts = matched(one, other)
        if parts is None or any(
            name in found and text(found[name]) != text(part) for name, part in parts.items()
        ):
            return None
        found |= parts
    return found
