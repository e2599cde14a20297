"""Layers in a row, and the multi-layer perceptron made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from network.functional import Array, softmax
from network.layers import Chain, Dense, Layer, ReLU, Softmax
from network.layers.initialisers import lecun


class Sequential(Chain):
    """Layers applied one after the other, as a classifier or a regression.

    Parameters
    ----------
    layers
        From input to output; the last one gives logits, probabilities or numbers.

    Raises
    ------
    ValueError
        If there are none.
    """

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """That of the parameters; float64 where there are none."""
        return np.result_type(*self.params.values()) if self.params else np.dtype(np.float64)

    def predict(self, X: ArrayLike) -> Array:
        """Return class probabilities: the softmax of every row of the logits.

        Predicted as in use, not as in training: nothing is dropped, and batch normalisation goes
        by its running statistics.
        """
        with in_use(self):
            y = self.forward(np.asarray(X, dtype=self.dtype))
        return y if isinstance(self.layers[-1], Softmax) else softmax(y)


@contextmanager
def in_use(model: Layer) -> Iterator[None]:
    """Take the model out of training, and put every layer back as it was afterwards."""
    modes = [(layer, layer.training) for layer in model.leaves()]
    model.training = False
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training


def mlp(sizes: Sequence[int], *, seed: int = 0, dtype: DTypeLike = np.float32) -> Sequential:
    """Return a multi-layer perceptron: dense layers with ReLU between them, logits at the end.

    Parameters
    ----------
    sizes
        Units per layer, inputs first: ``[784, 300, 75, 10]``.
    seed
        Of the initial weights (He initialisation, LeCun for the output layer).
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
    layers.append(Dense(sizes[-2], sizes[-1], rng=rng, initialiser=lecun, dtype=dtype))
    return Sequential(layers)
