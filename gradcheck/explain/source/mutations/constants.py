"""Numbers that are written wrongly: factors, exponents, offsets, axes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.explain.source.mutations.codes import MISREAD, factor_code
from gradcheck.explain.source.mutations.mutation import (
    Mutation,
    Role,
    Scope,
    Site,
    expression,
    kind,
    text,
)

# Sizes of an array that are taken for one another.
SIZES = {
    r"([\w.]+)\.shape\[\d\]": (r"\1.size", r"len(\1)"),
    r"len\(([\w.]+)\)": (r"\1.size",),
    r"([\w.]+)\.size": (r"len(\1)",),
}

AXES: tuple[Any, ...] = (0, 1, -1, 2, -2, (0, 1), (0, 2, 3), (2, 3), None)


@kind
def numbers(site: Site, scope: Scope) -> Iterator[Mutation]:
    """Another number."""
    node = site.node
    if not isinstance(node, ast.Constant) or not isinstance(node.value, int | float):
        return
    n = node.value
    if isinstance(n, bool):
        message = f"`{text(node)}` should be `{not n}`"
        yield Mutation(site, ast.Constant(not n), MISREAD[site.role], message, 0.7)
    elif site.role is not Role.AXIS:
        addend = site.role is Role.VALUE and not _in_product(site)
        for other in _others(n, site.role):
            if other in (0, 1) and addend is False and isinstance(site.place.parent, ast.BinOp):
                continue  # a factor of one, or a term of zero, is better left out
            yield Mutation(
                site,
                _constant(other),
                _code(n, other, site, scope),
                f"`{text(node)}` should be `{text(_constant(other))}`",
                0.85 if addend else 0.65,
            )
        if site.role is Role.VALUE:
            factor = _in_product(site)
            for name, value in scope.different.items():
                if factor or not np.ndim(value) or name in scope.unread:
                    message = f"the number {n} stands where `{name}` belongs"
                    cost = scope.cost(name, 0.8)
                    term = addend and isinstance(site.place.parent, ast.BinOp)
                    code = "derivative_at_wrong_point" if term else "constant_factor"
                    yield Mutation(site, expression(name), code, message, cost)


@kind
def axes(site: Site, scope: Scope) -> Iterator[Mutation]:
    """Another axis."""
    node = site.node
    if site.role is Role.AXIS and not isinstance(site.place.parent, ast.UnaryOp | ast.Tuple):
        for other in AXES:
            changed = ast.parse(repr(other), mode="eval").body
            if text(changed) != text(node):
                message = f"a reduction runs along axis {text(node)}, where it has to along {other}"
                yield Mutation(site, changed, "wrong_axis", message, 0.55)


@kind
def sizes(site: Site, scope: Scope) -> Iterator[Mutation]:
    """The number of rows for the number of entries, or the other way round."""
    if site.role is not Role.VALUE or not isinstance(site.node, ast.expr):
        return
    source = text(site.node)
    for form, others in SIZES.items():
        found = re.fullmatch(form, source)
        for other in others if found else ():
            changed = expression(re.sub(form, other, source))
            message = f"`{source}` stands where `{text(changed)}` belongs"
            # where the sizes differ by two, a factor of two is likelier forgotten
            yield Mutation(site, changed, "constant_factor", message, 0.72)


def _others(n: float, role: Role) -> list[float]:
    if role in (Role.INDEX, Role.RANGE):
        return [m for m in (n + 1, n - 1, -n, 0) if m != n]
    return [m for m in dict.fromkeys((n + 1, n - 1, -n, 2 * n, n / 2, 0, 1, 2, 0.5)) if m != n]


def _constant(n: float) -> ast.expr:
    if n < 0:
        return ast.UnaryOp(ast.USub(), _constant(-n))
    return ast.Constant(int(n) if n == int(n) else n)


def _code(n: float, other: float, site: Site, scope: Scope) -> str:
    if site.role is Role.VALUE and _in_product(site) and other:
        return factor_code(n / other, scope)
    of = site.place.parent
    if isinstance(of, ast.Subscript) and text(of.value).endswith(".shape"):
        return "constant_factor"
    return MISREAD[site.role]


def _in_product(site: Site) -> bool:
    parent = site.place.parent
    if isinstance(parent, ast.AugAssign):
        return isinstance(parent.op, ast.Mult | ast.Div)
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult | ast.Div)
