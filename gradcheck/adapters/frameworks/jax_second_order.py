"""The pullback of JAX code as a function itself, whose pullback JAX takes in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def backward_of(thing: Any, arguments: Sequence[Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return the function from inputs and cotangents to gradients, and what to call it with.

    Parameters
    ----------
    thing, arguments
        As for `gradcheck.adapters.frameworks.jax.adapt`, a module among the arguments.
    """
    import jax

    def is_inexact(leaf: Any) -> bool:
        dtype = getattr(leaf, "dtype", type(leaf))
        return isinstance(leaf, float) or bool(jax.numpy.issubdtype(dtype, jax.numpy.inexact))

    def pullback(inputs: Sequence[Any]) -> tuple[list[Any], Callable[..., Any]]:
        leaves, tree = jax.tree_util.tree_flatten(tuple(inputs))
        moving = {i: leaf for i, leaf in enumerate(leaves) if is_inexact(leaf)}

        def outputs(*values: Any) -> list[Any]:
            moved = [*leaves]
            for position, value in zip(moving, values, strict=True):
                moved[position] = value
            raw = thing(*jax.tree_util.tree_unflatten(tree, moved))
            return [y for y in jax.tree_util.tree_leaves(raw) if is_inexact(y)]

        results, way_back = jax.vjp(outputs, *moving.values())
        return results, way_back

    def backward(*given: Any) -> Any:
        inputs, cotangents = given[: len(arguments)], given[len(arguments) :]
        return pullback(inputs)[1](list(cotangents))

    backward.__name__ = f"{getattr(thing, '__name__', type(thing).__name__)}.backward"
    rng = np.random.default_rng(0)
    drawn = [
        jax.numpy.asarray(rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1, 1], y.shape), y.dtype)
        for y in pullback(arguments)[0]
    ]
    return backward, (*arguments, *drawn)
