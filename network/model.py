"""Layers in a row, as a classifier or a regression."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike

from gradcheck_arguments import checked
from network.functional import Array, softmax
from network.layers.base import Layer
from network.layers.chain import Chain
from network.layers.softmax import Softmax


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

    @checked
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
