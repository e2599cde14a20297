"""Schedules: the share of the learning rate that is used as training goes on.

A schedule is called with the epochs done so far, in fractions, and the number that was asked for:
2.5 of 10 is the middle of the third epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from gradcheck_arguments import Positive, checked

Schedule = Callable[[float, int], float]


@checked
@dataclass(frozen=True)
class StepDecay:
    """Multiply the learning rate by ``factor`` after every so many epochs.

    Raises
    ------
    ValueError
        If a number is not positive.
    """

    factor: Positive = 0.1
    every: Positive = 10

    def __call__(self, epoch: float, epochs: int) -> float:
        """Return factor^(number of drops so far)."""
        return float(self.factor ** math.floor(epoch / self.every))


@checked
@dataclass(frozen=True)
class Cosine:
    """Follow half a cosine from one to ``floor`` over all epochs.

    Raises
    ------
    ValueError
        If the floor is not in [0, 1].

    Notes
    -----
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
    equation 5, without restarts.
    """

    floor: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= 1:
            raise ValueError(f"floor={self.floor}: expected a number in [0, 1]")

    def __call__(self, epoch: float, epochs: int) -> float:
        """Return floor + (1 - floor) (1 + cos(pi epoch / epochs)) / 2."""
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * epoch / epochs)) / 2


@checked
@dataclass(frozen=True)
class WarmUp:
    """Rise in a straight line over the first ``length`` epochs, and then follow another schedule.

    Raises
    ------
    ValueError
        If the length is not positive.

    Notes
    -----
    P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", arXiv:1706.02677,
    section 2.2. The rise starts at a hundredth, not at zero, so that the first step is one.
    """

    length: Positive = 1.0
    then: Schedule | None = None

    def __call__(self, epoch: float, epochs: int) -> float:
        """Return the share of the rise, times that of the schedule that follows."""
        rise = min(1.0, 0.01 + 0.99 * epoch / self.length)
        return rise * (1.0 if self.then is None else self.then(epoch, epochs))
