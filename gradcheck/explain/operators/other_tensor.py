"""The gradient of another tensor, or of the layer with another tensor in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis, Operator, Stage
from gradcheck.explain.jacobian.index_moves import moves
from gradcheck.explain.observation import Observation

# Other tensors of up to this many entries are moved about.
MOST_MOVED = 4096


def swapped(observation: Observation) -> Iterator[Hypothesis]:
    """The claim is the gradient of another tensor of the same shape."""
    name = observation.name
    for other, value in _others(observation):
        if value.shape == observation.shape and other in observation.point.claimed:
            yield Hypothesis(
                Bug.SWAPPED,
                f"what is returned as the gradient of {name} is that of {other}",
                f"return the gradients in the order of the arguments: {name} and {other} are "
                "exchanged",
                0.6,
                Operator(Stage.FORWARD, observation=_of(observation, other), alone=True),
            )


def _others(observation: Observation) -> Iterator[tuple[str, Array]]:
    for other, value in observation.point.tensors.items():
        if other != observation.name and value.dtype.kind == "f":
            yield other, value


def _of(observation: Observation, other: str) -> Observation:
    claimed = {**observation.point.claimed, other: observation.claim}
    unsure = {**observation.point.unsure, other: observation.point.unsure[observation.name]}
    point = replace(observation.point, claimed=claimed, unsure=unsure)
    return replace(observation, name=other, point=point, losses=None, _rays={}, _memo={})


def other_tensor_moved(observation: Observation) -> Iterator[Hypothesis]:
    """The claim is right for a layer in which another tensor is flipped, transposed or shifted."""
    for other, value in _others(observation):
        if not 1 < value.size <= MOST_MOVED:
            continue
        for code, how, cost, moved in moves(value):
            if moved.shape != value.shape or np.array_equal(moved, value):
                continue
            yield Hypothesis(
                code,
                f"the gradient of {observation.name} uses {other} {how}",
                f"use {other} in the backward as the chain rule needs it; now it is {how}",
                cost + 0.1,
                Operator(Stage.FORWARD, observation=_with(observation, other, moved), alone=True),
            )


def _with(observation: Observation, other: str, value: Array) -> Observation:
    # not every framework takes the views that moving makes, with their strides
    tensors = {**observation.point.tensors, other: np.ascontiguousarray(value)}
    outputs = observation.evaluator.run(tensors).outputs
    point = replace(observation.point, tensors=tensors, outputs=outputs)
    return replace(observation, point=point, losses=None, _rays={}, _memo={})
