"""Factors and terms that are missing."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.explain.source.mutations.activation_derivatives import FORMS, is_slope
from gradcheck.explain.source.mutations.codes import factor_code
from gradcheck.explain.source.mutations.mutation import (
    Before,
    Mutation,
    Role,
    Scope,
    Site,
    expression,
    kind,
    takes,
    text,
)

# What an elementwise function's derivative is made of, with ``v`` a variable of the code.
DERIVATIVES = (*FORMS, "1 / {v}", "np.exp({v})")

# What a variable may stand for by mistake.
MEANT = ("{v} ** 2", "{v} ** 0.5", "1 / {v}", "1 - {v}", "abs({v})", "np.sign({v})", "np.exp({v})")

# Products with a matrix, and which of its axes meets which one of the expression's.
PRODUCTS = (
    ("({e}) @ {m}", -1, 0),
    ("({e}) @ {m}.T", -1, 1),
    ("{m} @ ({e})", 0, 1),
    ("{m}.T @ ({e})", 0, 0),
)


# A number of samples, as it is written; the root of one is another factor.
COUNT = re.compile(r"len\([\w.]+\)|[\w.]+\.shape\[-?\d+\]")


@kind
def factors(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A variable that should multiply or divide."""
    if not takes(site, ast.Mult, ast.Div):
        return
    for name, value in _fitting(site, scope).items():
        array = isinstance(value, np.ndarray) and value.ndim
        code = "path_missing" if array else factor_code(value, scope)
        code = code if code != "factor_two" else "constant_factor"  # a name says more than 2
        if np.asarray(value).dtype.kind == "b":
            code = "mask_not_applied"
        elif array and name in scope.arguments:
            code = "upstream_ignored"
        elif array and is_slope(value, scope):
            code = "activation_derivative_missing"
        for sign in ("*", "/"):
            message = f"the factor `{'' if sign == '*' else '1 / '}{name}` is missing"
            # what has a name is meant, rather than a bare 2 (below)
            named = not array and (abs(value) in (2, 0.5) or code == "factor_batch_size")
            cost = 0.69 if named else scope.cost(name, 0.8)
            yield Mutation(site, _joined(site.node, sign, name), code, message, cost)
    lengths = {len(value): name for name, value in reversed(scope.arrays().items()) if len(value)}
    for length, name in lengths.items():
        message = f"the division by `{name}.shape[0]`, which is {length}, is missing"
        code = factor_code(length, scope)
        yield Mutation(site, _joined(site.node, "/", f"{name}.shape[0]"), code, message, 0.75)
    for factor in scope.factors:
        if scope.shape(expression(factor)) == ():
            for sign in ("*", "/"):
                message = f"the factor `{'' if sign == '*' else '1 / '}{factor}` is missing"
                changed = _joined(site.node, sign, factor)
                counts = COUNT.fullmatch(factor) is not None
                code = "factor_batch_size" if counts else "constant_factor"
                yield Mutation(site, changed, code, message, 0.65)
    for name in scope.arguments:
        samples = scope.namespace.get(name)
        if isinstance(samples, list) and len(samples) in scope.batches:
            message = f"the division by `len({name})`, which is {len(samples)}, is missing"
            changed = _joined(site.node, "/", f"len({name})")
            yield Mutation(site, changed, "factor_batch_size", message, 0.75)
    for n in ("2", "0.5"):
        yield Mutation(
            site, _joined(site.node, "*", n), "factor_two", f"a factor {n} is missing", 0.7
        )


@kind
def derivatives(site: Site, scope: Scope) -> Iterator[Mutation]:
    """The derivative of an elementwise function that should multiply."""
    if not takes(site, ast.Mult, ast.Div):
        return
    for name in (n for n, v in _fitting(site, scope).items() if np.ndim(v)):
        for form in DERIVATIVES:
            slope = form.format(v=name)
            message = f"the derivative `{slope}` is missing"
            changed = _joined(site.node, "*", f"({slope})")
            masks = form == "{v} > 0" and len(np.unique(scope.values[name])) == 2
            code = "mask_not_applied" if masks else "activation_derivative_missing"
            yield Mutation(site, changed, code, message, scope.cost(name, 0.85))


