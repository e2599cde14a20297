"""Factors and terms that are missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import numpy as np

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.activation_derivatives import BY_OUTPUT, is_derivative
from gradcheck.explain.source.mutations.mutation import Before, Change
from gradcheck.explain.source.mutations.scope import Scope
from gradcheck.explain.source.mutations.sites import Site
from gradcheck.explain.source.mutations.syntax import text

# What an elementwise function's derivative is made of, with ``v`` a variable of the code.
DERIVATIVES = (*BY_OUTPUT, "1 / {v}", "np.exp({v})")

# Products with a matrix, and which of its axes meets which one of the expression's.
PRODUCTS = (
    ("({e}) @ {m}", -1, 0),
    ("({e}) @ {m}.T", -1, 1),
    ("{m} @ ({e})", 0, 1),
    ("{m}.T @ ({e})", 0, 0),
)

# A number of samples, as it is written; the root of one is another factor.
COUNT = re.compile(r"len\([\w.]+\)|[\w.]+\.shape\[-?\d+\]")


def factors(site: Site, scope: Scope) -> Iterator[Change]:
    """A variable, a size, or an expression of the forward that should multiply or divide."""
    if not site.takes(ast.Mult, ast.Div):
        return
    for name, value in scope.fitting(site).items():
        array = isinstance(value, np.ndarray) and value.ndim
        code = Bug.PATH_MISSING if array else scope.factor_code(value)
        code = code if code != Bug.FACTOR_TWO else Bug.CONSTANT_FACTOR  # a name says more than 2
        if np.asarray(value).dtype.kind == "b":
            code = Bug.MASK_NOT_APPLIED
        elif array and name in scope.arguments:
            code = Bug.UPSTREAM_IGNORED
        elif array and is_derivative(value, scope):
            code = Bug.ACTIVATION_DERIVATIVE_MISSING
        # what has a name is meant, rather than a bare 2 (below)
        named = not array and (abs(value) in (2, 0.5) or code == Bug.FACTOR_BATCH_SIZE)
        cost = 0.69 if named else scope.cost(name, 0.8)
        yield from _times_or_by(site, name, code, cost)
    lengths = {len(value): name for name, value in reversed(scope.arrays.items()) if len(value)}
    divisors = [
        *((f"{name}.shape[0]", size, scope.factor_code(size)) for size, name in lengths.items()),
        *(
            (f"len({name})", len(samples), Bug.FACTOR_BATCH_SIZE)
            for name in scope.arguments
            if isinstance(samples := scope.namespace.get(name), list)
            and len(samples) in scope.batches
        ),
    ]
    for size, n, code in divisors:
        message = f"the division by `{size}`, which is {n}, is missing"
        yield f"({site.text}) / {size}", code, message, 0.75
    for factor in scope.factors:
        if scope.shape(factor) == ():
            code = Bug.FACTOR_BATCH_SIZE if COUNT.fullmatch(factor) else Bug.CONSTANT_FACTOR
            yield from _times_or_by(site, factor, code, 0.65)
    for number in ("2", "0.5"):
        yield f"({site.text}) * {number}", Bug.FACTOR_TWO, f"a factor {number} is missing", 0.7


def _times_or_by(site: Site, factor: str, code: Bug, cost: float) -> Iterator[Change]:
    for sign, shown in (("*", factor), ("/", f"1 / {factor}")):
        yield f"({site.text}) {sign} {factor}", code, f"the factor `{shown}` is missing", cost


def derivatives(site: Site, scope: Scope) -> Iterator[Change]:
    """The derivative of an elementwise function that should multiply."""
    arrays = scope.fitting(site) if site.takes(ast.Mult, ast.Div) else {}
    for name in (n for n, v in arrays.items() if np.ndim(v)):
        for form in DERIVATIVES:
            derivative = scope.written(form).format(v=name)
            masks = form == "{v} > 0" and len(np.unique(scope.values[name])) == 2
            code = Bug.MASK_NOT_APPLIED if masks else Bug.ACTIVATION_DERIVATIVE_MISSING
            message = f"the derivative `{derivative}` is missing"
            yield f"({site.text}) * ({derivative})", code, message, scope.cost(name, 0.85)


def deltas(site: Site, scope: Scope) -> Iterator[Change]:
    """An argument, the cotangent, that should be multiplied before anything is made of it."""
    function = site.parent
    first = site.position.field == "body" and site.position.index == 0
    if not isinstance(function, ast.FunctionDef) or not first:
        return
    for name in (argument.arg for argument in function.args.args):
        for other, value in scope.arrays.items():
            if other == name or value.shape != scope.shape(name):
                continue
            forms = ["{v}"] if value.dtype.kind == "b" else DERIVATIVES
            for derivative in (scope.written(form).format(v=other) for form in forms):
                both = Before.of(f"{name} = {name} * ({derivative})", site.node)
                message = f"`{name}` is not multiplied by the derivative `{derivative}`"
                yield both, Bug.ACTIVATION_DERIVATIVE_MISSING, message, scope.cost(other, 0.8)


def means(site: Site, scope: Scope) -> Iterator[Change]:
    """A variable that should be divided by the number of samples before it is used."""
    if not isinstance(site.node, ast.Assign | ast.AugAssign | ast.Return):
        return
    read = {text(n) for n in ast.walk(site.node) if isinstance(n, ast.Name | ast.Attribute)}
    counts = [
        n for n, v in scope.different.items() if np.ndim(v) == 0 and float(v) in scope.batches
    ]
    for name in sorted(read):
        value = scope.values.get(name)
        if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind == "f":
            for count in counts:
                both = Before.of(f"{name} = {name} / {count}", site.node)
                message = f"`{name}` is not divided by the number of samples `{count}`"
                yield both, Bug.FACTOR_BATCH_SIZE, message, 0.7


def products(site: Site, scope: Scope) -> Iterator[Change]:
    """A matrix that should multiply."""
    shape = scope.shape(site.node) if site.takes(ast.MatMult) else None
    for name, value in scope.arrays.items() if shape else ():
        for form, side, axis in PRODUCTS if value.ndim == 2 else ():
            if shape and shape[side] == value.shape[axis]:
                message = f"the product with `{name}` is missing"
                changed = form.format(e=site.text, m=name)
                yield changed, Bug.PATH_MISSING, message, scope.cost(name, 0.9)


def terms(site: Site, scope: Scope) -> Iterator[Change]:
    """A variable that should be added or subtracted."""
    for name, value in scope.fitting(site).items() if site.takes(ast.Add, ast.Sub) else ():
        for sign in "+-" if isinstance(value, np.ndarray) else "":
            changed, message = f"({site.text}) {sign} {name}", f"the term `{name}` is missing"
            yield changed, Bug.PATH_MISSING, message, scope.cost(name, 0.8)
