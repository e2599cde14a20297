"""Bugs in how samples add up: one sample's gradient stands for the whole batch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Outputs
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Part, Stage, pattern
from gradcheck.explain.observation import Observation


@pattern
def last_sample_only(observation: Observation) -> Iterator[Part]:
    """The claim is what the last (or the first) sample contributes."""
    if observation.batch < 2 or any(
        output.ndim == 0 or output.shape[0] != observation.batch
        for output in observation.point.outputs
    ):
        return
    name = observation.name
    if (
        observation.shape[:1] == (observation.batch,)
        and observation.evaluator.target.role(name) == "input"
    ):
        return
    for index, which, cost in ((observation.batch - 1, "last", 1.0), (0, "first", 1.5)):
        yield Part(
            Bug.LAST_SAMPLE_ONLY,
            Stage.SAMPLES,
            f"the gradient is that of the {which} of the {observation.batch} samples alone",
            f"d{name} += ...  # accumulate over the samples; '=' keeps only one of them",
            cost,
            cotangents=_only(index),
        )


def _only(index: int) -> Callable[[Outputs, Outputs], Outputs]:
    def mask(_: Outputs, cotangents: Outputs) -> Outputs:
        masked = tuple(np.zeros_like(v) for v in cotangents)
        for kept, v in zip(masked, cotangents, strict=True):
            kept[index] = v[index]
        return masked

    return mask
