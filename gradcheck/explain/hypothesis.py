"""A hypothesis: what is wrong in a backward, and the gradient that it would then return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from gradcheck._types import Array, Outputs
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.observation import Observation


class Stage(IntEnum):
    """Where on its way back a gradient is spoiled; what is combined spoils each at most once."""

    FORWARD = 0
    LOSS = 1
    SAMPLES = 2
    GRADIENT = 3


@dataclass(frozen=True)
class Operator:
    """What a bug does to the cotangent or to the gradient, for tensors of any size.

    What is done to the gradient, A, is given by its adjoint on directions: <A g, d> = <g, A* d>,
    so that to test it costs a handful of forwards.

    Attributes
    ----------
    stage
        Where it acts.
    cotangents
        ``(outputs, cotangents) -> cotangents`` that this bug would use, where it changes them.
    adjoint
        ``direction -> direction``, the adjoint of what is done to the gradient.
    observation
        Another forward that the gradient may belong to.
    one_number
        True where all predictions are multiples of one number, so that a factor fitted to them
        would always match and is no evidence.
    alone
        True where it is not to be combined with others.
    """

    stage: Stage
    cotangents: Callable[[Outputs, Outputs], Outputs] | None = None
    adjoint: Callable[[Array], Array] | None = None
    observation: Observation | None = None
    one_number: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Hypothesis:
    """One bug, and what it predicts.

    Attributes
    ----------
    code
        The bug's name.
    message, fix
        What is wrong, and the line to change.
    cost
        Description length: of two hypotheses that match, the simpler is preferred.
    prediction
        The gradient that the backward would return, or what returns it, shaped like the tensor;
        or how it differs from the right one, whatever the tensor's size.
    fitted
        How many numbers of the prediction were taken from the analytic gradient itself.
    scaled
        Whether a constant factor may come on top, such as that of a mean over the samples.
    sure
        Confidence at best: less where the structure of the numbers is described, not its cause.
    blur
        Bound on a prediction that is not made of the measured gradient.
    part
        What the prediction leaves out of the gradient, where it may instead have come with a wrong
        factor.
    """

    code: Bug
    message: str
    fix: str
    cost: float
    prediction: Array | Callable[[], Array] | Operator
    fitted: int = 0
    scaled: bool = False
    sure: float = 1.0
    blur: Array | float = 0.0
    part: str = ""

    @property
    def operator(self) -> Operator:
        """The prediction, of a hypothesis on tensors of any size."""
        assert isinstance(self.prediction, Operator)
        return self.prediction
