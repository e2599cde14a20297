"""Derivatives of activations: forgotten beside others of the code, too many, of a wrong value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.mutations.mutation import Change, Role, Site, expression, text
from gradcheck.explain.source.mutations.scope import Scope
from gradcheck.formulas.elementwise import ACTIVATIONS

# What people call the functions that return a derivative: sigmoid_prime, d_relu, tanhGradient.
DERIVATIVE = re.compile(r"deriv|prime|grad|slope|(^|_)d(_|$)|^d(?=[A-Z]|relu|sig|tanh|act)", re.I)

# Of so many variables every one is tried in a call.
MOST_ARGUMENTS = 24

# The derivatives of tanh, sigmoid and ReLU by their outputs, as they are written.
BY_OUTPUT = ("1 - {v} ** 2", "{v} * (1 - {v})", "{v} > 0")


def forgotten(site: Site, scope: Scope) -> Iterator[Change]:
    """A derivative that the code has a function for, or that it multiplies by elsewhere."""
    shape = scope.shape(site.node) if site.takes(ast.Mult, ast.Div) else None
    if not shape:
        return
    written = {text(node) for node in ast.walk(site.statement) if isinstance(node, ast.expr)}
    for derivative in _called_at_arrays(scope):
        if derivative not in written and scope.shape(derivative) == shape:
            message = f"the derivative `{derivative}` is missing"
            changed = f"({site.text}) * {derivative}"
            yield changed, Bug.ACTIVATION_DERIVATIVE_MISSING, message, 0.6


def at_another(site: Site, scope: Scope) -> Iterator[Change]:
    """A function that returns a derivative, called with another value than the one meant."""
    if not isinstance(site.node, ast.Call) or len(site.node.args) != 1:
        return
    shape, argument = scope.shape(site.node), text(site.node.args[0])
    if not shape or site.text not in {call.format(argument) for call in scope.derivative_calls}:
        return
    for derivative in _called_at_arrays(scope):
        is_other = derivative != site.text and (
            derivative.partition("(")[0] == site.text.partition("(")[0]
        )
        if is_other and scope.shape(derivative) == shape:
            message = f"`{site.text}` stands where `{derivative}` belongs"
            yield derivative, Bug.DERIVATIVE_AT_WRONG_POINT, message, 0.7


def _called_at_arrays(scope: Scope) -> Iterator[str]:
    """Yield calls of the code's own derivatives, with every array that they may be taken at."""
    arrays = list(scope.arrays)[:MOST_ARGUMENTS]
    arrays += [f"{name}[{end}]" for name in scope.lists for end in (-1, 0)]
    for call in scope.derivative_calls:
        for name in arrays:
            yield call.format(name)


def derivative_calls(trees: Sequence[ast.AST], namespace: dict[str, Any]) -> tuple[str, ...]:
    """Return how derivatives are called, with ``{}`` for what they are taken at.

    Parameters
    ----------
    trees
        The functions that run.
    namespace
        All names that one of them knew: functions, and ``self`` with its methods.
    """
    owner = namespace.get("self")
    functions = [(name, v) for name, v in namespace.items() if isinstance(v, FunctionType)]
    methods = [(f"self.{name}", getattr(owner, name, None)) for name in dir(type(owner))]
    found = [
        f"{name}({{}})"
        for name, function in [*functions, *methods]
        if DERIVATIVE.search(name.removeprefix("self.")) and _takes_one(function)
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


def is_derivative(value: np.ndarray[Any, Any], scope: Scope) -> bool:
    """Whether an array is the derivative of an activation at some other array of the code."""
    with np.errstate(all="ignore"):
        return any(
            np.array_equal(value, derivative) or np.allclose(value, derivative, rtol=1e-9, atol=0)
            for other in scope.arrays.values()
            if other.shape == value.shape and other.dtype.kind == "f" and other is not value
            for derivative in _derivatives_at(other)
        )


def is_derivative_of(product: Any, value: Any, scope: Scope) -> bool:
    """Whether ``product`` is ``value`` times the derivative of an activation."""
    if np.ndim(product) == 0 or not np.any(value) or np.asarray(product).dtype.kind != "f":
        return False
    with np.errstate(all="ignore"):
        ratio = np.where(value == 0, 0.0, product / value)
    return bool(np.isfinite(ratio).all()) and is_derivative(ratio, scope)


def _derivatives_at(v: np.ndarray[Any, Any]) -> Iterator[Any]:
    """Yield the usual derivatives at arguments or outputs ``v``."""
    for name in ("relu", "tanh", "sigmoid"):
        activation = ACTIVATIONS[name]
        yield activation.derivative(v)
        if activation.from_output is not None:
            yield activation.from_output(v)


def too_many(site: Site, scope: Scope) -> Iterator[Change]:
    """A derivative ``v * (1 - v)`` too many, which is two factors of a product."""
    factors = [] if _is_product(site.parent) else _factors(site.node)
    for name in factors:
        other = f"1 - {name}"
        if other in factors and len(factors) > 2:
            left = " * ".join(f"({f})" for f in factors if f not in (name, other))
            message = f"the derivative `{name} * ({other})` is a factor too many"
            yield left, _code_of_twice(scope.value(expression(name))), message, 0.65


def _code_of_twice(value: Any) -> Bug:
    """Return what it is to multiply by the derivative of these outputs once more."""
    shares = np.ndim(value) == 2 and np.allclose(np.sum(value, axis=-1), 1.0)
    return Bug.SOFTMAX_JACOBIAN_TWICE if shares else Bug.DERIVATIVE_AT_WRONG_POINT


def _is_product(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def _factors(node: Any) -> list[str]:
    return [*_factors(node.left), *_factors(node.right)] if _is_product(node) else [text(node)]


def of_another(site: Site, scope: Scope) -> Iterator[Change]:
    """The derivative of another activation, written for the same variable."""
    if not isinstance(site.node, ast.BinOp | ast.Compare) or site.role is Role.INDEX:
        return
    names = {text(n) for n in ast.walk(site.node) if isinstance(n, ast.Name | ast.Attribute)}
    for name in (n for n in sorted(names) if np.ndim(scope.values.get(n, 0))):
        forms = [form.format(v=name) for form in BY_OUTPUT]
        for form in forms if site.text in forms else ():
            if form != site.text:
                message = f"the derivative `{site.text}` stands where `{form}` belongs"
                yield form, Bug.DERIVATIVE_AT_WRONG_POINT, message, 0.65
