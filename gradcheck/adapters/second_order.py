"""A backward as a function of its own, whose gradients are checked in turn: ``order=2``."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck._types import Outputs
from gradcheck.adapters.frameworks import (
    jax,
    jax_second_order,
    torch,
)
from gradcheck.adapters.frameworks.pytorch import second_order as torch_second_order
from gradcheck.adapters.signatures.methods import input_names
from gradcheck.numerics import real_parts
from gradcheck.numerics.directions import random_cotangents
from gradcheck.values import TargetError

# What stands for the cotangents, one for every output.
COTANGENT = "grad_output"


def backward_of(thing: Any, arguments: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return the function from inputs and cotangents to gradients, and what to call it with.

    Raises
    ------
    TargetError
        If nothing takes the gradient of a gradient of ``thing``.
    """
    framework: Any
    if torch.matches(thing) or any(map(torch.holds, arguments)):
        framework = torch
        backward, outputs = torch_second_order.backward_of(thing, arguments)
    elif jax.matches(thing) or any(map(jax.holds, arguments)):
        framework = jax
        if jax.holds(thing):  # a module, which is a pytree with the parameters
            thing, arguments = _called, (thing, *arguments)
        backward, outputs = jax_second_order.backward_of(thing, arguments)
    else:
        raise TargetError(
            "order=2 checks the gradient of a gradient, and only PyTorch and JAX take one of code "
            "that was given: pass tensors of either, or what computes it: (f, gradient, Hessian), "
            "(gradient, Hessian) or (gradient, Hessian-vector product)"
        )
    drawn = _cotangents(tuple(map(framework.as_array, outputs)))
    given = *arguments, *map(framework.like, drawn, outputs)
    function: Any = backward
    count = len(drawn)
    skip = int(isinstance(thing, type) and torch.takes_context(thing))
    forward = getattr(thing, "forward", thing) if torch.matches(thing) else thing
    names = input_names(forward, len(arguments) + skip)[skip:]
    cotangents = [COTANGENT if count == 1 else f"{COTANGENT}{i}" for i in range(count)]
    function.__signature__ = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            for name in (*names, *cotangents)
        ]
    )
    return function, given


def _cotangents(outputs: Outputs) -> Outputs:
    """Draw one cotangent for every output, complex ones for complex outputs."""
    parts = random_cotangents(real_parts.split_outputs(outputs), np.random.default_rng(0))
    return real_parts.joined_cotangents(parts, outputs)


def _called(module: Any, *inputs: Any) -> Any:
    return module(*inputs)
