"""The hinge loss of several classes: the right one should lead by a margin."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from gradcheck_arguments import Positive, checked
from network.functional import Array, as_array, one_hot
from network.losses.base import Loss


class HingeLoss(Loss):
    """Mean over the batch of sum_{j != y} max(0, margin + s_j - s_y), for scores s and label y.

    Parameters
    ----------
    margin
        The lead that the right score should have over every other one.

    Raises
    ------
    ValueError
        If the margin is not positive.

    Notes
    -----
    J. Weston and C. Watkins, "Support vector machines for multi-class pattern recognition", ESANN
    1999, equation 3. Where a term is exactly zero, its derivative is taken as zero.
    """

    @checked
    def __init__(self, margin: Positive = 1.0) -> None:
        super().__init__()
        self.margin = margin

    @checked
    def targets(self, target: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """Return labels of shape (n,), or rows with a single one, as such rows."""
        t = as_array(target, "target")
        n, classes = shape
        if t.dtype.kind in "iu" and t.ndim <= 1 and t.size == n:
            return one_hot(t.reshape(n), classes, dtype, "target")
        if t.ndim == 1 and n == 1:
            t = t[np.newaxis]
        single = t.shape == shape and ((t == 0) | (t == 1)).all() and (t.sum(axis=1) == 1).all()
        if not single:
            raise ValueError(
                f"target has shape {t.shape} and dtype {t.dtype}; expected integer labels of shape "
                f"({n},), or rows of shape {shape} that are zero but for a single one"
            )
        return t.astype(dtype, copy=False)

    def value(self, prediction: Array, t: Array) -> float:
        """Return the mean of the hinges."""
        right = prediction[t == 1][:, np.newaxis]  # (n, 1)
        lack = (self.margin + prediction - right) * (1 - t)  # (n, classes), zero at the label
        self._kept = lack, t
        return float(np.maximum(lack, 0).sum(dtype=np.float64)) / len(t)

    def gradient(self) -> Array:
        """Return 1 / n at every other class that lacks its distance, minus their sum at y."""
        lack, t = self._kept
        lacking = (lack > 0).astype(lack.dtype)
        return np.asarray((lacking - t * lacking.sum(axis=1, keepdims=True)) / len(t))
