"""The pullback of JAX code as a function itself, whose pullback JAX takes in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.adapters.frameworks.jax import is_float


def backward_of(thing: Any, arguments: Sequence[Any]) -> tuple[Callable[..., Any], list[Any]]:
    """Return the function from inputs and cotangents to gradients, and the outputs of the forward.

    Parameters
    ----------
    thing, arguments
        As for `gradcheck.adapters.frameworks.jax.adapt`, a module among the arguments.
    """
    import jax

    def pullback(inputs: Sequence[Any]) -> tuple[list[Any], Callable[..., Any]]:
        leaves, tree = jax.tree_util.tree_flatten(tuple(inputs))
        moving = {i: leaf for i, leaf in enumerate(leaves) if is_float(leaf)}

        def outputs(*values: Any) -> list[Any]:
            moved = [*leaves]
            for position, value in zip(moving, values, strict=True):
                moved[position] = value
            raw = thing(*jax.tree_util.tree_unflatten(tree, moved))
            return [y for y in jax.tree_util.tree_leaves(raw) if is_float(y)]

        results, way_back = jax.vjp(outputs, *moving.values())
        return results, way_back

    def backward(*given: Any) -> Any:
        inputs, cotangents = given[: len(arguments)], given[len(arguments) :]
        return pullback(inputs)[1](list(cotangents))

    backward.__name__ = f"{getattr(thing, '__name__', type(thing).__name__)}.backward"
    return backward, pullback(arguments)[0]