@kind
def deltas(site: Site, scope: Scope) -> Iterator[Mutation]:
    """An argument, the cotangent, that should be multiplied before anything is made of it."""
    function = site.place.parent
    first = site.place.label == "body" and site.place.position == 0
    if not isinstance(function, ast.FunctionDef) or not first:
        return
    for argument in function.args.args:
        name = ast.Name(argument.arg, ast.Load())
        shape = scope.shape(name)
        factors = {n: v for n, v in scope.arrays().items() if v.shape == shape and n != name.id}
        for other, value in factors.items():
            slopes = (
                [other] if value.dtype.kind == "b" else [f.format(v=other) for f in DERIVATIVES]
            )
            for slope in slopes:
                line = ast.parse(f"{name.id} = {name.id} * ({slope})").body[0]
                message = f"`{name.id}` is not multiplied by the derivative `{slope}`"
                both = Before.of(line, site.node)
                cost = scope.cost(other, 0.8)
                yield Mutation(site, both, "activation_derivative_missing", message, cost)


@kind
def means(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A variable that should be divided by the number of samples before it is used."""
    if not isinstance(site.node, ast.Assign | ast.AugAssign | ast.Return):
        return
    names = (n for n in ast.walk(site.node) if isinstance(n, ast.Name | ast.Attribute))
    read = sorted({text(n) for n in names})
    sizes = {
        n: v for n, v in scope.different.items() if np.ndim(v) == 0 and float(v) in scope.batches
    }
    for name in read:
        value = scope.values.get(name)
        if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind == "f":
            for size in sizes:
                line = ast.parse(f"{name} = {name} / {size}").body[0]
                message = f"`{name}` is not divided by the number of samples `{size}`"
                yield Mutation(site, Before.of(line, site.node), "factor_batch_size", message, 0.7)


@kind
def products(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A matrix that should multiply."""
    if not takes(site, ast.MatMult):
        return
    shape = scope.shape(site.node) or ()
    for name, value in scope.arrays().items():
        if value.ndim == 2 and shape:
            for form, side, axis in PRODUCTS:
                if shape[side] != value.shape[axis]:
                    continue
                changed = expression(form.format(e=text(site.node), m=name))
                message = f"the product with `{name}` is missing"
                yield Mutation(site, changed, "path_missing", message, scope.cost(name, 0.9))


@kind
def terms(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A variable that should be added or subtracted."""
    if not takes(site, ast.Add, ast.Sub):
        return
    for name, value in _fitting(site, scope).items():
        if isinstance(value, np.ndarray):
            for sign in ("+", "-"):
                message = f"the term `{name}` is missing"
                cost = scope.cost(name, 0.8)
                yield Mutation(site, _joined(site.node, sign, name), "path_missing", message, cost)


@kind
def powers(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A variable that should be squared, or of which the root or the exponential is meant."""
    node = site.node
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(scope.value(node), np.ndarray):
        if site.role is not Role.VALUE:
            return
        name = text(node)
        for form in MEANT:
            meant = form.format(v=name)
            message = f"`{name}` stands where `{meant}` belongs"
            yield Mutation(site, expression(meant), "derivative_at_wrong_point", message, 0.75)


def _fitting(site: Site, scope: Scope) -> dict[str, Any]:
    """Return the variables that leave an expression's shape as it is.

    Variables may have changed their shapes since, so that the expression makes no sense any more.
    """
    shape = scope.shape(site.node)
    if shape is None and site.assigned is not None:
        shape = scope.shape(site.assigned)
    if shape is None:
        return {}
    found = {}
    for name, value in scope.different.items():
        with contextlib.suppress(ValueError):
            if np.broadcast_shapes(shape, np.shape(value)) == shape:
                found[name] = value
    return found


def _joined(node: ast.expr, sign: str, other: str) -> ast.AST:
    tree: ast.AST = expression(f"({text(node)}) {sign} {other}")
    return tree
