"""Losses: the mean over a batch of predictions, and its gradient.

``forward(prediction, target)`` returns the loss as a float, ``backward()`` its gradient with
respect to the last prediction. A single 1-D prediction counts as a batch of one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from network.functional import Array, as_floats, log_softmax, one_hot


class Loss(ABC):
    """What all losses share: the last prediction, as a batch, and its target."""

    def __init__(self) -> None:
        self._kept: tuple[Array, Array] | None = None
        self._shape: tuple[int, ...] = ()

    @abstractmethod
    def forward(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Return the mean loss over the batch."""

    def backward(self) -> Array:
        """Return the gradient of the last loss, shaped like its prediction."""
        if self._kept is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        return self._gradient(*self._kept).reshape(self._shape)

    def __call__(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Return `forward`."""
        return self.forward(prediction, target)

    @abstractmethod
    def _gradient(self, kept: Array, t: Array) -> Array:
        """Return the gradient from what forward kept."""

    def _batch(self, prediction: ArrayLike) -> Array:
        """Return the prediction as rows; remember its shape."""
        rows = as_floats(prediction, "prediction")
        self._shape = rows.shape
        if rows.ndim not in (1, 2) or rows.size == 0:
            raise ValueError(
                f"prediction has shape {rows.shape}; expected (n, classes) or (classes,), not empty"
            )
        return np.atleast_2d(rows)


class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of softmax(logits), fused: -mean(sum_j t_j log p_j).

    The gradient is (s p - t) / n with s the sum of a row of targets, 1 for a distribution
    (C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, equation 4.109).
    """

    def forward(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Return the loss of logits.

        Parameters
        ----------
        prediction
            Logits of shape (n, classes) or (classes,).
        target
            Labels of shape (n,), or rows of probabilities shaped like the logits.

        Raises
        ------
        ValueError
            If the target does not belong to the logits.
        """
        log_p = log_softmax(self._batch(prediction))  # (n, classes)
        t = _target_rows(target, log_p)
        self._kept = log_p, t
        return _cross_entropy(log_p, t)

    def _gradient(self, kept: Array, t: Array) -> Array:
        with np.errstate(under="ignore"):
            p = np.exp(kept)
            return np.asarray((t.sum(axis=-1, keepdims=True) * p - t) / len(t))


class CategoricalCrossEntropy(Loss):
    """Cross-entropy of probabilities: -mean(sum_j t_j log max(p_j, tiny)).

    log(0) never happens: probabilities are raised to ``tiny``, the smallest normal number of their
    dtype, so that a confident mistake costs -log(tiny), 708 in float64 and 87 in float32. Below
    ``tiny`` the loss is flat and its gradient zero, as computed; a network that should learn from
    such mistakes wants `SoftmaxCrossEntropy` on its logits.
    """

    def forward(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Return the loss of probabilities.

        Parameters
        ----------
        prediction
            Probabilities of shape (n, classes) or (classes,).
        target
            Labels of shape (n,), or rows of probabilities shaped like the prediction.

        Raises
        ------
        ValueError
            If a prediction is negative or not a number, or the target does not belong to it.
        """
        p = self._batch(prediction)  # (n, classes)
        if not (p >= 0).all():
            row, column = np.argwhere(~(p >= 0))[0]
            raise ValueError(
                f"prediction[{row}, {column}] is {p[row, column]}; expected probabilities. "
                "Logits go to SoftmaxCrossEntropy"
            )
        t = _target_rows(target, p)
        self._kept = p, t
        return _cross_entropy(np.log(np.maximum(p, np.finfo(p.dtype).tiny)), t)

    def _gradient(self, kept: Array, t: Array) -> Array:
        above = kept > np.finfo(kept.dtype).tiny
        # -t / p / n where the logarithm was taken of p itself
        return np.divide(-t / len(t), kept, out=np.zeros_like(kept), where=above)


class MeanSquaredError(Loss):
    """Mean over all entries of (prediction - target)^2; gradient 2 (prediction - target) / size."""

    def forward(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Return the loss of predictions of shape (n, outputs) or (outputs,).

        Raises
        ------
        ValueError
            If the shapes differ: they are not broadcast.
        """
        y = self._batch(prediction)
        t = np.asarray(target)
        if t.shape != self._shape:
            raise ValueError(f"target has shape {t.shape}; expected {self._shape}, as prediction")
        self._kept = y, t.astype(y.dtype).reshape(y.shape)
        return float(np.mean((y - self._kept[1]) ** 2, dtype=np.float64))

    def _gradient(self, kept: Array, t: Array) -> Array:
        return 2 * (kept - t) / t.size


def _cross_entropy(log_p: Array, t: Array) -> float:
    """Return -sum(t log p) / n, where 0 log 0 = 0."""
    terms = np.multiply(t, log_p, out=np.zeros_like(log_p), where=t != 0)
    return -float(terms.sum(dtype=np.float64)) / len(t)


def _target_rows(target: ArrayLike, prediction: Array) -> Array:
    """Return the target as one row for every row of the prediction."""
    t = np.asarray(target)
    n, classes = prediction.shape
    if t.dtype.kind in "iu" and t.ndim <= 1 and t.size == n:
        return one_hot(t.reshape(n), classes, prediction.dtype, "target")
    if t.ndim == 1 and n == 1:
        t = t[np.newaxis]
    if t.dtype.kind not in "fiub" or t.shape != prediction.shape:
        raise ValueError(
            f"target has shape {t.shape} and dtype {t.dtype}; expected integer labels of shape "
            f"({n},) or rows of shape {prediction.shape}"
        )
    if not (t >= 0).all():
        raise ValueError("target holds negative numbers or NaN; expected probabilities")
    return t.astype(prediction.dtype, copy=False)
