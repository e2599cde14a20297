"""A hypothesis: what the backward would have to do to claim what it claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from gradcheck._types import Array, Outputs
from gradcheck.explain.observation import Observation


class Stage(IntEnum):
    """Where on its way back a gradient is spoiled; a hypothesis spoils each stage at most once."""

    FORWARD = 0
    LOSS = 1
    SAMPLES = 2
    GRADIENT = 3


@dataclass(frozen=True)
class Part:
    """One deviation from the right gradient; one or more of them make a hypothesis.

    A gradient-side operator A is given by its adjoint on directions: <A g, d> = <g, A* d>, so
    that a hypothesis about a tensor of any size costs a handful of forwards.

    Attributes
    ----------
    code
        The bug's name.
    stage
        Where it acts.
    message, fix
        What is wrong, and the line to change.
    cost
        Description length: of two hypotheses that fit, the simpler is preferred.
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
        True where it is not to be combined with other parts.
    """

    code: str
    stage: Stage
    message: str
    fix: str
    cost: float = 1.0
    cotangents: Callable[[Outputs, Outputs], Outputs] | None = None
    adjoint: Callable[[Array], Array] | None = None
    observation: Observation | None = None
    one_number: bool = False
    alone: bool = False


Pattern = Callable[[Observation], Iterator[Part]]

PATTERNS: list[Pattern] = []


def pattern(function: Pattern) -> Pattern:
    """Register a pattern: it yields the parts worth trying on the evidence, cheap tests first."""
    PATTERNS.append(function)
    return function
