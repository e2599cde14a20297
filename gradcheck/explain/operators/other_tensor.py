"""The gradient of another tensor, or of the layer with another tensor in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck.explain.hypothesis import Part, Stage, pattern
from gradcheck.explain.jacobian.index_moves import moves
from gradcheck.explain.observation import Evidence
from gradcheck.target import Array

# Other tensors of up to this many entries are moved about.
MOST_MOVED = 4096


@pattern
def swapped(evidence: Evidence) -> Iterator[Part]:
    """The claim is the gradient of another tensor of the same shape."""
    for other, value in evidence.point.tensors.items():
        if other == evidence.name or value.shape != evidence.shape or value.dtype.kind != "f":
            continue
        if other not in evidence.point.claimed:
            continue
        yield Part(
            "swapped",
            Stage.FORWARD,
            f"what is returned as the gradient of {evidence.name} is that of {other}",
            f"return the gradients in the order of the arguments: {evidence.name} and {other} "
            "are exchanged",
            0.6,
            evidence=_of(evidence, other),
            alone=True,
        )


def _of(evidence: Evidence, other: str) -> Evidence:
    claimed = {**evidence.point.claimed, other: evidence.claim}
    unsure = {**evidence.point.unsure, other: evidence.point.unsure[evidence.name]}
    return replace(
        evidence,
        name=other,
        point=replace(evidence.point, claimed=claimed, unsure=unsure),
        losses=None,
        _rays={},
        _memo={},
    )


@pattern
def other_tensor_moved(evidence: Evidence) -> Iterator[Part]:
    """The claim is right for a layer in which another tensor is flipped, transposed or shifted."""
    for other, value in evidence.point.tensors.items():
        if other == evidence.name or value.dtype.kind != "f":
            continue
        if not 1 < value.size <= MOST_MOVED:
            continue
        for code, how, cost, moved in moves(value):
            if moved.shape != value.shape or np.array_equal(moved, value):
                continue
            yield Part(
                code,
                Stage.FORWARD,
                f"the gradient of {evidence.name} uses {other} {how}",
                f"use {other} in the backward as the chain rule needs it; now it is {how}",
                cost + 0.1,
                evidence=_with(evidence, other, moved),
                alone=True,
            )


def _with(evidence: Evidence, other: str, value: Array) -> Evidence:
    # not every framework takes the views that moving makes, with their strides
    tensors = {**evidence.point.tensors, other: np.ascontiguousarray(value)}
    outputs = evidence.probe.run(tensors).outputs
    point = replace(evidence.point, tensors=tensors, outputs=outputs)
    return replace(evidence, point=point, losses=None, _rays={}, _memo={})
