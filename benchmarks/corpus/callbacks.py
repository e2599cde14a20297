"""Layers that return their output together with the function that backpropagates."""

from __future__ import annotations

import numpy as np
from scipy.special import erf

from benchmarks.corpus.case import recipe


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW = self.db = None

    def __call__(self, X):
        Y = X @ self.W + self.b

        def backprop(dY):
            self.dW = X.T @ dY
            self.db = dY.sum(axis=0)
            return dY @ self.W.T

        return Y, backprop


def gelu(x):
    cdf = 0.5 * (1 + erf(x / np.sqrt(2)))
    pdf = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)

    def backprop(dy):
        return dy * (cdf + x * pdf)

    return x * cdf, backprop


def log_softmax(x):
    z = x - x.max(-1, keepdims=True)
    y = z - np.log(np.exp(z).sum(-1, keepdims=True))
    return y, lambda dy: dy - np.exp(y) * dy.sum(-1, keepdims=True)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)

    def backprop(dp):
        return p * (dp - (dp * p).sum(axis=-1, keepdims=True))

    return p, backprop


def l2_normalize(x):
    norm = np.sqrt((x**2).sum(-1, keepdims=True))
    y = x / norm

    def back(dy):
        return (dy - y * (dy * y).sum(-1, keepdims=True)) / norm

    return y, back


