"""Losses: the mean over a batch of predictions, and its gradient.

``forward(prediction, target)`` returns the loss, ``backward()`` its gradient with respect to the
last prediction. A single 1-D prediction counts as a batch of one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from network.functional import log_softmax, one_hot

Array = NDArray[np.floating[Any]]


class Loss:
    """What all losses share: the gradient of the last forward."""

    def __init__(self) -> None:
        self._gradient: Array | None = None

    def forward(self, prediction: Array, target: ArrayLike) -> float:
        """Return the mean loss over the batch."""
        raise NotImplementedError

    def backward(self) -> Array:
        """Return the gradient of the last loss, shaped like its prediction."""
        if self._gradient is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        return self._gradient

    def __call__(self, prediction: Array, target: ArrayLike) -> float:
        """Return `forward`."""
        return self.forward(prediction, target)


class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of softmax(logits), fused: -mean(sum_j t_j log p_j).

    The gradient is (s p - t) / n with s the sum of a row of targets, 1 for a distribution
    (C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, equation 4.109).
    """

    def forward(self, prediction: Array, target: ArrayLike) -> float:
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
        logits = np.atleast_2d(prediction)
        t = _targets(target, logits)
        log_p = log_softmax(logits)
        n = len(logits)
        gradient = (np.exp(log_p) * t.sum(axis=-1, keepdims=True) - t) / n
        self._gradient = gradient.reshape(np.shape(prediction)).astype(logits.dtype, copy=False)
        return _mean_of_logs(t, log_p)


class CategoricalCrossEntropy(Loss):
    """Cross-entropy of probabilities: -mean(sum_j t_j log max(p_j, tiny)).

    log(0) never happens: probabilities are raised to ``tiny``, the smallest normal number of their
    dtype, so that a confident mistake costs -log(tiny), 708 in float64 and 87 in float32. Below
    ``tiny`` the loss is flat and its gradient zero, as computed; a network that should learn from
    such mistakes wants `SoftmaxCrossEntropy` on its logits.
    """

    def forward(self, prediction: Array, target: ArrayLike) -> float:
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
        p = np.atleast_2d(prediction)
        if not np.all(p >= 0):
            worst = np.argwhere(~(p >= 0))[0]
            raise ValueError(
                f"prediction[{', '.join(map(str, worst))}] is {p[tuple(worst)]}; "
                "expected probabilities. Logits go to SoftmaxCrossEntropy"
            )
        t = _targets(target, p)
        tiny = np.finfo(p.dtype).tiny
        raised = np.maximum(p, tiny)
        gradient = np.where(p > tiny, -t / raised / len(p), 0)
        self._gradient = gradient.reshape(np.shape(prediction)).astype(p.dtype, copy=False)
        return _mean_of_logs(t, np.log(raised))


class MeanSquaredError(Loss):
    """Mean over all entries of (prediction - target)^2; gradient 2 (prediction - target) / size."""

    def forward(self, prediction: Array, target: ArrayLike) -> float:
        """Return the loss of predictions of any shape.

        Raises
        ------
        ValueError
            If the shapes differ: they are not broadcast.
        """
        t = np.asarray(target, dtype=prediction.dtype)
        if t.shape != prediction.shape:
            raise ValueError(f"target has shape {t.shape}; the prediction {prediction.shape}")
        difference = prediction - t
        self._gradient = 2 * difference / max(1, difference.size)
        return float(np.mean(difference**2)) if difference.size else 0.0


def _mean_of_logs(t: Array, log_p: Array) -> float:
    """Return -sum(t log p) / n, a target of zero counting nothing even where log p is -inf."""
    terms = np.where(t == 0, 0, t * np.where(t == 0, 0, log_p))
    return float(-np.sum(terms, dtype=np.float64) / max(1, len(t)))


def _targets(target: ArrayLike, prediction: Array) -> Array:
    """Return targets as rows like those of the prediction."""
    t = np.asarray(target)
    n, classes = prediction.shape
    if t.dtype.kind in "iu" and t.size == n and t.ndim <= 1:
        labels = t.reshape(n)
        if n and not (labels.min() >= 0 and labels.max() < classes):
            raise ValueError(
                f"target holds labels from {labels.min()} to {labels.max()}; "
                f"expected 0 to {classes - 1}"
            )
        return one_hot(labels, classes, prediction.dtype)
    if t.ndim == 1 and n == 1:
        t = t[np.newaxis]
    if t.shape != prediction.shape:
        raise ValueError(
            f"target has shape {t.shape} and dtype {t.dtype}; expected integer labels of shape "
            f"({n},) or rows of shape {prediction.shape}"
        )
    return t.astype(prediction.dtype)
