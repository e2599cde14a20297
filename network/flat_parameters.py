"""All parameters of a model as one vector, and all gradients as another, while it is trained.

A step of an optimizer is then two or three operations on long vectors, whatever the number of
layers: the layers' own arrays are views of the vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import numpy as np

from network.functional import Array
from network.layers.base import Layer
from network.optimizers import Optimizer

# The name of the vector in the state of an optimizer.
ALL = "all"


class Vectors(NamedTuple):
    """What an optimizer is given in place of parameters and gradients by name."""

    params: dict[str, Array]
    grads: dict[str, Array]


@contextmanager
def in_training(model: Layer, optimizer: Optimizer) -> Iterator[Vectors]:
    """Lay out the model for training by this optimizer; afterwards its own arrays are as trained.

    Parameters
    ----------
    model
        Its layers take part in training, and write their results over those of the last batch.
    optimizer
        Says where gradients are left, see `Optimizer.accumulator`.

    Yields
    ------
    Vectors
        For `Optimizer.step`, live.
    """
    leaves = list(model.leaves())
    params = np.concatenate([_vector(layer.params) for layer in leaves])
    grads, keep = optimizer.accumulator(ALL, params)
    before = [
        (layer, dict(layer.params), dict(layer.grads), (layer.training, layer.reuse, layer.keep))
        for layer in leaves
    ]
    start = 0
    for layer in leaves:
        layer.training, layer.reuse, layer.keep = True, True, keep
        for name, parameter in layer.params.items():
            place = slice(start, start + parameter.size)
            layer.params[name] = params[place].reshape(parameter.shape, order=_order(parameter))
            layer.grads[name] = grads[place].reshape(parameter.shape, order=_order(parameter))
            start = place.stop
    try:
        yield Vectors({ALL: params}, {ALL: grads})
    finally:
        for layer, own, own_grads, modes in before:
            for name, value in own.items():
                value[...] = layer.params[name]
            layer.params.update(own)
            layer.grads.update(own_grads)
            layer.training, layer.reuse, layer.keep = modes


def _vector(params: dict[str, Array]) -> Array:
    parts = [parameter.ravel(order=_order(parameter)) for parameter in params.values()]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _order(parameter: Array) -> Literal["C", "F"]:
    """Return how the entries of a parameter follow each other in memory."""
    return "F" if parameter.flags.f_contiguous else "C"