def maxout(x, pieces=2):
    n, d = x.shape
    groups = x.reshape(n, d // pieces, pieces)
    which = groups.argmax(-1)

    def backprop(dy):
        dx = np.zeros_like(groups)
        np.put_along_axis(dx, which[..., None], dy[..., None], -1)
        return dx.reshape(n, d)

    return groups.max(-1), backprop


def residual_tanh(x):
    h = np.tanh(x)

    def backprop(dy):
        return dy + dy * (1 - h * h)

    return x + h, backprop


@recipe("dense callback", "callback", Dense)
def dense(rng, Dense, n=4, d=6, m=3, dtype=float):
    W, b = rng.normal(size=(d, m)).astype(dtype), rng.normal(size=m).astype(dtype)
    return Dense(W, b), (rng.normal(size=(n, d)).astype(dtype),)


dense.also("float32", dtype=np.float32)
dense.breaks("bias mean", "dY.sum(axis=0)", "dY.mean(axis=0)", "factor_batch_size", "b")
dense.breaks(
    "input's mean",
    "X.T @ dY",
    "X.mean(0, keepdims=True).T @ dY.sum(0, keepdims=True)",
    "unexplained samples_mixed wrong_axis",
    "W",
    notes="outer product of sums",
)
dense.breaks("negative input", "return dY @ self.W.T", "return -(dY @ self.W.T)", "sign_flipped")
dense.breaks(
    "layer's own weights change",
    "        Y = X @ self.W + self.b\n",
    "        Y = X @ self.W + self.b\n        X = np.abs(X)\n",
    "sign_dependent derivative_at_wrong_point",
    "W",
    notes="backward sees |X|",
)


@recipe("gelu callback", "callback", gelu)
def gelu_layer(rng, gelu, shape=(3, 8), scale=2.0, dtype=float):
    return gelu, ((scale * rng.normal(size=shape)).astype(dtype),)


gelu_layer.also("far tails", scale=20.0)
gelu_layer.also("float32", dtype=np.float32)
gelu_layer.breaks("density forgotten", "(cdf + x * pdf)", "cdf", "path_missing")
gelu_layer.breaks(
    "x forgotten",
    "(cdf + x * pdf)",
    "(cdf + pdf)",
    "derivative_at_wrong_point path_missing region_dependent",
)
gelu_layer.breaks(
    "tanh approximation",
    "(cdf + x * pdf)",
    "(0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) + x * pdf)",
    "uniformly_inaccurate derivative_at_wrong_point region_dependent",
    notes="exact forward, approximate backward",
)
gelu_layer.breaks(
    "sigmoid linear",
    "x * cdf, backprop",
    "x / (1 + np.exp(-x)), backprop",
    "derivative_at_wrong_point uniformly_inaccurate",
    notes="SiLU forward, GELU backward",
)


@recipe("log-softmax callback", "callback", log_softmax)
def log_softmax_layer(rng, log_softmax, n=4, c=5, scale=1.0):
    return log_softmax, (scale * rng.normal(size=(n, c)),)


log_softmax_layer.also("fifty apart", scale=50.0)
log_softmax_layer.breaks(
    "diagonal",
    "dy - np.exp(y) * dy.sum(-1, keepdims=True)",
    "dy * (1 - np.exp(y))",
    "jacobian_diagonal_only",
)
log_softmax_layer.breaks(
    "sum over rows",
    "dy.sum(-1, keepdims=True)",
    "dy.sum(0, keepdims=True)",
    "wrong_axis samples_mixed",
    n=3,
    c=5,
)
log_softmax_layer.breaks(
    "normaliser constant", "dy - np.exp(y) * dy.sum(-1, keepdims=True)", "dy", "path_missing"
)
log_softmax_layer.breaks(
    "labels assumed",
    "dy.sum(-1, keepdims=True)",
    "-1",
    "upstream_ignored path_missing",
    notes="sum of the upstream gradient taken to be -1, as it is for one-hot targets",
)


@recipe("softmax callback", "callback", softmax)
def softmax_layer(rng, softmax, shape=(4, 5), scale=1.0, dtype=float):
    return softmax, ((scale * rng.normal(size=shape)).astype(dtype),)


softmax_layer.also("saturated", scale=25.0)
softmax_layer.also("heads", shape=(2, 3, 4, 4))
softmax_layer.also("float32", dtype=np.float32)
softmax_layer.also(
    "one class", silent=True, shape=(3, 1), notes="output constant, gradient exactly zero"
)
softmax_layer.breaks(
    "diagonal only",
    "p * (dp - (dp * p).sum(axis=-1, keepdims=True))",
    "p * (1 - p) * dp",
    "jacobian_diagonal_only",
)
softmax_layer.breaks(
    "twice",
    "return p * (dp - (dp * p).sum(axis=-1, keepdims=True))",
    "dp = p * (dp - (dp * p).sum(axis=-1, keepdims=True))\n"
    "        return p * (dp - (dp * p).sum(axis=-1, keepdims=True))",
    "softmax_jacobian_twice",
)
softmax_layer.breaks(
    "identity",
    "return p * (dp - (dp * p).sum(axis=-1, keepdims=True))",
    "return dp",
    "activation_derivative_missing",
)
softmax_layer.breaks(
    "batch sum",
    "(dp * p).sum(axis=-1, keepdims=True)",
    "(dp * p).sum()",
    "samples_mixed wrong_axis",
    notes="one sum for all rows",
)
softmax_layer.breaks(
    "normalised over the batch",
    "e.sum(axis=-1, keepdims=True)",
    "e.sum(axis=0, keepdims=True)",
    "wrong_axis samples_mixed",
    notes="forward sums over the batch, backward over classes",
)


@recipe("l2 normalise callback", "callback", l2_normalize)
def normalize(rng, l2_normalize, n=4, d=5, scale=1.0):
    return l2_normalize, (scale * rng.normal(size=(n, d)),)


normalize.also("tiny rows", scale=1e-6)
normalize.also("huge rows", scale=1e5)
normalize.breaks("norm constant", " - y * (dy * y).sum(-1, keepdims=True)", "", "path_missing")
normalize.breaks(
    "whole batch's norm",
    "back(dy):\n",
    "back(dy):\n        norm = np.linalg.norm(x)\n",
    "constant_factor samples_mixed wrong_axis",
)
normalize.breaks(
    "norm not divided",
    "keepdims=True)) / norm",
    "keepdims=True))",
    "unexplained constant_factor path_missing",
    notes="ratio is each row's norm",
)


@recipe("maxout callback", "callback", maxout)
def maxout_layer(rng, maxout, n=4, d=6, tied=False):
    x = rng.normal(size=(n, d))
    if tied:
        x[:, 1] = x[:, 0]
    return maxout, (x,)


maxout_layer.also("tied", tied=True)
maxout_layer.breaks(
    "both pieces",
    "np.put_along_axis(dx, which[..., None], dy[..., None], -1)",
    "dx += dy[..., None]",
    "mask_not_applied",
)
maxout_layer.breaks("loser", "which[..., None]", "1 - which[..., None]", "wrong_mask wrong_index")
maxout_layer.breaks(
    "ties count double",
    "np.put_along_axis(dx, which[..., None], dy[..., None], -1)",
    "dx += (groups == groups.max(-1, keepdims=True)) * dy[..., None]",
    "region_dependent",
    tied=True,
    notes="each of two tied inputs gets the whole gradient: no subgradient",
)


@recipe("residual callback", "callback", residual_tanh)
def residual(rng, residual_tanh, shape=(3, 4)):
    return residual_tanh, (rng.normal(size=shape),)


residual.breaks(
    "branch dropped", "return dy + dy * (1 - h * h)", "return dy * (1 - h * h)", "path_missing"
)
residual.breaks("skip only", "return dy + dy * (1 - h * h)", "return dy", "path_missing")
residual.breaks("pre-activation", "(1 - h * h)", "(1 - x * x)", "derivative_at_wrong_point")
