"""JAX's operations with the rounding errors of an arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.numerics.rounded_arithmetic import RoundedArithmetic, current

# How many terms the sums of an operation have, from its operands, its result and its parameters.
# All are linear in each of their operands, so that they give the sums of magnitudes as well.
TERMS: dict[str, Callable[[Sequence[Any], Any, dict[str, Any]], float]] = {
    **dict.fromkeys(
        ("reduce_sum", "scatter-add", "reduce_window_sum"),
        lambda given, made, _: max(v.size for v in given) / max(made.size, 1),
    ),
    "cumsum": lambda _, made, __: max(made.shape, default=1),
    "dot_general": lambda given, _, parameters: math.prod(
        given[0].shape[axis] for axis in parameters["dimension_numbers"][0][0]
    ),
    "conv_general_dilated": lambda given, _, parameters: math.prod(given[1].shape[1:]),
}

# Operations that return numbers as they are.
EXACT = {
    "neg", "abs", "sign", "max", "min", "reduce_max", "reduce_min", "select_n", "reshape",
    "transpose", "broadcast_in_dim", "squeeze", "expand_dims", "concatenate", "pad", "gather",
    "slice", "dynamic_slice", "dynamic_update_slice", "convert_element_type", "copy", "copy_p",
    "rev", "scatter", "sort", "iota", "clamp", "stop_gradient", "real", "imag", "conj", "floor",
    "ceil", "round", "optimization_barrier", "reduce_precision", "split", "argmax", "argmin",
    "cummax", "cummin", "select_and_gather_add", "select_and_scatter_add",
}  # fmt: skip

# Operations whose parts run more than once, or not all: taken as one.
LOOPS = {"scan", "while", "cond"}


def called(function: Callable[..., Any], *values: Any) -> Any:
    """Call a function of arrays, in the current arithmetic where there is one."""
    arithmetic = current()
    if arithmetic is None:
        return function(*values)
    import jax

    closed, shapes = jax.make_jaxpr(function, return_shape=True)(*values)
    found = _evaluated(closed.jaxpr, closed.consts, values, arithmetic)
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(shapes), found)


def _evaluated(
    jaxpr: Any, constants: Sequence[Any], values: Sequence[Any], arithmetic: RoundedArithmetic
) -> list[Any]:
    """Return the outputs of a jaxpr, one operation after the other."""
    known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *values), strict=True))

    def value_of(atom: Any) -> Any:
        return atom.val if hasattr(atom, "val") else known[atom]

    for equation in jaxpr.eqns:
        given = [value_of(atom) for atom in equation.invars]
        inner = _inner(equation)
        if inner is not None:
            found = _evaluated(inner.jaxpr, inner.consts, given, arithmetic)
        else:
            made = equation.primitive.bind(*given, **equation.params)
            several = made if equation.primitive.multiple_results else [made]
            found = [_wrong(equation, given, part, arithmetic) for part in several]
        known.update(zip(equation.outvars, found, strict=True))
    return [value_of(atom) for atom in jaxpr.outvars]


def _inner(equation: Any) -> Any:
    """Return the jaxpr that an operation stands for, None where it stands for itself."""
    if equation.primitive.name in LOOPS:
        return None
    named = ("jaxpr", "call_jaxpr", "fun_jaxpr")
    found = [equation.params[n] for n in named if n in equation.params]
    inner: Any = found[0] if found else None
    return (
        inner if hasattr(inner, "consts") and len(inner.in_avals) == len(equation.invars) else None
    )


def _wrong(equation: Any, given: Sequence[Any], made: Any, arithmetic: RoundedArithmetic) -> Any:
    """Return a result with its rounding error."""
    import jax.numpy as jnp

    name, dtype = equation.primitive.name, getattr(made, "dtype", None)
    if name in EXACT or dtype is None or not jnp.issubdtype(dtype, jnp.inexact):
        return made
    arithmetic.formats.add(str(dtype))
    if arithmetic.intermediates is None:
        return made
    off = arithmetic.of_result(np.asarray(jnp.abs(made), dtype=np.float64))
    if name in TERMS:
        floats = [jnp.issubdtype(jnp.asarray(v).dtype, jnp.inexact) for v in given]
        sizes = [jnp.abs(v) if float_ else v for v, float_ in zip(given, floats, strict=True)]
        total = equation.primitive.bind(*sizes, **equation.params)
        terms = TERMS[name](given, made, equation.params)
        sizes_of_sums = np.asarray(jnp.abs(total), dtype=np.float64)
        off = off + arithmetic.of_sum(sizes_of_sums, terms, running=name == "cumsum")
    return made + jnp.asarray(off, dtype=dtype)
