"""Layers in a row, and the multi-layer perceptron made of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.functional import softmax
from network.layers import Dense, Layer, ReLU

Array = NDArray[np.floating[Any]]


class Sequential:
    """Layers applied one after the other.

    Parameters
    ----------
    layers
        From input to output.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        if not layers:
            raise ValueError("layers is empty; give at least one layer")
        self.layers = list(layers)

    @property
    def params(self) -> dict[str, Array]:
        """All parameters, as ``"0.W"``: position of the layer, name in the layer."""
        return {
            f"{i}.{name}": value
            for i, layer in enumerate(self.layers)
            for name, value in layer.params.items()
        }

    @property
    def grads(self) -> dict[str, Array]:
        """The gradients that the last backward left, named as `params`."""
        return {
            f"{i}.{name}": value
            for i, layer in enumerate(self.layers)
            for name, value in layer.grads.items()
        }

    def forward(self, x: Array) -> Array:
        """Return the output of the last layer, for a classifier the logits."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy: Array) -> Array:
        """Return the gradient with respect to the input; parameters keep theirs in `grads`."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    def predict(self, X: Array) -> Array:
        """Return class probabilities: the softmax of every row of the logits."""
        dtype = next(iter(self.params.values())).dtype if self.params else X.dtype
        return softmax(self.forward(np.asarray(X, dtype=dtype)))


def mlp(sizes: Sequence[int], *, seed: int = 0, dtype: Any = np.float32) -> Sequential:
    """Return a multi-layer perceptron: dense layers with ReLU between them, logits at the end.

    Parameters
    ----------
    sizes
        Units per layer, inputs first: ``[784, 300, 75, 10]``.
    seed
        Of the initial weights (He initialisation, gain 1 for the output layer).
    dtype
        float32 or float64.

    Raises
    ------
    ValueError
        If there are fewer than two sizes.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes={list(sizes)}: expected at least inputs and outputs")
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        layers += [Dense(inputs, outputs, rng=rng, dtype=dtype), ReLU()]
    layers.append(Dense(sizes[-2], sizes[-1], rng=rng, gain=1.0, dtype=dtype))
    return Sequential(layers)
