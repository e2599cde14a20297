"""Normalisation: numbers shifted and scaled to mean zero and variance one, then to taste.

x^ = (x - mean) / s with s = sqrt(variance + epsilon), y = gamma x^ + beta. The mean and the
variance depend on every x of their group, so that the gradient has three paths:

    dx = (g - mean(g) - x^ mean(g x^)) / s,  g = gamma dy,

one straight through, one by the mean, one by the variance. Where few numbers are normalised, the
three nearly cancel: in between, all is computed in double precision, whatever the input's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from gradcheck_arguments import Count, Positive, Share, checked
from network.functional import Array
from network.layers.base import Layer


class _Normalisation(Layer):
    """What both normalisations share: gamma and beta, one of each per feature.

    Parameters
    ----------
    features
        Columns of x.
    epsilon
        Added to the variance, so that constant numbers are not divided by zero.
    dtype
        Of gamma and beta.
    """

    axis: int
    _own_statistics = True  # whether mean and variance were those of the last x

    @checked
    def __init__(
        self, features: Count, *, epsilon: Positive = 1e-5, dtype: DTypeLike = np.float64
    ) -> None:
        super().__init__()
        self.epsilon = epsilon
        self._declare(gamma=np.ones(features, dtype), beta=np.zeros(features, dtype))

    def _wide(self, x: ArrayLike) -> tuple[Array, np.dtype[np.floating]]:
        """Return ``x`` in double precision at least, and the precision of y and dx."""
        x = self._rows(x, self.params["gamma"].size)
        dtype = np.result_type(x, self.params["gamma"])
        return x.astype(np.result_type(x, np.float64), copy=False), dtype

    def _normalise(
        self, x: Array, mean: Array, variance: Array, dtype: np.dtype[np.floating]
    ) -> Array:
        """Return y; keep x^, s, and the precision of dx."""
        s = np.sqrt(variance + self.epsilon)
        x_hat = (x - mean) / s  # (n, features)
        self._kept = x_hat, s, dtype
        y = x_hat * self.params["gamma"] + self.params["beta"]
        return np.asarray(y, dtype)

    def backward(self, dy: ArrayLike) -> Array:
        """Return dx by its three paths, or by the straight one where the statistics are not of x.

        The gradients of gamma and beta are left.
        """
        x_hat, s, dtype = self._recall()
        dy = self._checked(dy, x_hat.shape).astype(x_hat.dtype, copy=False)
        self._leave("gamma", (dy * x_hat).sum(axis=0))
        self._leave("beta", dy.sum(axis=0))
        g = dy * self.params["gamma"]
        if self._own_statistics and g.size:
            along_x_hat = (g * x_hat).mean(axis=self.axis, keepdims=True)
            g = g - g.mean(axis=self.axis, keepdims=True) - x_hat * along_x_hat
        return np.asarray(g / s, dtype)


class LayerNorm(_Normalisation):
    """Every row normalised by itself, over its features.

    Notes
    -----
    J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv:1607.06450, equation 4.
    """

    axis = 1

    def forward(self, x: ArrayLike) -> Array:
        """Return the normalised rows, shape (n, features)."""
        x, dtype = self._wide(x)
        mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
        return self._normalise(x, mean, variance, dtype)


class BatchNorm(_Normalisation):
    """Every feature normalised over the samples of the batch; in use, by its running statistics.

    Parameters
    ----------
    features, epsilon, dtype
        As for `LayerNorm`.
    momentum
        Share of the running mean and variance that a batch leaves as it was.

    Notes
    -----
    S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015, algorithms 1 and 2. The running
    variance is the unbiased one, divided by n - 1.
    """

    axis = 0

    @checked
    def __init__(
        self,
        features: Count,
        *,
        epsilon: Positive = 1e-5,
        momentum: Share = 0.9,
        dtype: DTypeLike = np.float64,
    ) -> None:
        super().__init__(features, epsilon=epsilon, dtype=dtype)
        self.momentum = momentum
        self._state = {"mean": np.zeros(features, dtype), "variance": np.ones(features, dtype)}

    def forward(self, x: ArrayLike) -> Array:
        """Return the normalised features, shape (n, features)."""
        x, dtype = self._wide(x)
        self._own_statistics = self.training and len(x) > 0
        mean, variance = self.state["mean"], self.state["variance"]
        if self._own_statistics:
            mean, variance = x.mean(axis=0), x.var(axis=0)
            self._remember(mean, variance, len(x))
        return self._normalise(x, mean, variance, dtype)

    def _remember(self, mean: Array, variance: Array, n: int) -> None:
        """Move the running statistics towards those of the batch."""
        unbiased = variance * (n / max(n - 1, 1))
        for name, value in (("mean", mean), ("variance", unbiased)):
            self.state[name] *= self.momentum
            self.state[name] += (1 - self.momentum) * value
