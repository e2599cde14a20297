"""The gradient belongs to another loss than the one reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gradcheck._types import Outputs
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Part, Stage, pattern
from gradcheck.explain.observation import Observation


@pattern
def gradient_of_other_loss(observation: Observation) -> Iterator[Part]:
    """The claim descends another loss of the same predictions."""
    if observation.losses is None:
        return
    reported = observation.losses.reported
    for loss in observation.losses.others:
        yield Part(
            Bug.GRADIENT_OF_OTHER_LOSS,
            Stage.LOSS,
            f"the step descends the {loss.name}, not the {reported.name} that is reported",
            loss.fix_towards(reported),
            loss.cost,
            cotangents=_of(loss.gradient),
        )


def _of(gradient: Callable[[Outputs], Outputs]) -> Callable[[Outputs, Outputs], Outputs]:
    return lambda outputs, _: gradient(outputs)


@pattern
def predictions_of_rows_alone(observation: Observation) -> Iterator[Part]:
    """The claim is right for samples predicted alone, not for the batch the loss is reported on."""
    if observation.alone is None:
        return
    yield Part(
        Bug.SAMPLES_MIXED,
        Stage.FORWARD,
        "the step descends the loss of every sample predicted alone; the loss reported on the "
        "batch is another one, because a sample's prediction there depends on the others",
        "normalise each row by itself: x.max(axis=-1, keepdims=True) and "
        "e.sum(axis=-1, keepdims=True)",
        observation=observation.alone,
    )
