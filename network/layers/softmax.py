"""Softmax and its logarithm: every output of a row depends on all inputs of that row."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from network.functional import Array, log_softmax, softmax
from network.layers.base import Layer


class Softmax(Layer):
    """Probabilities p_i = exp(x_i) / sum_j exp(x_j), row by row.

    Its Jacobian is J = diag(p) - p p^T. Combined with the cross-entropy it cancels to p - t: use
    `network.losses.SoftmaxCrossEntropy` on the logits for that, and not this layer before it.
    """

    def forward(self, x: ArrayLike) -> Array:
        """Return the probabilities of every row."""
        p = self._kept = softmax(x)
        return p

    def backward(self, dy: ArrayLike) -> Array:
        """Return J^T dy = p (dy - <p, dy>), row by row."""
        p = self._recall()
        dy = self._checked(dy, p.shape)
        return np.asarray(p * (dy - np.sum(p * dy, axis=-1, keepdims=True)))


class LogSoftmax(Layer):
    """Logarithms of probabilities l_i = x_i - log(sum_j exp(x_j)), row by row.

    Its Jacobian is J = I - 1 p^T, with p = exp(l).
    """

    def forward(self, x: ArrayLike) -> Array:
        """Return the logarithms of the probabilities of every row."""
        log_p = self._kept = log_softmax(x)
        return log_p

    def backward(self, dy: ArrayLike) -> Array:
        """Return J^T dy = dy - p sum(dy), row by row."""
        log_p = self._recall()
        dy = self._checked(dy, log_p.shape)
        with np.errstate(under="ignore"):
            return np.asarray(dy - np.exp(log_p) * dy.sum(axis=-1, keepdims=True))
