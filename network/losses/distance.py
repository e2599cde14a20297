"""Losses of a distance: squared error, and Huber's, which outliers do not dominate."""

from __future__ import annotations

import numpy as np

from gradcheck_arguments import Positive, checked
from network.functional import Array
from network.losses.base import Loss


class MeanSquaredError(Loss):
    """Mean over all entries of (prediction - target)^2; gradient 2 (prediction - target) / size."""

    of_numbers = True

    def value(self, prediction: Array, t: Array) -> float:
        """Return the mean of the squares."""
        error = self._kept = prediction - t
        return float(np.mean(error**2, dtype=np.float64))

    def gradient(self) -> Array:
        """Return 2 (prediction - target) / size."""
        error: Array = self._kept
        return 2 * error / error.size


class HuberLoss(Loss):
    """Mean over all entries of e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2).

    Parameters
    ----------
    delta
        Errors e = prediction - target beyond it count linearly.

    Raises
    ------
    ValueError
        If delta is not positive.

    Notes
    -----
    P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Statist. 35(1), 1964.
    """

    of_numbers = True

    @checked
    def __init__(self, delta: Positive = 1.0) -> None:
        super().__init__()
        self.delta = delta

    def value(self, prediction: Array, t: Array) -> float:
        """Return the mean of Huber's function of the errors."""
        error = self._kept = prediction - t
        within = np.clip(error, -self.delta, self.delta)
        # both pieces in one: c (e - c / 2) with c the error clipped to [-delta, delta]
        return float(np.mean(within * (error - within / 2), dtype=np.float64))

    def gradient(self) -> Array:
        """Return the error clipped to [-delta, delta], over size."""
        error: Array = self._kept
        return np.clip(error, -self.delta, self.delta) / error.size
