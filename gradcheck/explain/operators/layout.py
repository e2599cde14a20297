"""Bugs in how a gradient is summed over the samples, reduced, or laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Outputs
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis, Operator, Stage
from gradcheck.explain.observation import Observation


def last_sample_only(observation: Observation) -> Iterator[Hypothesis]:
    """The analytic gradient is what the last (or the first) sample contributes."""
    name, batch = observation.name, observation.batch
    of_samples = observation.shape[:1] == (batch,)
    if of_samples and observation.evaluator.target.role(name) == "input":
        return
    if batch < 2 or any(output.shape[:1] != (batch,) for output in observation.point.outputs):
        return
    fix = f"d{name} += ...  # accumulate over the samples; '=' keeps only one of them"
    for index, which, cost in ((batch - 1, "last", 1.0), (0, "first", 1.5)):
        message = f"the gradient is that of the {which} of the {batch} samples alone"
        alone = Operator(Stage.SAMPLES, cotangents=_only(index))
        yield Hypothesis(Bug.LAST_SAMPLE_ONLY, message, fix, cost, alone)


def _only(index: int) -> Callable[[Outputs, Outputs], Outputs]:
    def mask(_: Outputs, cotangents: Outputs) -> Outputs:
        masked = tuple(np.zeros_like(v) for v in cotangents)
        for kept, v in zip(masked, cotangents, strict=True):
            kept[index] = v[index]
        return masked

    return mask


def summed_to_scalar(observation: Observation) -> Iterator[Hypothesis]:
    """Every entry is the same number: the sum of the gradient over all entries."""
    analytic = observation.analytic
    unsure = float(np.max(observation.point.unsure[observation.name], initial=0.0))
    rounding = 64 * observation.eps * float(np.abs(analytic).max(initial=0.0))
    if analytic.size < 2 or np.ptp(analytic) > rounding + 8 * unsure:
        return
    message = (
        f"every entry of the gradient is the same number: the sum over all {analytic.size} "
        "entries, where each entry should have its own sum over the samples"
    )
    fix = f"d{observation.name} = delta.sum(axis=0)  # one sum per unit, not delta.sum()"
    total = Operator(Stage.GRADIENT, adjoint=lambda d: np.full(d.shape, d.sum()), one_number=True)
    yield Hypothesis(Bug.SUMMED_TO_SCALAR, message, fix, 1.0, total)


def transposed(observation: Observation) -> Iterator[Hypothesis]:
    """The gradient is transposed, which only a square matrix lets pass."""
    shape, name = observation.shape, observation.name
    if len(shape) == 2 and shape[0] == shape[1] > 1:
        shaped = f"d{name} = inputs.T @ delta  # shaped like {name}"
        fix = f"{shaped}; its transpose is what is returned now"
        turned = Operator(Stage.GRADIENT, adjoint=lambda d: np.ascontiguousarray(d.T))
        yield Hypothesis(Bug.TRANSPOSED, "the gradient is transposed", fix, 1.0, turned)
