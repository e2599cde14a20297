"""Second derivatives: ``(f, grad, hess)``, ``(grad, hessp)``, and f returning ``(f, g, H)``.

A Hessian is judged as the Jacobian of the gradient. Where that gradient is not the one of f, it is
judged against f itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from operator import itemgetter
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.callable_target import CallableTarget
from gradcheck.adapters.conventions.function_pair import described_as
from gradcheck.adapters.conventions.symmetry import by_products, is_symmetric
from gradcheck.adapters.conventions.value_and_grad import is_function
from gradcheck.adapters.recognition import confirmed
from gradcheck.adapters.signatures.arguments import Inputs
from gradcheck.adapters.signatures.error_hints import Mismatch
from gradcheck.adapters.signatures.jacobians import as_matrix, shape_of
from gradcheck.adapters.signatures.methods import name_of, required_names
from gradcheck.adapters.signatures.name_tables import words_of
from gradcheck.adapters.signatures.readings import COTANGENT, Argument, Gives, Reading
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.numerics.derivative import derivative
from gradcheck.numerics.directions import per_entry_scale
from gradcheck.state import StateSnapshot
from gradcheck.target import Target
from gradcheck.values import is_scalar

FORM = "a function with its gradient and Hessian (f, grad, hess)"
HESSIAN_WORDS = frozenset({"hess", "hessian", "hessp", "hvp", "hessvec", "hessv"})

# A gradient of a function is measured along so many of its entries, and of more along random
# directions: what a Hessian is then judged by is that of few outputs.
MOST_AXES = 32
DIRECTIONS = 2

NOT_ITS = "the gradient is not that of {}: the Hessian is judged by second derivatives of it"

THREE = (
    "three functions of the same arguments are read as (f, gradient, Hessian), where f returns one "
    "number, the gradient as many as x has, and the Hessian a square matrix of that many rows, or "
    "its product with a vector that it takes besides; or as (forward, backward, jvp) by their names"
)

Function = Callable[..., Any]
Part = tuple[str, Any, tuple[Any, ...]]


@dataclass(frozen=True)
class Hessian:
    """A Hessian, or its product with a vector, with what it is the derivative of.

    Attributes
    ----------
    gradient, hessian
        Functions of the same arguments; a product takes a vector too.
    value
        The function itself, None where it is not known.
    """

    gradient: Function
    hessian: Function
    value: Function | None = None


def describe(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target | Mismatch:
    """Return the target of a Hessian, or of a function with its gradient and Hessian."""
    del params  # those of functions of arrays are their arguments
    if isinstance(thing, Hessian):
        return _target(thing, arguments)
    found = _hessian_of(thing, arguments)
    if found is None:
        several = isinstance(thing, tuple | list) and len(thing) == 3
        return Mismatch(FORM, THREE if several and all(map(is_function, thing)) else "")
    return _whole(found, arguments) if found.value is not None else _target(found, arguments)


def parts(thing: Any, arguments: Sequence[Any]) -> list[Part]:
    """Return gradient and Hessian, each to be checked by itself; empty where there are not both."""
    found = _hessian_of(thing, arguments)
    if found is None or found.value is None:
        return []
    given = tuple(arguments)
    return [("gradient", (found.value, found.gradient), given), ("hessian", found, given)]


def _hessian_of(thing: Any, arguments: Sequence[Any]) -> Hessian | None:
    """Return what is a Hessian by what it returns or, beside a gradient alone, by its name."""
    functions = thing if isinstance(thing, tuple | list) else (thing,)
    if not 1 <= len(functions) <= 3 or not all(map(is_function, functions)) or not arguments:
        return None
    first, last = functions[0], functions[-1]
    is_named = bool(HESSIAN_WORDS.intersection(words_of(name_of(last))))
    if len(functions) == 2 and not (is_named or _takes_the_same(first, last, len(arguments))):
        return None
    with StateSnapshot([*functions, *arguments]).guarded():
        try:
            inputs = _inputs(first, arguments)
            raw = first(*inputs.arguments(inputs.tensors))
            x = next(iter(inputs.tensors.values()))
        except Exception:  # noqa: BLE001 (what is called otherwise than it is meant)
            return None
    if len(functions) > 1 and not _is_second(last, inputs, x):
        return None
    match functions, raw:
        case (f, gradient, hessian), _ if is_scalar(raw):
            return Hessian(gradient, hessian, f) if _is_like(gradient, inputs, x) else None
        case (both, hessian), (value, slope) if _is_gradient(value, slope, x):
            return Hessian(_item(both, 1), hessian, _item(both, 0))
        case (gradient, hessian), _ if is_named and shape_of(raw) == x.shape:
            return Hessian(gradient, hessian)
        case (every,), (value, slope, matrix) if _is_gradient(value, slope, x):
            if x.ndim and _is_square(matrix, x):
                return Hessian(_item(every, 1), _item(every, 2), _item(every, 0))
    return None


def _inputs(function: Function, arguments: Sequence[Any]) -> Inputs:
    """Return the inputs, whole numbers as floats where the function takes them so."""
    return Inputs.of(function, arguments).promoted(function, StateSnapshot([function, *arguments]))


def _takes_the_same(first: Function, last: Function, count: int) -> bool:
    """Whether two functions have arguments of the same names, the last one a vector besides."""
    one, other = required_names(first), required_names(last)
    return one is not None and other is not None and len(one) == count and other[:1] == one[:1]


def _is_gradient(value: Any, slope: Any, x: Array) -> bool:
    return is_scalar(value) and isinstance(slope, np.ndarray) and slope.shape == x.shape


def _is_like(gradient: Function, inputs: Inputs, x: Array) -> bool:
    """Whether a function returns as many numbers as ``x`` has for the same arguments."""
    with StateSnapshot([gradient]).guarded():
        try:
            return bool(np.size(gradient(*inputs.arguments(inputs.tensors))) == x.size)
        except Exception:  # noqa: BLE001 (what takes other arguments is no gradient)
            return False


def _is_second(hessian: Function, inputs: Inputs, x: Array) -> bool:
    """Whether a function returns a square matrix, or takes a vector besides."""
    if _is_product(hessian, len(inputs.names)):
        return True
    with StateSnapshot([hessian]).guarded():
        try:
            return _is_square(hessian(*inputs.arguments(inputs.tensors)), x)
        except Exception:  # noqa: BLE001 (what takes other arguments is no Hessian)
            return False


def _is_square(matrix: Any, x: Array) -> bool:
    return shape_of(matrix) in (x.shape * 2, (x.size, x.size))


def _item(function: Function, position: int) -> Function:
    """Return a function that returns one item of what another returns."""

    @wraps(function)
    def item(*arguments: Any) -> Any:
        return itemgetter(position)(function(*arguments))

    return item


def _target(hessian: Hessian, arguments: Sequence[Any]) -> Target:
    """Return the target whose forward is the gradient, and whose Jacobian is the Hessian."""
    pair, note, f = (hessian.gradient, hessian.hessian), "", hessian.value
    with StateSnapshot([f, *pair, *arguments]).guarded():
        if f is not None and _is_wrong(f, hessian.gradient, arguments):
            pair, note = _against_value(f, hessian.hessian, arguments), NOT_ITS.format(name_of(f))
    readings = _readings(pair[1], len(arguments))
    description = confirmed(described_as(pair, arguments, readings))
    target = CallableTarget(replace(description, owed=(), has_samples=False)).target()
    name = next(iter(target.tensors))
    whole = None if _is_product(pair[1], len(arguments)) else partial(_matrix, hessian, arguments)
    if target.jacobians is None:
        target.jacobians = partial(by_products, target, name)
    target.name = name_of(hessian.hessian)
    target.note = note
    target.promises = {**target.promises, "symmetric": partial(is_symmetric, target, name, whole)}
    return target


def _is_product(hessian: Function, count: int) -> bool:
    """Whether it takes a vector besides the ``count`` arguments of the gradient."""
    wanted = required_names(hessian)
    return wanted is not None and len(wanted) == count + 1


def _readings(hessian: Function, count: int) -> list[Reading]:
    """Return how a Hessian is called; of a product no name is needed to tell the vector."""
    first, *others = (Argument("input", i) for i in range(count))
    if _is_product(hessian, count):
        return [Reading((first, COTANGENT, *others)), Reading((COTANGENT, first, *others))]
    return [Reading((first, *others), Gives.JACOBIAN)]


def _matrix(hessian: Hessian, arguments: Sequence[Any]) -> Any:
    inputs = _inputs(hessian.gradient, arguments)
    size = next(iter(inputs.tensors.values())).size
    return as_matrix(hessian.hessian(*inputs.arguments(inputs.tensors)), (size, size))


def _is_wrong(f: Function, gradient: Function, arguments: Sequence[Any]) -> bool:
    """Whether a gradient is not that of ``f``, seen along a few directions."""
    inputs = _inputs(f, arguments)
    name, x = next(iter(inputs.tensors.items()))
    slope = np.asarray(gradient(*inputs.arguments(inputs.tensors)), dtype=np.float64)
    generator, eps = np.random.default_rng(0), float(np.finfo(x.dtype).eps)
    for _ in range(DIRECTIONS):
        direction = generator.standard_normal(x.shape) * per_entry_scale(x)
        found = derivative(_along(f, inputs, name, x, direction))
        sizes = np.abs(slope.reshape(x.shape) * direction)
        rounding = ROUNDINGS * eps * float(sizes.sum())
        gap = abs(float(np.sum(slope.reshape(x.shape) * direction)) - found.value)
        if gap > MARGIN * (found.error_bound + rounding):
            return True
    return False


def _along(
    f: Function, inputs: Inputs, name: str, x: Array, direction: Array
) -> Callable[[float], float]:
    return lambda t: float(f(*inputs.arguments({**inputs.tensors, name: x + t * direction})))


def _against_value(
    f: Function, hessian: Function, arguments: Sequence[Any]
) -> tuple[Function, Function]:
    """Return the numerical gradient of ``f`` and its Hessian; of many entries, along a few axes."""
    inputs = _inputs(f, arguments)
    name, x = next(iter(inputs.tensors.items()))
    is_product = _is_product(hessian, len(arguments))

    def axes() -> Array:
        if x.size <= MOST_AXES:
            return np.eye(x.size)
        return np.random.default_rng(0).standard_normal((DIRECTIONS, x.size))

    @wraps(f)
    def slopes(*given: Any) -> Array:
        at, value = Inputs.of(f, given), np.asarray(given[inputs.names.index(name)])
        lines = [_along(f, at, name, value, axis.reshape(x.shape)) for axis in axes()]
        found = np.array([derivative(line).value for line in lines])
        return found.reshape(x.shape) if x.size <= MOST_AXES else found

    def rows(*given: Any) -> Any:
        if not is_product:
            return axes() @ as_matrix(hessian(*given), (x.size, x.size))
        shaped = (axis.reshape(x.shape) for axis in axes())
        return np.stack([hessian(given[0], axis, *given[1:]).reshape(-1) for axis in shaped])

    return slopes, hessian if x.size <= MOST_AXES else rows


def _whole(hessian: Hessian, arguments: Sequence[Any]) -> Target:
    """Return one target of a function beside its gradient, for what makes targets of things."""
    f, second = hessian.value, _target(hessian, arguments)
    assert f is not None
    inputs = Inputs.of(f, arguments)
    name = next(iter(inputs.tensors))

    def forward(tensors: Tensors) -> tuple[Array, Array]:
        given = inputs.arguments({**inputs.tensors, **tensors})
        return np.asarray(f(*given)), np.asarray(hessian.gradient(*given))

    def vjp(tensors: Tensors, cotangents: Outputs) -> dict[str, Array]:
        slope = np.asarray(hessian.gradient(*inputs.arguments({**inputs.tensors, **tensors})))
        product = second.vjp(tensors, (cotangents[1],))[name]
        return {name: cotangents[0] * slope + product}

    return Target(name_of(f), {name: inputs.tensors[name]}, forward, vjp, state=second.state)
