"""Mutation operators that write one form of source for another: a table of rewrite rules."""

from __future__ import annotations

import ast
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.activation_derivatives import BY_OUTPUT
from gradcheck.explain.source.mutations.mutation import Change
from gradcheck.explain.source.mutations.rewrite import Parts, Rewrite, matched, tree
from gradcheck.explain.source.mutations.scope import Scope
from gradcheck.explain.source.mutations.sites import Role, Site
from gradcheck.explain.source.mutations.syntax import called, is_named, text


def _sign(site: Site, scope: Scope, parts: Parts) -> Bug:
    return Bug.SIGN_FLIPPED if site.role is Role.VALUE else site.role.code


def _condition(site: Site, scope: Scope, parts: Parts) -> Bug:
    return Bug.SLOPE_WRONG if isinstance(site.parent, ast.If | ast.IfExp) else Bug.WRONG_MASK


def _index(site: Site, scope: Scope, parts: Parts) -> Bug:
    if "::-1" in text(parts["B"]):
        return Bug.KERNEL_FLIPPED
    return Bug.WRONG_INDEX if site.role is Role.VALUE else site.role.code


def _factor(lost: str) -> Callable[[Site, Scope, Parts], Bug]:
    return lambda site, scope, parts: scope.factor_code(scope.value(parts[lost]))


def _operand(lost: str) -> Callable[[Site, Scope, Parts], Bug]:
    def code(site: Site, scope: Scope, parts: Parts) -> Bug:
        if site.role is not Role.VALUE or isinstance(site.node.op, ast.Pow):
            return site.role.code
        is_term = isinstance(site.node.op, ast.Add | ast.Sub)
        return Bug.ADDITIVE_TERM if is_term else _factor(lost)(site, scope, parts)

    return code


def _sort_of_operator(site: Site, scope: Scope, parts: Parts) -> Bug:
    """Name an operator of another kind: a power or a product in place of a sum is another slope."""
    return Bug.DERIVATIVE_AT_WRONG_POINT if site.role is Role.VALUE else site.role.code


def _is_unsigned(site: Site, scope: Scope) -> bool:
    """Whether it is whole, without a sign of its own that another rule changes."""
    signed = isinstance(getattr(site.node, "op", None), ast.Add | ast.Sub | ast.USub)
    return isinstance(site.node, ast.expr) and site.is_whole and not signed


def _is_argument(site: Site, scope: Scope) -> bool:
    return site.is_argument and site.is_value and isinstance(site.node, ast.Name | ast.Attribute)


def _is_no_mask(site: Site, scope: Scope) -> bool:
    return site.role is not Role.MASK


def _has_axes(site: Site, scope: Scope) -> bool:
    return site.role is not Role.INDEX and bool(scope.shape(site.node))


def _is_array(site: Site, scope: Scope) -> bool:
    """Whether it is a variable that is an array, read for its value."""
    is_variable = isinstance(site.node, ast.Name | ast.Attribute) and site.is_value
    return is_variable and isinstance(scope.value(site.node), np.ndarray)


def _is_read(site: Site, scope: Scope, least: int = 1, most: float = math.inf) -> bool:
    """Whether it is a variable of so many axes that is read for its entries, not for its shape."""
    named = site.is_value and is_named(site.node) and not isinstance(site.parent, ast.Attribute)
    return named and least <= np.ndim(scope.value(site.node)) <= most


_is_matrix, _is_stack = partial(_is_read, least=2, most=2), partial(_is_read, least=3)


def _is_mask(site: Site, scope: Scope) -> bool:
    if site.role is not Role.INDEX or not isinstance(site.node, ast.expr):
        return False
    is_boolean = np.asarray(scope.value(site.node)).dtype.kind == "b"
    return isinstance(site.node, ast.Compare) or is_boolean


def _is_position(site: Site, scope: Scope) -> bool:
    is_variable = isinstance(site.node, ast.Name | ast.Attribute) and site.role is Role.INDEX
    return is_variable and isinstance(scope.value(site.node), int | np.integer)


def _is_entry(site: Site, scope: Scope) -> bool:
    return site.role in (Role.VALUE, Role.RANGE)


def _is_value(site: Site, scope: Scope) -> bool:
    return site.is_value


def _is_range(site: Site, scope: Scope) -> bool:
    return called(site.node) == "range"


def _is_size(site: Site, scope: Scope) -> bool:
    """Whether it is the size of a variable."""
    form = r"[\w.]+\.(size|numel\(\)|shape\[\d\])|len\([\w.]+\)"
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


