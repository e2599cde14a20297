"""Cross-entropies: how surprised the predicted distribution is by what turned out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from gradcheck_arguments import Share, checked
from network.functional import Array, as_array, one_hot, sigmoid
from network.losses.base import Loss


class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of softmax(logits), fused: -mean(sum_j t_j log p_j).

    The gradient is (s p - t) / n with s the sum of a row of targets, 1 for a distribution
    (C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, equation 4.109).

    Parameters
    ----------
    label_smoothing
        Share e of every target that is spread over all k classes, t <- (1 - e) t + e / k
        (C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016,
        section 7).
    class_weights
        What a class counts, w_j t_j for t_j; shape (classes,). The sum is divided by the number of
        samples, not by their weights, so that a sample counts the same in any batch.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    @checked
    def __init__(
        self, *, label_smoothing: Share = 0.0, class_weights: ArrayLike | None = None
    ) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.class_weights = None if class_weights is None else np.asarray(class_weights)
        if self.class_weights is not None and not (self.class_weights >= 0).all():
            raise ValueError(
                f"class_weights={self.class_weights}: expected no negative numbers, no NaN"
            )

    @checked
    def targets(self, target: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """Return labels of shape (n,), or rows of probabilities, as smoothed and weighted rows."""
        t = _distributions(target, shape, dtype)
        if self.label_smoothing:
            share = self.label_smoothing
            t = (1 - share) * t + share / shape[1]
        if self.class_weights is not None:
            if self.class_weights.shape != shape[1:]:
                raise ValueError(
                    f"class_weights has shape {self.class_weights.shape}; the prediction has "
                    f"{shape[1]} classes"
                )
            t = np.asarray(t * self.class_weights, dtype)
        return t

    def value(self, prediction: Array, t: Array) -> float:
        """Return the loss of logits."""
        # classes first: NumPy adds up along the first axis many times as fast as along the last
        log_p, t = np.array(prediction.T, order="C"), np.ascontiguousarray(t.T)  # (classes, n)
        log_p -= log_p.max(axis=0)  # the largest becomes zero: exp cannot overflow
        e = np.exp(log_p)
        total = e.sum(axis=0)
        log_p -= np.log(total)
        self._kept = e, total, t
        return _cross_entropy(log_p, t, samples=t.shape[1])

    def gradient(self) -> Array:
        """Return (s p - t) / n."""
        e, total, t = self._kept
        dz = e * (t.sum(axis=0) / total)
        dz -= t
        dz /= t.shape[1]
        return np.asarray(dz.T)


class CategoricalCrossEntropy(Loss):
    """Cross-entropy of probabilities: -mean(sum_j t_j log max(p_j, tiny)).

    log(0) never happens: probabilities are raised to ``tiny``, the smallest normal number of their
    dtype, so that a confident mistake costs -log(tiny), 708 in float64 and 87 in float32. Below
    ``tiny`` the loss is flat and its gradient zero, as computed; a network that should learn from
    such mistakes wants `SoftmaxCrossEntropy` on its logits.
    """

    @checked
    def targets(self, target: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """Return labels of shape (n,), or rows of probabilities, as rows."""
        return _distributions(target, shape, dtype)

    def value(self, prediction: Array, t: Array) -> float:
        """Return the loss of probabilities; ValueError if one is negative or not a number."""
        p = prediction
        if not (p >= 0).all():
            row, column = np.argwhere(~(p >= 0))[0]
            raise ValueError(
                f"prediction[{row}, {column}] is {p[row, column]}; expected probabilities. "
                "Logits go to SoftmaxCrossEntropy"
            )
        self._kept = p, t
        return _cross_entropy(np.log(np.maximum(p, np.finfo(p.dtype).tiny)), t, samples=len(t))

    def gradient(self) -> Array:
        """Return -t / (n p) where the logarithm was taken of p itself, and zero elsewhere."""
        p, t = self._kept
        above = p > np.finfo(p.dtype).tiny
        return np.asarray(np.divide(-t / len(t), p, out=np.zeros_like(p), where=above))


class BinaryCrossEntropy(Loss):
    """Cross-entropy of independent yes-or-no answers: -mean(t log p + (1 - t) log(1 - p)).

    p = 1 / (1 + exp(-z)) for the logit z; the mean is over all entries. Fused, it is
    log(1 + exp(z)) - t z, and its gradient (p - t) / size.
    """

    @checked
    def targets(self, target: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """Return probabilities of yes, shaped like the logits; for one column (n,) will do."""
        if shape[1] == 1 and np.shape(target) == shape[:1]:
            target = np.asarray(target)[:, np.newaxis]
        t = super().targets(target, shape, dtype)
        if not ((t >= 0) & (t <= 1)).all():
            raise ValueError(
                f"target holds numbers from {t.min()} to {t.max()}; expected probabilities, 0 to 1"
            )
        return t

    def value(self, prediction: Array, t: Array) -> float:
        """Return the loss of logits."""
        z = prediction
        self._kept = z, t
        # log(1 + exp(z)) - t z, each sign of z in its stable form
        terms = np.maximum(z, 0) - t * z + np.log1p(np.exp(-np.abs(z)))
        return float(np.mean(terms, dtype=np.float64))

    def gradient(self) -> Array:
        """Return (p - t) / size."""
        z, t = self._kept
        return np.asarray((sigmoid(z) - t) / t.size)


def _cross_entropy(log_p: Array, t: Array, *, samples: int) -> float:
    """Return -sum(t log p) / n, where 0 log 0 = 0."""
    total = float(np.sum(t * log_p, dtype=np.float64))
    if not math.isfinite(total):  # perhaps 0 log 0
        total = float(np.sum(t[t != 0] * log_p[t != 0], dtype=np.float64))
    return -total / samples


def _distributions(target: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Return labels or rows of probabilities as rows."""
    t = as_array(target, "target")
    n, classes = shape
    if t.dtype.kind in "iu" and t.ndim <= 1 and t.size == n:
        return one_hot(t.reshape(n), classes, dtype, "target")
    if t.ndim == 1 and n == 1:
        t = t[np.newaxis]
    if t.dtype.kind not in "fiub" or t.shape != shape:
        raise ValueError(
            f"target has shape {t.shape} and dtype {t.dtype}; expected integer labels of shape "
            f"({n},) or rows of shape {shape}"
        )
    if not (t >= 0).all():
        raise ValueError("target holds negative numbers or NaN; expected probabilities")
    return t.astype(dtype, copy=False)
