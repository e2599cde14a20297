"""Dropout, the layer that is random while it is trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gradcheck_arguments import Seed, Share, checked
from network.functional import Array, as_floats
from network.layers.base import Layer


class Dropout(Layer):
    """Zeroes a share of the entries in training, and scales the others up to keep the mean.

    y = x m / (1 - rate), where every m is 0 with probability ``rate`` and 1 otherwise. In use
    (``training = False``) y = x.

    A mask is drawn for every step, not for every forward: it stays until `backward` has used it, so
    that a step's loss is one function, whose gradient can be checked by differences.

    Parameters
    ----------
    rate
        The share that is dropped, in [0, 1).
    seed
        Of the masks: the k-th step has the same mask in every run.

    Raises
    ------
    ValueError
        If the rate is out of its range.

    Notes
    -----
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a simple
    way to prevent neural networks from overfitting", JMLR 15, 2014, section 4, scaled in training
    instead of in use (section 10).
    """

    @checked
    def __init__(self, rate: Share = 0.5, *, seed: Seed = 0) -> None:
        super().__init__()
        self.rate = rate
        self.seed = seed
        # the steps so far: all there is to remember, so that a run can be resumed
        self._state = {"steps": np.zeros((), np.int64)}

    def forward(self, x: ArrayLike) -> Array:
        """Return x with a share of its entries dropped, or in use x as it is."""
        x = as_floats(x)
        if not self.training or not self.rate:
            self._kept = np.ones_like(x)
            return x.copy()
        rng = np.random.default_rng([self.seed, int(self.state["steps"])])
        self._kept = (rng.random(x.shape) >= self.rate) / x.dtype.type(1 - self.rate)
        return np.asarray(x * self._kept)

    def backward(self, dy: ArrayLike) -> Array:
        """Return dy with the same entries dropped."""
        mask = self._recall()
        dx = np.asarray(self._checked(dy, mask.shape) * mask)
        if self.training:
            self.state["steps"] += 1
        return dx
