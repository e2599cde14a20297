"""The gradient belongs to another loss than the one reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gradcheck._types import Outputs
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis, Operator, Stage
from gradcheck.explain.observation import Observation


def gradient_of_other_loss(observation: Observation) -> Iterator[Hypothesis]:
    """The claim descends another loss of the same predictions."""
    if observation.losses is None:
        return
    reported = observation.losses.reported
    for loss in observation.losses.others:
        yield Hypothesis(
            Bug.GRADIENT_OF_OTHER_LOSS,
            f"the step descends the {loss.name}, not the {reported.name} that is reported",
            loss.fix_towards(reported),
            loss.cost,
            Operator(Stage.LOSS, cotangents=_of(loss.gradient)),
        )


def _of(gradient: Callable[[Outputs], Outputs]) -> Callable[[Outputs, Outputs], Outputs]:
    return lambda outputs, _: gradient(outputs)


def predictions_of_rows_alone(observation: Observation) -> Iterator[Hypothesis]:
    """The claim is right for samples predicted alone, not for the batch the loss is reported on."""
    if observation.alone is not None:
        yield Hypothesis(
            Bug.SAMPLES_MIXED,
            "the step descends the loss of every sample predicted alone; the loss reported on the "
            "batch is another one, because a sample's prediction there depends on the others",
            "normalise each row by itself: x.max(axis=-1, keepdims=True) and "
            "e.sum(axis=-1, keepdims=True)",
            1.0,
            Operator(Stage.FORWARD, observation=observation.alone),
        )
