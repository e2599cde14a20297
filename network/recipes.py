"""Optimizers and schedules by name, with settings that suit a multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Callable

from network.optimizers import SGD, Adam, AdamW, Optimizer, RMSProp
from network.schedules import Cosine, Schedule, StepDecay, WarmUp

# Learning rates: the usual starting points of each method; momentum 0.9 makes steps ten times as
# long in the end, so that its rate is smaller than that of plain descent.
OPTIMIZERS: dict[str, tuple[Callable[[float], Optimizer], float]] = {
    "sgd": (SGD, 0.1),
    "momentum": (lambda rate: SGD(rate, 0.9), 0.02),
    "nesterov": (lambda rate: SGD(rate, 0.9, nesterov=True), 0.02),
    "rmsprop": (RMSProp, 0.001),
    "adam": (Adam, 0.001),
    "adamw": (AdamW, 0.001),
}

SCHEDULES: dict[str, Callable[[int], Schedule | None]] = {
    "constant": lambda epochs: None,
    "step": lambda epochs: StepDecay(0.1, every=max(1.0, epochs / 3)),
    "cosine": lambda epochs: Cosine(),
    "warmup": lambda epochs: WarmUp(min(1.0, epochs / 4), Cosine()),
}


def make_optimizer(name: str, learning_rate: float | None = None) -> Optimizer:
    """Return the optimizer of that name; where the learning rate is None, with its usual one.

    Raises
    ------
    ValueError
        If there is none of that name; those that there are are listed.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"optimizer {name!r}: expected {', '.join(OPTIMIZERS)}")
    make, usual = OPTIMIZERS[name]
    return make(usual if learning_rate is None else learning_rate)


def make_schedule(name: str, epochs: int) -> Schedule | None:
    """Return the schedule of that name for a run of so many epochs, None for a constant rate.

    Raises
    ------
    ValueError
        If there is none of that name; those that there are are listed.
    """
    if name not in SCHEDULES:
        raise ValueError(f"schedule {name!r}: expected {', '.join(SCHEDULES)}")
    return SCHEDULES[name](epochs)
