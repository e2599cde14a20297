"""Pairs of functions on the tensors of a framework, as pairs of functions on arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from gradcheck._types import Array
from gradcheck.adapters.conventions import function_pair
from gradcheck.adapters.recognition import described
from gradcheck.adapters.signatures.pytree import paths, rebuilt
from gradcheck.target import Target

is_pair = function_pair.is_pair


def adapt_pair(
    pair: Sequence[Callable[..., Any]],
    arguments: Sequence[Any],
    params: Any,
    is_tensor: Callable[[Any], bool],
    as_array: Callable[[Any], Array],
    like: Callable[[Array, Any], Any],
) -> Target:
    """Return the target of ``(forward, backward)`` or ``(f, grad)`` on tensors.

    Parameters
    ----------
    pair, arguments, params
        As for `gradcheck.as_target`.
    is_tensor
        Whether a value is a tensor of the framework.
    as_array, like
        Return the numbers of a tensor as an array, and of an array as a tensor like another one.
    """
    a_tensor = next(leaf for _, leaf in paths("", tuple(arguments)) if is_tensor(leaf))

    def changed(value: Any, is_leaf: Callable[[Any], bool], change: Callable[[Any], Any]) -> Any:
        leaves = {name: change(leaf) for name, leaf in paths("", value) if is_leaf(leaf)}
        return rebuilt("", value, leaves)

    def on_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def called(*given: Any, **settings: Any) -> Any:
            tensors = changed(given, lambda v: hasattr(v, "dtype"), lambda v: like(v, a_tensor))
            return changed(function(*tensors, **settings), is_tensor, as_array)

        return called

    first, second = map(on_arrays, pair)
    given = changed(tuple(arguments), is_tensor, as_array)
    return described((function_pair,), (first, second), given, params)