OTHER_POINT, OVERWRITTEN = Bug.DERIVATIVE_AT_WRONG_POINT, Bug.OVERWRITTEN_NOT_ACCUMULATED
TERMS, PRODUCTS, STEPS = "A + B; A - B", "A * B; A @ B", "A += B; A -= B"
ORDERS, EQUALITIES = "A > B; A >= B; A < B; A <= B", "A == B; A != B"
DERIVATIVES = "; ".join(form.format(v="A") for form in BY_OUTPUT)
OPERATOR = "`{whole}` has the wrong operator: `{new}` belongs there"
BELONGS = "`{whole}` stands where `{new}` belongs"
ASSIGNED = "`{A}` is assigned, where it has to accumulate"
ONE_OFF = "the loop over `{whole}` leaves out a turn, or takes one too many"
RANGES = {
    "range(A)": "range(A + 1); range(A - 1)",
    **{
        f"range(A, B{step})": "; ".join(
            f"range({bounds}{step})" for bounds in ("A + 1, B", "A - 1, B", "A, B + 1", "A, B - 1")
        )
        for step in ("", ", C")
    },
}

REWRITES = (
    Rewrite(TERMS, TERMS, _sign, "`{B}` has the wrong sign", 0.5),
    Rewrite("-A", "A", _sign, "`{whole}` has the wrong sign", 0.5),
    Rewrite("A", "-A", _sign, "`{A}` has the wrong sign", 0.55, _is_unsigned),
    Rewrite(
        "A", "-A", OTHER_POINT, "`{parent}` takes `{A}` with the wrong sign", 0.7, _is_argument
    ),
    Rewrite("A * B", "A / B", _factor("B"), "`{B}` multiplies, where it has to divide", 0.7),
    Rewrite("A / B", "A * B", _factor("B"), "`{B}` divides, where it has to multiply", 0.7),
    Rewrite(TERMS, "A * B; A / B", _sort_of_operator, OPERATOR, 0.75),
    Rewrite("A ** B; A // B; A % B", "A * B; A / B", _sort_of_operator, OPERATOR, 0.75),
    Rewrite("A * B; A / B", "A ** B", _sort_of_operator, OPERATOR, 0.78),
    Rewrite("A * B; A / B", TERMS, _sort_of_operator, OPERATOR, 0.78, _is_no_mask),
    # an operator in the place of another that binds more or less closely joins other operands
    *(
        Rewrite(chains, others, _sort_of_operator, OPERATOR, 0.78, _is_no_mask)
        for chains, others in {
            "A + B + C; A + B - C": "A + B * C; A + B / C",
            "A - B + C; A - B - C": "A - B * C; A - B / C",
            "A * B * C; A / B * C": "A + B * C; A - B * C",
            "A * B / C; A / B / C": "A + B / C; A - B / C",
            "A * B * C": "A * B ** C",
            "A / B * C": "A / B ** C",
        }.items()
    ),
    Rewrite("A * B", "A @ B", Bug.TRANSPOSED, OPERATOR, 0.78, _is_no_mask),
    Rewrite("A @ B", "A * B", Bug.WRONG_AXIS, OPERATOR, 0.78, _is_no_mask),
    Rewrite(TERMS, "A", _operand("B"), "`{B}` is a term too many", 0.65, _is_no_mask),
    Rewrite("A + B", "B", _operand("A"), "`{A}` is a term too many", 0.65, _is_no_mask),
    Rewrite("A - B", "-B", _operand("A"), "`{A}` is a term too many", 0.65, _is_no_mask),
    Rewrite(PRODUCTS, "A", _operand("B"), "`{B}` is a factor too many", 0.65, _is_no_mask),
    Rewrite(PRODUCTS, "B", _operand("A"), "`{A}` is a factor too many", 0.65, _is_no_mask),
    Rewrite("A / B; A // B", "A", _operand("B"), "`{B}` is a divisor too many", 0.65, _is_no_mask),
    Rewrite("A ** B", "A", _operand("B"), "`{B}` is a power too many", 0.65, _is_no_mask),
    Rewrite(
        "A & B; A | B", "A; B", _operand("B"), "`{whole}` has an operand too many", 0.65,
        _is_no_mask,
    ),
    Rewrite("1 - A", "A", OTHER_POINT, BELONGS, 0.65),
    Rewrite(
        DERIVATIVES, DERIVATIVES, OTHER_POINT,
        "the derivative `{whole}` stands where `{new}` belongs", 0.65, _has_axes,
    ),
    Rewrite(ORDERS, ORDERS, _condition, "the condition `{whole}` is wrong", 0.6),
    Rewrite(EQUALITIES, EQUALITIES, _condition, "the condition `{whole}` is wrong", 0.6),
    Rewrite("~A; not A", "A", Bug.WRONG_MASK, "`{whole}` is the wrong mask", 0.6),
    Rewrite("A", "~A", Bug.WRONG_MASK, "`{A}` is the wrong mask", 0.6, _is_mask),
    Rewrite(
        "A", "A ** 2; A ** 0.5; 1 / A; 1 - A; abs(A); np.sign(A); np.exp(A)", OTHER_POINT, BELONGS,
        0.75, _is_array,
    ),
    # what an array may have to be turned or stretched to
    Rewrite(
        "A", "A[::-1]; A[..., ::-1]; A[..., ::-1, ::-1]", Bug.KERNEL_FLIPPED, BELONGS, 0.85,
        _is_read,
    ),
    Rewrite("A", "A[:, None]; A[..., None]", Bug.WRONG_AXIS, BELONGS, 0.85, _is_read),
    Rewrite("A.T", "A", Bug.TRANSPOSED, "`{whole}` should not be transposed", 0.55),
    Rewrite("A", "A.T", Bug.TRANSPOSED, "`{A}` is not transposed", 0.6, _is_matrix),
    Rewrite("A", "A.swapaxes(-1, -2)", Bug.TRANSPOSED, "`{A}` is not transposed", 0.6, _is_stack),
    Rewrite(
        "A @ B", "B @ A", Bug.TRANSPOSED, "the factors of `{whole}` are in the wrong order", 0.6
    ),
    Rewrite("A @ B", "(A @ B).T", Bug.TRANSPOSED, "`{whole}` is not transposed", 0.65),
    Rewrite("A[B]", "A", _index, "`{A}` is meant, not `{whole}`", 0.7, _is_entry),
    *(
        Rewrite(
            f"A[{index}]", "A.sum(axis=0); A.mean(axis=0)", Bug.LAST_SAMPLE_ONLY,
            f"only the {which} sample counts in `{{whole}}`", 0.7, _is_value,
        )
        for index, which in (("-1", "last"), ("0", "first"))
    ),
    Rewrite(
        "A", "A - 1; A + 1", Bug.WRONG_INDEX, "the index `{A}` is one off", 0.7, _is_position
    ),
    # where the sizes differ by two, a factor of two is likelier forgotten
    Rewrite("A.shape[B]", "A.size; len(A)", Bug.CONSTANT_FACTOR, BELONGS, 0.72, _is_size),
    Rewrite(
        "len(A); A.size; A.numel()", "len(A); A.size", Bug.CONSTANT_FACTOR, BELONGS, 0.72, _is_size
    ),
    *(
        Rewrite(bounds, bounds, Bug.WRONG_MASK, BELONGS, 0.7)
        for bounds in ("C.clamp(A, min=B); C.clamp(A, max=B)", "A.clamp(min=B); A.clamp(max=B)")
    ),
    Rewrite(
        "C.maximum(A, B); C.clamp(A, min=B); A.clamp(min=B)", "A > B; B > A", OTHER_POINT,
        "`{whole}` stands where its derivative, `{new}`, belongs", 0.7,
    ),
    Rewrite("reversed(A)", "A", Bug.WRONG_INDEX, "the loop runs the wrong way", 0.7),
    Rewrite("A", "reversed(A)", Bug.WRONG_INDEX, "the loop runs the wrong way", 0.7, _is_range),
    *(Rewrite(one, others, Bug.PATH_MISSING, ONE_OFF, 0.7) for one, others in RANGES.items()),
    Rewrite("A = B", "A += B", OVERWRITTEN, ASSIGNED, 0.5, _is_computed),
    # where the array is another's, as a cotangent, to add in place would change it
    Rewrite("A = B", "A = A + B", OVERWRITTEN, ASSIGNED, 0.52, _is_computed),
    Rewrite(
        "A[C] = B; A[C] += B", "np.add.at(A, C, B)", OVERWRITTEN,
        "an index that comes more than once in `{C}` counts once", 0.6, _has_index_array,
    ),
    Rewrite(
        "A.at[C].set(B)", "A.at[C].add(B)", OVERWRITTEN,
        "`{A}[{C}]` is set, where it has to accumulate", 0.5,
    ),
    Rewrite(
        "A.at[C].add(B)", "A.at[C].set(B)", Bug.ADDITIVE_TERM,
        "`{A}[{C}]` accumulates, where it has to be set", 0.6,
    ),
    Rewrite(
        f"{STEPS}; A *= B; A /= B; A |= B; A &= B", "A = B", Bug.ADDITIVE_TERM,
        "`{A}` accumulates, where it has to be assigned", 0.6,
    ),
    Rewrite(STEPS, STEPS, Bug.SIGN_FLIPPED, "`{B}` has the wrong sign", 0.5),
    Rewrite("A *= B", "A /= B", OTHER_POINT, "`{B}` has the wrong operator", 0.5),
    Rewrite("A /= B", "A *= B", OTHER_POINT, "`{B}` has the wrong operator", 0.5),
)  # fmt: skip


# By the type of what they match; those that match any expression are tried at each.
BY_TYPE: dict[type[ast.AST], list[tuple[str, ast.AST, Rewrite]]] = defaultdict(list)
for _rule in REWRITES:
    for _form in _rule.forms.split("; "):
        BY_TYPE[type(tree(_form))].append((_form, tree(_form), _rule))
ANY = BY_TYPE.pop(ast.Name)


def rewritten(site: Site, scope: Scope) -> Iterator[Change]:
    """Another form of a site, by every rule of the table that matches."""
    rules = [*BY_TYPE.get(type(site.node), ()), *(ANY if isinstance(site.node, ast.expr) else ())]
    for form, pattern, rule in rules:
        parts = matched(pattern, site.node)
        if parts is not None and rule.when(site, scope):
            yield from rule.changes(site, scope, form, parts)
