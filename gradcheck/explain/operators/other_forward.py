"""The gradient of another loss, of another tensor, or with another tensor in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis, Operator, Stage
from gradcheck.explain.jacobian.index_moves import moves
from gradcheck.explain.observation import Observation

# Other tensors of up to this many entries are moved about.
MOST_MOVED = 4096


def gradient_of_other_loss(observation: Observation) -> Iterator[Hypothesis]:
    """The step descends another loss of the same predictions."""
    if observation.losses is None:
        return
    reported = observation.losses.reported
    for loss in observation.losses.others:
        message = f"the step descends the {loss.name}, not the {reported.name} that is reported"
        fix, other = (
            loss.fix_towards(reported),
            Operator(Stage.LOSS, cotangents=_starting(loss.gradient)),
        )
        yield Hypothesis(Bug.GRADIENT_OF_OTHER_LOSS, message, fix, loss.cost, other)


def _starting(gradient: Callable[[Outputs], Outputs]) -> Callable[[Outputs, Outputs], Outputs]:
    return lambda outputs, _: gradient(outputs)


def predictions_of_rows_alone(observation: Observation) -> Iterator[Hypothesis]:
    """The step is right for samples predicted alone, not for the batch the loss is reported on."""
    if observation.alone is not None:
        message = (
            "the step descends the loss of every sample predicted alone; the loss reported on the "
            "batch is another one, because a sample's prediction there depends on the others"
        )
        fix = (
            "normalise each row by itself: x.max(axis=-1, keepdims=True) and "
            "e.sum(axis=-1, keepdims=True)"
        )
        alone = Operator(Stage.FORWARD, observation=observation.alone)
        yield Hypothesis(Bug.SAMPLES_MIXED, message, fix, 1.0, alone)


def swapped(observation: Observation) -> Iterator[Hypothesis]:
    """The analytic gradient is that of another tensor of the same shape."""
    name, point = observation.name, observation.point
    for other, value in _others(observation):
        if value.shape == observation.shape and other in point.analytic:
            message = f"what is returned as the gradient of {name} is that of {other}"
            order = "return the gradients in the order of the arguments"
            fix = f"{order}: {name} and {other} are exchanged"
            analytic = {**point.analytic, other: observation.analytic}
            unsure = {**point.unsure, other: point.unsure[name]}
            there = replace(point, analytic=analytic, unsure=unsure)
            operator = _of(replace(observation, name=other, point=there, losses=None))
            yield Hypothesis(Bug.SWAPPED, message, fix, 0.6, operator)


def other_tensor_moved(observation: Observation) -> Iterator[Hypothesis]:
    """The gradient is right for a layer with another tensor flipped, transposed or shifted."""
    point = observation.point
    for other, value in _others(observation):
        for code, how, cost, moved in moves(value) if 1 < value.size <= MOST_MOVED else ():
            if moved.shape == value.shape and not np.array_equal(moved, value):
                message = f"the gradient of {observation.name} uses {other} {how}"
                fix = f"use {other} in the backward as the chain rule needs it; now it is {how}"
                # not every framework takes the views that moving makes, with their strides
                tensors = {**point.tensors, other: np.ascontiguousarray(moved)}
                outputs = observation.evaluator.run(tensors).outputs
                there = replace(point, tensors=tensors, outputs=outputs)
                operator = _of(replace(observation, point=there, losses=None))
                yield Hypothesis(code, message, fix, cost + 0.1, operator)


def _of(observation: Observation) -> Operator:
    """Return the forward of another observation, with nothing measured on it so far."""
    return Operator(Stage.FORWARD, observation=replace(observation, _rays={}, _memo={}), alone=True)


def _others(observation: Observation) -> Iterator[tuple[str, Array]]:
    for other, value in observation.point.tensors.items():
        if other != observation.name and value.dtype.kind == "f":
            yield other, value
