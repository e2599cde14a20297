"""Gradients that PyTorch defines to be other than the derivative of what runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcheck._types import Array, Tensors

# Draws whose gradient by their parameters is zero by definition (see PyTorch's derivatives.yaml):
# with the generator held, what they return may move all the same.
DRAWS = ("Normal", "Bernoulli", "Uniform", "Exponential", "Geometric", "Cauchy", "LogNormal",
         "Poisson", "Binomial", "Random", "Multinomial")  # fmt: skip

# Entries tried for one that is overwritten by another, the largest gradients first.
MOST_ENTRIES = 32


def why_defined(
    forward: Callable[[Tensors], tuple[Any, ...]], at: Tensors, name: str, analytic: Array
) -> str:
    """Say why the gradient of ``name`` is no derivative by PyTorch's own word; empty if it is.

    Parameters
    ----------
    forward
        Returns the outputs as tensors, with their graph.
    at, name, analytic
        The point, the tensor, and its analytic gradient there.
    """
    drawn = {node for result in forward(at) for node in _nodes(result.grad_fn) if _draws(node)}
    if drawn:
        return (
            f"the output is drawn at random ({', '.join(sorted(drawn))}), and PyTorch defines the "
            "gradient of a draw to be zero; check what comes after it, or draw standard numbers "
            "and scale them"
        )
    unordered = _without_order(forward, at)
    if unordered and _overwritten(forward, at, name, analytic):
        return (
            f"of entries written to one place only the last counts ({unordered}), and the gradient "
            "is given to all of them; check with indices that do not repeat"
        )
    return ""


def _nodes(node: Any) -> Iterator[str]:
    """Yield the names of all steps that lead to ``node``."""
    waiting, known = [node], {None}
    while waiting:
        node = waiting.pop()
        if node in known:
            continue
        known.add(node)
        yield node.name()
        waiting += [step for step, _ in node.next_functions]


def _draws(name: str) -> bool:
    return any(name.rstrip("0123456789") == f"{draw}Backward" for draw in DRAWS)


def _without_order(forward: Callable[[Tensors], tuple[Any, ...]], at: Tensors) -> str:
    """Return what PyTorch says of an operation that is not deterministic; empty if there is none.

    On one thread its results repeat all the same: which write comes last is what is undefined.
    """
    with _deterministic():
        try:
            forward(at)
        except RuntimeError as error:
            said, found, _ = str(error).partition(" does not have a deterministic implementation")
            return said.split()[-1] if found else ""
    return ""


@contextmanager
def _deterministic() -> Iterator[None]:
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_only)


def _overwritten(
    forward: Callable[[Tensors], tuple[Any, ...]], at: Tensors, name: str, analytic: Array
) -> bool:
    """Whether an entry that has a gradient changes no output by a single bit."""
    value = at[name]
    if analytic.size != value.size:
        return False
    before = [result.detach().clone() for result in forward(at)]
    largest = np.argsort(-np.abs(analytic.reshape(-1)))[:MOST_ENTRIES]
    for position in largest[analytic.reshape(-1)[largest] != 0]:
        moved = value.copy()
        moved.flat[position] += max(1.0, abs(float(value.flat[position])))
        now = forward({**at, name: moved})
        if all(bool((a == b).all()) for a, b in zip(before, now, strict=True)):
            return True
    return False
