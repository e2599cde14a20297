"""The perceptron, and optimizers and schedules by name, with settings that suit it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from gradcheck_arguments import Count, Seed, Share, checked
from network.layers.activations import (
    ELU,
    GELU,
    Activation,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from network.layers.base import Layer
from network.layers.dense import Dense
from network.layers.dropout import Dropout
from network.layers.initialisers import glorot, he, lecun
from network.model import Sequential
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

ACTIVATIONS: dict[str, Callable[[], Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "gelu": GELU,
    "silu": SiLU,
    "softplus": Softplus,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
}
# Odd or saturating functions pass on what goes in and out in equal parts (Glorot and Bengio 2010);
# rectifiers and their kin halve it (He et al. 2015).
SATURATING = ("tanh", "sigmoid")

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


@checked
def mlp(
    sizes: Sequence[Count],
    *,
    activation: str = "relu",
    dropout: Share = 0.0,
    seed: Seed = 0,
    dtype: DTypeLike = np.float32,
) -> Sequential:
    """Return a multi-layer perceptron: dense layers, activations between them, logits at the end.

    Parameters
    ----------
    sizes
        Units per layer, inputs first: ``[784, 300, 75, 10]``.
    activation
        Of the hidden layers, by name, see `ACTIVATIONS`.
    dropout
        Share of the hidden units dropped in training; 0 leaves the layers out.
    seed
        Of the initial weights (He's before rectifiers, Glorot's before saturating functions,
        LeCun's for the output layer) and of what is dropped.
    dtype
        float32 or float64.

    Raises
    ------
    ValueError
        If there is no activation of that name; those that there are are listed. Or if there are
        fewer than two sizes, one is below one, or the share is not in [0, 1).
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation={activation!r}: expected {', '.join(ACTIVATIONS)}")
    if len(sizes) < 2:
        raise ValueError(f"sizes={list(sizes)}: expected at least inputs and outputs")
    rng = np.random.default_rng(seed)
    initialiser = glorot if activation in SATURATING else he
    layers: list[Layer] = []
    for position, (inputs, outputs) in enumerate(pairwise(sizes[:-1])):
        layers.append(Dense(inputs, outputs, rng=rng, initialiser=initialiser, dtype=dtype))
        layers.append(ACTIVATIONS[activation]())
        if dropout:
            layers.append(Dropout(dropout, seed=seed + position))
    layers.append(Dense(sizes[-2], sizes[-1], rng=rng, initialiser=lecun, dtype=dtype))
    return Sequential(layers)


def parse_sizes(text: str) -> list[int]:
    """Return the sizes of the hidden layers from a text such as ``"300,75"``.

    Raises
    ------
    ValueError
        If there is something else than numbers and commas in it.
    """
    try:
        return [int(size) for size in text.split(",") if size]
    except ValueError as error:
        raise ValueError(f"--hidden {text}: expected sizes such as 300,75") from error
