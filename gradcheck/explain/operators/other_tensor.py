"""The gradient of another tensor, or of the layer with another tensor in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Part, Stage, pattern
from gradcheck.explain.jacobian.index_moves import moves
from gradcheck.explain.observation import Observation

# Other tensors of up to this many entries are moved about.
MOST_MOVED = 4096


@pattern
def swapped(observation: Observation) -> Iterator[Part]:
    """The claim is the gradient of another tensor of the same shape."""
    for other, value in observation.point.tensors.items():
        if other == observation.name or value.shape != observation.shape or value.dtype.kind != "f":
            continue
        if other not in observation.point.claimed:
            continue
        yield Part(
            Bug.SWAPPED,
            Stage.FORWARD,
            f"what is returned as the gradient of {observation.name} is that of {other}",
            f"return the gradients in the order of the arguments: {observation.name} and {other} "
            "are exchanged",
            0.6,
            observation=_of(observation, other),
            alone=True,
        )


def _of(observation: Observation, other: str) -> Observation:
    claimed = {**observation.point.claimed, other: observation.claim}
    unsure = {**observation.point.unsure, other: observation.point.unsure[observation.name]}
    return replace(
        observation,
        name=other,
        point=replace(observation.point, claimed=claimed, unsure=unsure),
        losses=None,
        _rays={},
        _memo={},
    )


@pattern
def other_tensor_moved(observation: Observation) -> Iterator[Part]:
    """The claim is right for a layer in which another tensor is flipped, transposed or shifted."""
    for other, value in observation.point.tensors.items():
        if other == observation.name or value.dtype.kind != "f":
            continue
        if not 1 < value.size <= MOST_MOVED:
            continue
        for code, how, cost, moved in moves(value):
            if moved.shape != value.shape or np.array_equal(moved, value):
                continue
            yield Part(
                code,
                Stage.FORWARD,
                f"the gradient of {observation.name} uses {other} {how}",
                f"use {other} in the backward as the chain rule needs it; now it is {how}",
                cost + 0.1,
                observation=_with(observation, other, moved),
                alone=True,
            )


def _with(observation: Observation, other: str, value: Array) -> Observation:
    # not every framework takes the views that moving makes, with their strides
    tensors = {**observation.point.tensors, other: np.ascontiguousarray(value)}
    outputs = observation.evaluator.run(tensors).outputs
    point = replace(observation.point, tensors=tensors, outputs=outputs)
    return replace(observation, point=point, losses=None, _rays={}, _memo={})
