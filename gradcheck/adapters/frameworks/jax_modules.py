"""Modules of JAX's libraries that are no pytrees, as functions of their variables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from gradcheck.values import TargetError


def as_function(thing: Any, arguments: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """Return a module of flax.linen as its ``apply`` with its variables as the first argument.

    Anything else is returned as it is.

    Raises
    ------
    TargetError
        If the module has no variables.
    """
    linen = sys.modules.get("flax.linen")
    if linen is None or not isinstance(thing, linen.Module):
        return thing, arguments
    if thing.scope is None:
        name = type(thing).__name__
        raise TargetError(
            f"{name} of flax.linen keeps no parameters itself: pass what applies them, and what "
            f"init returned, before the inputs: check(module.apply, module.init(key, x), x)"
        )
    module, variables = thing.unbind()

    def apply(variables: Any, *inputs: Any) -> Any:
        return module.apply(variables, *inputs)

    apply.__name__ = type(thing).__name__
    return apply, (variables, *arguments)
