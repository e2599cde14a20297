"""Mutation operators that write one form of source for another: a table of rewrite rules."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.mutation import Change, Role, Site, called, is_named, text
from gradcheck.explain.source.mutations.rewrite import Parts, Rewrite, matched, tree
from gradcheck.explain.source.mutations.scope import Scope


def _sign(site: Site, scope: Scope, parts: Parts) -> Bug:
    return Bug.SIGN_FLIPPED if site.role is Role.VALUE else site.role.code


def _condition(site: Site, scope: Scope, parts: Parts) -> Bug:
    return Bug.SLOPE_WRONG if isinstance(site.parent, ast.If | ast.IfExp) else Bug.WRONG_MASK


def _index(site: Site, scope: Scope, parts: Parts) -> Bug:
    if "::-1" in text(parts["B"]):
        return Bug.KERNEL_FLIPPED
    return Bug.WRONG_INDEX if site.role is Role.VALUE else site.role.code


def _factor(name: str) -> Callable[[Site, Scope, Parts], Bug]:
    return lambda site, scope, parts: scope.factor_code(scope.value(parts[name]))


def _superfluous(lost: str, what: str) -> Callable[[Site, Scope, Parts], Bug]:
    def code(site: Site, scope: Scope, parts: Parts) -> Bug:
        if site.role is not Role.VALUE:
            return site.role.code
        fixed = {"term": Bug.ADDITIVE_TERM, "power": Bug.DERIVATIVE_AT_WRONG_POINT}.get(what)
        return fixed or _factor(lost)(site, scope, parts)

    return code


def _is_unsigned(site: Site, scope: Scope) -> bool:
    """Whether it is whole, without a sign of its own that another rule changes."""
    signed = isinstance(getattr(site.node, "op", None), ast.Add | ast.Sub | ast.USub)
    return isinstance(site.node, ast.expr) and site.is_whole and not signed


def _is_unsigned_argument(site: Site, scope: Scope) -> bool:
    return site.is_argument and site.is_value and isinstance(site.node, ast.Name | ast.Attribute)


def _is_array(site: Site, scope: Scope) -> bool:
    """Whether it is a variable that is an array, read for its value."""
    is_variable = isinstance(site.node, ast.Name | ast.Attribute) and site.is_value
    return is_variable and isinstance(scope.value(site.node), np.ndarray)


def _axes(site: Site, scope: Scope) -> int:
    """Return how many axes a variable has that is read for its entries, not for its shape."""
    named = site.is_value and is_named(site.node) and not isinstance(site.parent, ast.Attribute)
    return np.ndim(scope.value(site.node)) if named else 0


def _is_read(site: Site, scope: Scope) -> bool:
    return _axes(site, scope) > 0


def _is_mask(site: Site, scope: Scope) -> bool:
    if site.role is not Role.INDEX or not isinstance(site.node, ast.expr):
        return False
    is_boolean = np.asarray(scope.value(site.node)).dtype.kind == "b"
    return isinstance(site.node, ast.Compare) or is_boolean


def _is_position(site: Site, scope: Scope) -> bool:
    is_variable = isinstance(site.node, ast.Name | ast.Attribute) and site.role is Role.INDEX
    return is_variable and isinstance(scope.value(site.node), int | np.integer)


def _is_size(site: Site, scope: Scope) -> bool:
    """Whether it is the size of a variable."""
    form = r"[\w.]+\.(size|shape\[\d\])|len\([\w.]+\)"
    return site.is_value and re.fullmatch(form, site.text) is not None


def _is_computed(site: Site, scope: Scope) -> bool:
    """Whether a statement assigns one variable something that is no mere number."""
    target = ast.Name | ast.Attribute | ast.Subscript
    return isinstance(site.node.targets[0], target) and not isinstance(
        site.node.value, ast.Constant
    )


def _has_index_array(site: Site, scope: Scope) -> bool:
    target: Any = getattr(site.node, "target", None) or site.node.targets[0]
    index = target.slice
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    sliced = any(isinstance(part, ast.Slice) for part in parts)
    return not sliced and any(scope.shape(part) for part in parts)


# The operand that is kept of two, the one that is lost, and what that is called.
OPERANDS = {
    ("A", "B"): "+ term, - term, * factor, @ factor, / divisor, // divisor, ** power, & operand, "
    "| operand, % operand",
    ("B", "A"): "+ term, * factor, @ factor, & operand, | operand",
    ("-B", "A"): "- term",
}

COMPARISONS = {
    ">": ">= < <=", ">=": "> <= <", "<": "<= > >=", "<=": "< >= >", "==": "!=", "!=": "==",
}  # fmt: skip

OTHER_POINT = Bug.DERIVATIVE_AT_WRONG_POINT
BELONGS = "`{whole}` stands where `{new}` belongs"
WRONG_SIGN = "`{B}` has the wrong sign"
ASSIGNED = "`{A}` is assigned, where it has to accumulate"
ACCUMULATES = "`{A}` accumulates, where it has to be assigned"
BACKWARDS = "the loop runs the wrong way"

REWRITES = [
    Rewrite("A + B", "A - B", _sign, WRONG_SIGN, 0.5),
    Rewrite("A - B", "A + B", _sign, WRONG_SIGN, 0.5),
    Rewrite("-A", "A", _sign, "`{whole}` has the wrong sign", 0.5),
    Rewrite("A", "-A", _sign, "`{A}` has the wrong sign", 0.55, _is_unsigned),
    Rewrite(
        "A", "-A", OTHER_POINT, "`{parent}` takes `{A}` with the wrong sign", 0.7,
        _is_unsigned_argument,
    ),
    Rewrite("A * B", "A / B", _factor("B"), "`{B}` multiplies, where it has to divide", 0.7),
    Rewrite("A / B", "A * B", _factor("B"), "`{B}` divides, where it has to multiply", 0.7),
    *(
        Rewrite(
            f"A {operator} B", kept, _superfluous(lost, what),
            f"`{{{lost}}}` is a {what} too many", 0.65,
            lambda s, c: s.role is not Role.MASK,
        )
        for (kept, lost), operators in OPERANDS.items()
        for operator, what in map(str.split, operators.split(", "))
    ),
    Rewrite("1 - A", "A", OTHER_POINT, BELONGS, 0.65),
    *(
        Rewrite(
            f"A {operator} B", f"A {other} B", _condition, "the condition `{whole}` is wrong", 0.6
        )
        for operator, others in COMPARISONS.items()
        for other in others.split()
    ),
    *(
        Rewrite(form, "A", Bug.WRONG_MASK, "`{whole}` is the wrong mask", 0.6)
        for form in ("~A", "not A")
    ),
    Rewrite("A", "~A", Bug.WRONG_MASK, "`{A}` is the wrong mask", 0.6, _is_mask),
    *(
        Rewrite("A", form, OTHER_POINT, BELONGS, 0.75, _is_array)
        for form in ("A ** 2", "A ** 0.5", "1 / A", "1 - A", "abs(A)", "np.sign(A)", "np.exp(A)")
    ),
    # what an array may have to be turned or stretched to
    *(
        Rewrite("A", f"A[{index}]", Bug.KERNEL_FLIPPED, BELONGS, 0.85, _is_read)
        for index in ("::-1", "..., ::-1", "..., ::-1, ::-1")
    ),
    *(
        Rewrite("A", f"A[{index}]", Bug.WRONG_AXIS, BELONGS, 0.85, _is_read)
        for index in (":, None", "..., None")
    ),
    Rewrite("A.T", "A", Bug.TRANSPOSED, "`{whole}` should not be transposed", 0.55),
    Rewrite(
        "A", "A.T", Bug.TRANSPOSED, "`{A}` is not transposed", 0.6,
        lambda s, c: _axes(s, c) == 2,
    ),
    Rewrite(
        "A", "A.swapaxes(-1, -2)", Bug.TRANSPOSED, "`{A}` is not transposed", 0.6,
        lambda s, c: _axes(s, c) > 2,
    ),
    Rewrite(
        "A @ B", "B @ A", Bug.TRANSPOSED, "the factors of `{whole}` are in the wrong order", 0.6
    ),
    Rewrite("A @ B", "(A @ B).T", Bug.TRANSPOSED, "`{whole}` is not transposed", 0.65),
    Rewrite(
        "A[B]", "A", _index, "`{A}` is meant, not `{whole}`", 0.7,
        lambda s, c: s.role in (Role.VALUE, Role.RANGE),
    ),
    *(
        Rewrite(
            f"A[{index}]", f"A.{reduced}(axis=0)", Bug.LAST_SAMPLE_ONLY,
            f"only the {which} sample counts in `{{whole}}`", 0.7,
            lambda s, c: s.is_value,
        )
        for index, which in (("-1", "last"), ("0", "first"))
        for reduced in ("sum", "mean")
    ),
    *(
        Rewrite(
            "A", f"A {sign} 1", Bug.WRONG_INDEX, "the index `{A}` is one off", 0.7, _is_position
        )
        for sign in "-+"
    ),
    # where the sizes differ by two, a factor of two is likelier forgotten
    *(
        Rewrite(form, other, Bug.CONSTANT_FACTOR, BELONGS, 0.72, _is_size)
        for form, other in (
            ("A.shape[B]", "A.size"), ("A.shape[B]", "len(A)"),
            ("len(A)", "A.size"), ("A.size", "len(A)"),
        )
    ),
    *(
        Rewrite(
            "C.maximum(A, B)", mask, OTHER_POINT,
            "`{whole}` stands where its derivative, `{new}`, belongs", 0.7,
        )
        for mask in ("A > B", "B > A")
    ),
    Rewrite("reversed(A)", "A", Bug.WRONG_INDEX, BACKWARDS, 0.7),
    Rewrite(
        "A", "reversed(A)", Bug.WRONG_INDEX, BACKWARDS, 0.7,
        lambda s, c: called(s.node) == "range",
    ),
    *(
        Rewrite(
            form, form.replace(bound, f"{bound} {sign} 1"), Bug.PATH_MISSING,
            "the loop over `{whole}` leaves out a turn, or takes one too many", 0.7,
        )
        for form in ("range(A)", "range(A, B)", "range(A, B, C)")
        for bound in "AB" if bound in form
        for sign in "+-"
    ),
    Rewrite("A = B", "A += B", Bug.OVERWRITTEN_NOT_ACCUMULATED, ASSIGNED, 0.5, _is_computed),
    # where the array is another's, as a cotangent, to add in place would change it
    Rewrite("A = B", "A = A + B", Bug.OVERWRITTEN_NOT_ACCUMULATED, ASSIGNED, 0.52, _is_computed),
    *(
        Rewrite(
            form, "np.add.at(A, C, B)", Bug.OVERWRITTEN_NOT_ACCUMULATED,
            "an index that comes more than once in `{C}` counts once", 0.6, _has_index_array,
        )
        for form in ("A[C] = B", "A[C] += B")
    ),
    *(
        Rewrite(f"A {operator}= B", "A = B", Bug.ADDITIVE_TERM, ACCUMULATES, 0.6)
        for operator in "+-*/|&"
    ),
    Rewrite("A += B", "A -= B", Bug.SIGN_FLIPPED, WRONG_SIGN, 0.5),
    Rewrite("A -= B", "A += B", Bug.SIGN_FLIPPED, WRONG_SIGN, 0.5),
    Rewrite("A *= B", "A /= B", OTHER_POINT, "`{B}` has the wrong operator", 0.5),
    Rewrite("A /= B", "A *= B", OTHER_POINT, "`{B}` has the wrong operator", 0.5),
]  # fmt: skip


# By the type of what they match; those that match any expression are tried at each.
BY_TYPE: dict[type[ast.AST], list[tuple[ast.AST, Rewrite]]] = defaultdict(list)
for _rule in REWRITES:
    BY_TYPE[type(tree(_rule.pattern))].append((tree(_rule.pattern), _rule))
ANY = BY_TYPE.pop(ast.Name)


def rewritten(site: Site, scope: Scope) -> Iterator[Change]:
    """Another form of a site, by every rule of the table that matches."""
    rules = [*BY_TYPE.get(type(site.node), ()), *(ANY if isinstance(site.node, ast.expr) else ())]
    for pattern, rule in rules:
        parts = matched(pattern, site.node)
        if parts is not None and rule.when(site, scope):
            yield rule.change(site, scope, parts)
