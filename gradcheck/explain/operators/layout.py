"""Bugs in how a parameter's gradient is reduced or laid out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Part, Stage, pattern
from gradcheck.explain.observation import Observation


@pattern
def summed_to_scalar(observation: Observation) -> Iterator[Part]:
    """Every entry of the claim is the same number: the sum of the gradient over all entries."""
    claim = observation.claim
    spread = float(np.ptp(claim)) if claim.size else 0.0
    unsure = float(np.max(observation.point.unsure[observation.name], initial=0.0))
    if claim.size < 2 or spread > 64 * observation.eps * float(np.abs(claim).max()) + 8 * unsure:
        return
    name = observation.name
    yield Part(
        Bug.SUMMED_TO_SCALAR,
        Stage.GRADIENT,
        f"every entry of the gradient is the same number: the sum over all "
        f"{claim.size} entries, where each entry should have its own sum over the samples",
        f"d{name} = delta.sum(axis=0)  # one sum per unit, not delta.sum()",
        adjoint=lambda direction: np.full(direction.shape, direction.sum()),
        one_number=True,
    )


@pattern
def transposed(observation: Observation) -> Iterator[Part]:
    """The claim is the transpose of the gradient, which only a square matrix lets pass."""
    shape = observation.shape
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        return
    name = observation.name

    def transpose(direction: Array) -> Array:
        return np.ascontiguousarray(direction.T)

    yield Part(
        Bug.TRANSPOSED,
        Stage.GRADIENT,
        "the gradient is transposed",
        f"d{name} = inputs.T @ delta  # shaped like {name}; its transpose is what is returned now",
        adjoint=transpose,
    )
