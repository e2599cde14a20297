"""Derivatives of activations: forgotten beside others of the code, too many, of a wrong value."""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any

import numpy as np
from scipy import special

from gradcheck.explain.source.mutations.mutation import (
    Mutation,
    Role,
    Scope,
    Site,
    expression,
    kind,
    takes,
    text,
)

# What people call the functions that return a derivative: sigmoid_prime, d_relu, tanhGradient.
DERIVATIVE = re.compile(r"deriv|prime|grad|slope|(^|_)d(_|$)|^d(?=[A-Z]|relu|sig|tanh|act)", re.I)

# Of so many variables every one is tried in a call.
MOST_ARGUMENTS = 24


@kind
def forgotten(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A derivative that the code has a function for, or that it multiplies by elsewhere."""
    if not takes(site, ast.Mult, ast.Div):
        return
    shape = scope.shape(site.node)
    if not shape:
        return
    written = {text(node) for node in ast.walk(site.statement) if isinstance(node, ast.expr)}
    for slope in _slopes(scope):
        if slope not in written and scope.shape(expression(slope)) == shape:
            changed = expression(f"({text(site.node)}) * {slope}")
            message = f"the derivative `{slope}` is missing"
            yield Mutation(site, changed, "activation_derivative_missing", message, 0.6)


@kind
def at_another(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A function that returns a derivative, called with another value than the one meant."""
    if not isinstance(site.node, ast.Call) or len(site.node.args) != 1:
        return
    called, argument = text(site.node), text(site.node.args[0])
    shape = scope.shape(site.node)
    if not shape or called not in {call.format(argument) for call in scope.slopes}:
        return
    for slope in _slopes(scope):
        is_other = slope != called and slope.partition("(")[0] == called.partition("(")[0]
        if is_other and scope.shape(expression(slope)) == shape:
            message = f"`{called}` stands where `{slope}` belongs"
            yield Mutation(site, expression(slope), "derivative_at_wrong_point", message, 0.7)


def _slopes(scope: Scope) -> Iterator[str]:
    """Yield calls of the code's own derivatives, with every array that they may be taken at."""
    arrays = list(scope.arrays())[:MOST_ARGUMENTS]
    arrays += [f"{name}[{end}]" for name in scope.lists for end in (-1, 0)]
    for call in scope.slopes:
        for name in arrays:
            yield call.format(name)


def calls_of_slopes(trees: list[ast.AST], namespace: dict[str, Any]) -> tuple[str, ...]:
    """Return how derivatives are called, with ``{}`` for what they are taken at.

    Parameters
    ----------
    trees
        The functions that run.
    namespace
        All names that one of them knew: functions, and ``self`` with its methods.
    """
    found = [
        f"{name}({{}})"
        for name, value in namespace.items()
        if isinstance(value, FunctionType) and DERIVATIVE.search(name) and _takes_one(value)
    ]
    owner = namespace.get("self")
    found += [
        f"self.{name}({{}})"
        for name in dir(type(owner))
        if DERIVATIVE.search(name) and _takes_one(getattr(owner, name, None))
    ]
    for tree in trees:
        for node in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
            flags = node.keywords
            if any(DERIVATIVE.search(flag.arg or "") for flag in flags):
                arguments = ", ".join(["{}", *map(text, flags)])
                found.append(f"{text(node.func)}({arguments})")
    return tuple(dict.fromkeys(found))


def _takes_one(function: Any) -> bool:
    if not isinstance(function, FunctionType | MethodType):
        return False
    code, own = function.__code__, isinstance(function, MethodType)
    defaults = len(function.__defaults__ or ())
    return code.co_argcount - own - defaults == 1 and not code.co_kwonlyargcount


def is_slope(value: np.ndarray[Any, Any], scope: Scope) -> bool:
    """Whether an array is the derivative of an activation at some other array of the code."""
    with np.errstate(all="ignore"):
        return any(
            np.array_equal(value, slope) or np.allclose(value, slope, rtol=1e-9, atol=0)
            for other in scope.arrays().values()
            if other.shape == value.shape and other.dtype.kind == "f" and other is not value
            for slope in _slopes_at(other)
        )


def is_slope_of(product: Any, value: Any, scope: Scope) -> bool:
    """Whether ``product`` is ``value`` times the derivative of an activation."""
    if np.ndim(product) == 0 or not np.any(value) or np.asarray(product).dtype.kind != "f":
        return False
    with np.errstate(all="ignore"):
        ratio = np.where(value == 0, 0.0, product / value)
    return bool(np.isfinite(ratio).all()) and is_slope(ratio, scope)


def _slopes_at(v: np.ndarray[Any, Any]) -> Iterator[Any]:
    """Yield the usual derivatives at arguments or outputs ``v``."""
    yield v > 0
    for y in (v, np.tanh(v)):
        yield 1 - y**2
    for y in (v, special.expit(v)):
        yield y * (1 - y)


@kind
def too_many(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A derivative ``v * (1 - v)`` too many, which is two factors of a product."""
    if not _is_product(site.node) or _is_product(site.place.parent):
        return
    factors = _factors(site.node)
    written = [text(factor) for factor in factors]
    for name in written:
        other = f"1 - {name}"
        if other in written and len(factors) > 2:
            left = [f for f in written if f not in (name, other)]
            changed = expression(" * ".join(f"({factor})" for factor in left))
            message = f"the derivative `{name} * ({other})` is a factor too many"
            yield Mutation(site, changed, _named(scope.value(expression(name))), message, 0.65)


def _named(value: Any) -> str:
    """Return what it is to multiply by the derivative of these outputs once more."""
    shares = np.ndim(value) == 2 and np.allclose(np.sum(value, axis=-1), 1.0)
    return "softmax_jacobian_twice" if shares else "derivative_at_wrong_point"


def _is_product(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


# The derivatives of ReLU, tanh and sigmoid by their outputs.
FORMS = ("1 - {v} ** 2", "{v} * (1 - {v})", "{v} > 0")


@kind
def of_another(site: Site, scope: Scope) -> Iterator[Mutation]:
    """The derivative of another activation, written for the same variable."""
    if not isinstance(site.node, ast.BinOp | ast.Compare) or site.role is Role.INDEX:
        return
    written = text(site.node)
    names = {text(n) for n in ast.walk(site.node) if isinstance(n, ast.Name | ast.Attribute)}
    for name in (n for n in sorted(names) if np.ndim(scope.values.get(n, 0))):
        forms = [form.format(v=name) for form in FORMS]
        for form in forms if written in forms else ():
            if form != written:
                message = f"the derivative `{written}` stands where `{form}` belongs"
                yield Mutation(site, expression(form), "derivative_at_wrong_point", message, 0.65)


@kind
def wrapped(site: Site, scope: Scope) -> Iterator[Mutation]:
    """A call that stands more than once where its argument is meant: ``s(y) * (1 - s(y))``."""
    if not site.is_whole or site.role is not Role.VALUE:
        return
    calls = [node for node in ast.walk(site.node) if isinstance(node, ast.Call)]
    for call, times in Counter(map(text, calls)).items():
        argument = next(node for node in calls if text(node) == call).args
        if times > 1 and len(argument) == 1:
            changed = _Replacer(call, argument[0]).visit(copy.deepcopy(site.node))
            message = f"`{text(argument[0])}` itself is meant, not `{call}`"
            yield Mutation(site, changed, "derivative_at_wrong_point", message, 0.7)


class _Replacer(ast.NodeTransformer):
    """Puts an expression wherever another one is read."""

    def __init__(self, written: str, other: ast.expr) -> None:
        self.written, self.other = written, other

    def visit(self, node: ast.AST) -> Any:
        """Return the node, or the other expression."""
        if isinstance(node, ast.expr) and text(node) == self.written:
            return self.other
        return self.generic_visit(node)
