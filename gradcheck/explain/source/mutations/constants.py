"""Numbers that are written wrongly: factors, exponents, offsets, axes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.mutation import Change, Role, Site, text
from gradcheck.explain.source.mutations.scope import Scope

AXES = ("0", "1", "-1", "2", "-2", "(0, 1)", "(0, 2, 3)", "(2, 3)", "None")


def numbers(site: Site, scope: Scope) -> Iterator[Change]:
    """Another number, or a variable."""
    n = site.node.value if isinstance(site.node, ast.Constant) else None
    if isinstance(n, bool):
        yield str(not n), site.role.code, f"`{site.text}` should be `{not n}`", 0.7
    elif isinstance(n, int | float) and site.role is not Role.AXIS:
        factor, joined = _is_factor(site), isinstance(site.parent, ast.BinOp)
        addend = site.role is Role.VALUE and not factor
        for other in _others(n, site.role):
            if other in (0, 1) and not addend and joined:
                continue  # a factor of one, or a term of zero, is better left out
            code = site.role.code
            if site.role is Role.VALUE and factor and other:
                code = scope.factor_code(n / other)
            elif isinstance(site.parent, ast.Subscript) and ".shape" in text(site.parent):
                code = Bug.CONSTANT_FACTOR
            other = int(other) if other == int(other) else other
            yield str(other), code, f"`{site.text}` should be `{other}`", 0.85 if addend else 0.65
        for name, value in scope.different.items() if site.role is Role.VALUE else ():
            if factor or not np.ndim(value) or name in scope.unread:
                code = Bug.DERIVATIVE_AT_WRONG_POINT if addend and joined else Bug.CONSTANT_FACTOR
                message = f"the number {n} stands where `{name}` belongs"
                yield name, code, message, scope.cost(name, 0.8)


def axes(site: Site, scope: Scope) -> Iterator[Change]:
    """Another axis."""
    if site.role is Role.AXIS and not isinstance(site.parent, ast.UnaryOp | ast.Tuple):
        for other in AXES:
            if other != site.text:
                message = f"a reduction runs along axis {site.text}, where it has to along {other}"
                yield other, Bug.WRONG_AXIS, message, 0.55


def _others(n: float, role: Role) -> list[float]:
    if role in (Role.INDEX, Role.RANGE):
        return [m for m in (n + 1, n - 1, -n, 0) if m != n]
    return [m for m in dict.fromkeys((n + 1, n - 1, -n, 2 * n, n / 2, 0, 1, 2, 0.5)) if m != n]


def _is_factor(site: Site) -> bool:
    return isinstance(getattr(site.parent, "op", None), ast.Mult | ast.Div)
