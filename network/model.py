"""Layers in a row, and the multi-layer perceptron made of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from network.functional import Array, softmax
from network.layers import Dense, Layer, ReLU, Softmax


class Sequential:
    """Layers applied one after the other.

    Parameters
    ----------
    layers
        From input to output.

    Raises
    ------
    ValueError
        If there are none.
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

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """That of the parameters; float64 where there are none."""
        return np.result_type(*self.params.values()) if self.params else np.dtype(np.float64)

    def forward(self, x: ArrayLike) -> Array:
        """Return the output of the last layer, for a classifier the logits."""
        y = self.layers[0].forward(x)
        for layer in self.layers[1:]:
            y = layer.forward(y)
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """Return the gradient with respect to the input; parameters have theirs in `grads`."""
        return self.layers[0].backward(self._backward_to_first(dy))

    def backward_params(self, dy: ArrayLike) -> None:
        """Leave the gradients of the parameters, as `backward` does, and no other.

        All that training needs, at two thirds of the cost where the first layer is the largest.
        """
        self.layers[0].backward_params(self._backward_to_first(dy))

    def predict(self, X: ArrayLike) -> Array:
        """Return class probabilities: the softmax of every row of the logits."""
        y = self.forward(np.asarray(X, dtype=self.dtype))
        return y if isinstance(self.layers[-1], Softmax) else softmax(y)

    def _backward_to_first(self, dy: ArrayLike) -> ArrayLike:
        """Return the gradient with respect to the first layer's output."""
        for layer in reversed(self.layers[1:]):
            dy = layer.backward(dy)
        return dy


def mlp(sizes: Sequence[int], *, seed: int = 0, dtype: DTypeLike = np.float32) -> Sequential:
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
        If there are fewer than two sizes, or one is below one.
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes={list(sizes)}: expected at least inputs and outputs")
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    for inputs, outputs in pairwise(sizes[:-1]):
        layers += [Dense(inputs, outputs, rng=rng, dtype=dtype), ReLU()]
    layers.append(Dense(sizes[-2], sizes[-1], rng=rng, gain=1.0, dtype=dtype))
    return Sequential(layers)
