"""Bugs in how samples add up: one sample's gradient stands for the whole batch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck.explain.hypothesis import Part, Stage, pattern
from gradcheck.explain.observation import Evidence
from gradcheck.target import Outputs


@pattern
def last_sample_only(evidence: Evidence) -> Iterator[Part]:
    """The claim is what the last (or the first) sample contributes."""
    if evidence.batch < 2 or any(
        output.ndim == 0 or output.shape[0] != evidence.batch for output in evidence.point.outputs
    ):
        return
    name = evidence.name
    if evidence.shape[:1] == (evidence.batch,) and evidence.probe.target.role(name) == "input":
        return
    for index, which, cost in ((evidence.batch - 1, "last", 1.0), (0, "first", 1.5)):
        yield Part(
            "last_sample_only",
            Stage.SAMPLES,
            f"the gradient is that of the {which} of the {evidence.batch} samples alone",
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
