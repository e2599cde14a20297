"""Single and half precision, and weights and inputs of unlike sizes."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Mlp:
    """Two layers in one object; works in the dtype it is given."""

    def __init__(self, rng, d, h, k, dtype, scale):
        self.params = {
            "W1": (scale * rng.normal(size=(d, h))).astype(dtype),
            "b1": np.zeros(h, dtype),
            "W2": rng.normal(0, h**-0.5, (h, k)).astype(dtype),
            "b2": np.zeros(k, dtype),
        }
        self.grads = {}

    def forward(self, x):
        p = self.params
        self.x = x
        self.h = np.tanh(x @ p["W1"] + p["b1"])
        return self.h @ p["W2"] + p["b2"]

    def backward(self, dy):
        p = self.params
        self.grads["W2"] = self.h.T @ dy
        self.grads["b2"] = dy.sum(0)
        dz = (dy @ p["W2"].T) * (1 - self.h**2)
        self.grads["W1"] = self.x.T @ dz
        self.grads["b1"] = dz.sum(0)
        return dz @ p["W1"].T


class SingleInside:
    """Double in, single out: the product is formed in float32."""

    def __init__(self, W):
        self.W = W
        self.dW = np.zeros_like(W)

    def forward(self, x):
        self.x = x
        return x.astype(np.float32) @ self.W.astype(np.float32)

    def backward(self, g):
        self.dW = self.x.T @ g.astype(float)
        return g.astype(float) @ self.W.T


@recipe("mlp", "object/dict", Mlp)
def mlp(rng, Mlp, n=4, d=6, h=7, k=3, dtype=float, scale=0.4, inputs=1.0):
    return Mlp(rng, d, h, k, dtype, scale), ((inputs * rng.normal(size=(n, d))).astype(dtype),)


mlp.also("float32", dtype=np.float32)
mlp.also("float16", dtype=np.float16)
mlp.also("weights 1e-6, inputs 1e5", scale=1e-6, inputs=1e5)
mlp.also("weights 1e-6", scale=1e-6)
mlp.also("saturated", scale=8.0, inputs=5.0)
mlp.also("digits float32", n=8, d=784, h=30, k=10, dtype=np.float32, scale=0.05)
mlp.also("digits", n=8, d=784, h=300, k=10, scale=0.05)
mlp.breaks(
    "tanh' float32",
    "(1 - self.h**2)",
    "(1 - self.h)",
    "derivative_at_wrong_point sign_dependent",
    "x W1 b1",
    dtype=np.float32,
)
mlp.breaks(
    "bias mean float32",
    'self.grads["b1"] = dz.sum(0)',
    'self.grads["b1"] = dz.mean(0)',
    "factor_batch_size",
    "b1",
    dtype=np.float32,
)
mlp.breaks("sign float32", "return dz @", "return -dz @", "sign_flipped", dtype=np.float32)
mlp.breaks(
    "doubled float16",
    'self.grads["W2"] = self.h.T @ dy',
    'self.grads["W2"] = 2 * self.h.T @ dy',
    "factor_two",
    "W2",
    dtype=np.float16,
)
mlp.breaks(
    "bad scale, mean",
    'self.grads["W1"] = self.x.T @ dz',
    'self.grads["W1"] = self.x.T @ dz / len(dz)',
    "factor_batch_size",
    "W1",
    scale=1e-6,
    inputs=1e5,
)
mlp.breaks(
    "digits, one row",
    "return dz @",
    'self.grads["W1"][-1] *= 0.9\n        return dz @',
    "few_entries",
    "W1",
    n=8,
    d=784,
    h=300,
    k=10,
    scale=0.05,
)
mlp.breaks(
    "tiny weights, decay",
    'self.grads["W1"] = self.x.T @ dz',
    'self.grads["W1"] = self.x.T @ dz + 0.1 * p["W1"]',
    "additive_term",
    "W1",
    scale=1e-3,
)
mlp.breaks(
    "one ten-thousandth",
    'self.grads["W1"] = self.x.T @ dz',
    'self.grads["W1"] = 1.0001 * self.x.T @ dz',
    "constant_factor",
    "W1",
)
mlp.breaks(
    "cast to float16 in backward",
    'dz = (dy @ p["W2"].T) * (1 - self.h**2)',
    'dz = ((dy @ p["W2"].T) * (1 - self.h**2)).astype(np.float16).astype(float)',
    "precision_lost uniformly_inaccurate",
    "x W1 b1",
)


@recipe("single inside", "object/attributes", SingleInside, notes="right; noise of float32")
def single_inside(rng, SingleInside, n=4, d=6, m=3):
    return SingleInside(rng.normal(size=(d, m))), (rng.normal(size=(n, d)),)


single_inside.breaks(
    "transposed",
    "self.dW = self.x.T @ g.astype(float)",
    "self.dW = -self.x.T @ g.astype(float)",
    "sign_flipped",
    "W",
)
