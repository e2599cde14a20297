"""The backward of PyTorch code as a function itself, whose gradients PyTorch takes in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck.adapters.frameworks.pytorch.arrays import is_differentiable, results_in, tensors_in
from gradcheck.adapters.frameworks.pytorch.call import recording


def backward_of(thing: Any, arguments: Sequence[Any]) -> tuple[Callable[..., Any], list[Any]]:
    """Return the function from inputs and cotangents to gradients, and the outputs of the forward.

    Parameters
    ----------
    thing, arguments
        As for `gradcheck.adapters.frameworks.torch.adapt`.
    """
    import torch

    forward = getattr(thing, "apply") if isinstance(thing, type) else thing  # noqa: B009
    given = tuple(torch.as_tensor(v) if isinstance(v, np.ndarray) else v for v in arguments)
    has_parameters = isinstance(thing, torch.nn.Module)

    def outputs(inputs: Sequence[Any]) -> list[Any]:
        return [y for y in results_in(forward(*inputs)) if is_differentiable(y)]

    def backward(*given: Any) -> Any:
        inputs, cotangents = given[: len(arguments)], given[len(arguments) :]
        with recording():
            tensors = [t for t in tensors_in(inputs) if is_differentiable(t)]
            owned = thing.parameters() if has_parameters else ()
            moving = [
                *(t if t.requires_grad else t.requires_grad_() for t in tensors),
                *(parameter for parameter in owned if parameter.requires_grad),
            ]
            reached = [
                (y, v) for y, v in zip(outputs(inputs), cotangents, strict=True) if y.requires_grad
            ]
            gradients = torch.autograd.grad(
                [y for y, _ in reached],
                moving,
                [v for _, v in reached],
                create_graph=True,
                allow_unused=True,
            )
        return tuple(
            torch.zeros_like(tensor) if gradient is None else gradient
            for tensor, gradient in zip(moving, gradients, strict=True)
        )

    backward.__name__ = f"{getattr(thing, '__name__', type(thing).__name__)}.backward"
    with torch.no_grad():
        return backward, outputs(given)
