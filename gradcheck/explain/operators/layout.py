"""Bugs in how a gradient is summed over the samples, reduced, or laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Outputs
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis, Operator, Stage
from gradcheck.explain.observation import Observation


def last_sample_only(observation: Observation) -> Iterator[Hypothesis]:
    """The claim is what the last (or the first) sample contributes."""
    name, batch = observation.name, observation.batch
    of_samples = observation.shape[:1] == (batch,)
    if of_samples and observation.evaluator.target.role(name) == "input":
        return
    if batch < 2 or any(output.shape[:1] != (batch,) for output in observation.point.outputs):
        return
    for index, which, cost in ((batch - 1, "last", 1.0), (0, "first", 1.5)):
        yield Hypothesis(
            Bug.LAST_SAMPLE_ONLY,
            f"the gradient is that of the {which} of the {batch} samples alone",
            f"d{name} += ...  # accumulate over the samples; '=' keeps only one of them",
            cost,
            Operator(Stage.SAMPLES, cotangents=_only(index)),
        )


def _only(index: int) -> Callable[[Outputs, Outputs], Outputs]:
    def mask(_: Outputs, cotangents: Outputs) -> Outputs:
        masked = tuple(np.zeros_like(v) for v in cotangents)
        for kept, v in zip(masked, cotangents, strict=True):
            kept[index] = v[index]
        return masked

    return mask


def summed_to_scalar(observation: Observation) -> Iterator[Hypothesis]:
    """Every entry of the claim is the same number: the sum of the gradient over all entries."""
    claim = observation.claim
    spread = float(np.ptp(claim)) if claim.size else 0.0
    unsure = float(np.max(observation.point.unsure[observation.name], initial=0.0))
    if claim.size < 2 or spread > 64 * observation.eps * float(np.abs(claim).max()) + 8 * unsure:
        return
    yield Hypothesis(
        Bug.SUMMED_TO_SCALAR,
        f"every entry of the gradient is the same number: the sum over all "
        f"{claim.size} entries, where each entry should have its own sum over the samples",
        f"d{observation.name} = delta.sum(axis=0)  # one sum per unit, not delta.sum()",
        1.0,
        Operator(
            Stage.GRADIENT,
            adjoint=lambda direction: np.full(direction.shape, direction.sum()),
            one_number=True,
        ),
    )


def transposed(observation: Observation) -> Iterator[Hypothesis]:
    """The claim is the transpose of the gradient, which only a square matrix lets pass."""
    shape, name = observation.shape, observation.name
    if len(shape) == 2 and shape[0] == shape[1] > 1:
        yield Hypothesis(
            Bug.TRANSPOSED,
            "the gradient is transposed",
            f"d{name} = inputs.T @ delta  # shaped like {name}; its transpose is what is returned "
            "now",
            1.0,
            Operator(Stage.GRADIENT, adjoint=lambda direction: np.ascontiguousarray(direction.T)),
        )
