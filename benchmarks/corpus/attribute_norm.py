"""Activations and batch normalisation in the manner of the same textbook as the affine layer."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Relu:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dx = dout.copy()
        dx[self.mask] = 0
        return dx


class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * (1.0 - self.out) * self.out


class BatchNormalization:
    def __init__(self, gamma, beta, momentum=0.9):
        self.gamma = gamma
        self.beta = beta
        self.momentum = momentum
        self.running_mean = None
        self.running_var = None
        self.dgamma = None
        self.dbeta = None

    def forward(self, x):
        if self.running_mean is None:
            self.running_mean = np.zeros(x.shape[1])
            self.running_var = np.zeros(x.shape[1])
        mu = x.mean(axis=0)
        xc = x - mu
        var = np.mean(xc**2, axis=0)
        std = np.sqrt(var + 10e-7)
        xn = xc / std
        self.batch_size = x.shape[0]
        self.xc, self.xn, self.std = xc, xn, std
        self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mu
        self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        return self.gamma * xn + self.beta

    def backward(self, dout):
        dbeta = dout.sum(axis=0)
        dgamma = np.sum(self.xn * dout, axis=0)
        dxn = self.gamma * dout
        dxc = dxn / self.std
        dstd = -np.sum((dxn * self.xc) / (self.std * self.std), axis=0)
        dvar = 0.5 * dstd / self.std
        dxc += (2.0 / self.batch_size) * self.xc * dvar
        dmu = np.sum(dxc, axis=0)
        dx = dxc - dmu / self.batch_size
        self.dgamma = dgamma
        self.dbeta = dbeta
        return dx


@recipe("relu layer", "object/none", Relu)
def relu(rng, Relu, shape=(4, 7), at_zero=True, dtype=float):
    x = rng.normal(size=shape).astype(dtype)
    if at_zero:
        x.flat[::5] = 0
    return Relu(), (x,)


relu.also("no zeros", at_zero=False)
relu.also("images", shape=(2, 3, 8, 8))
relu.also("float32", dtype=np.float32)
relu.also("subgradient one", notes="x exactly at zero", shape=(3, 2))
relu.breaks(
    "mask inverted",
    "dx[self.mask] = 0",
    "dx[~self.mask] = 0",
    "wrong_mask slope_wrong",
    at_zero=False,
)
relu.breaks(
    "no mask",
    "        dx[self.mask] = 0\n",
    "",
    "mask_not_applied activation_derivative_missing slope_wrong",
    at_zero=False,
)
relu.breaks("mask of dout", "dx[self.mask] = 0", "dx[dout <= 0] = 0", "wrong_mask", at_zero=False)
relu.breaks(
    "mask rolled",
    "dx[self.mask] = 0",
    "dx[np.roll(self.mask, 1)] = 0",
    "wrong_mask wrong_index",
    at_zero=False,
)
relu.breaks("in place", "out = x.copy()", "out = x", "input_mutated", "x", at_zero=False)
relu.breaks("writes dout", "dx = dout.copy()", "dx = dout", "cotangent_mutated", "", at_zero=False)
relu.breaks(
    "leaks", "dx[self.mask] = 0", "dx[self.mask] *= 0.01", "slope_wrong wrong_mask", at_zero=False
)
relu.breaks(
    "stale mask",
    "        self.mask = x <= 0\n        out = x.copy()\n        out[self.mask] = 0",
    "        if self.mask is None:\n"
    "            self.mask = x <= 0\n"
    "        out = x.copy()\n"
    "        out[x <= 0] = 0",
    "stale_cache",
    "",
    at_zero=False,
)


@recipe("sigmoid layer", "object/none", Sigmoid)
def sigmoid(rng, Sigmoid, shape=(5, 3), scale=2.0, dtype=float):
    return Sigmoid(), ((scale * rng.normal(size=shape)).astype(dtype),)


sigmoid.also("saturated", scale=12.0)
sigmoid.also("float32", dtype=np.float32)
sigmoid.also("empty", silent=True, shape=(0, 3), notes="an empty batch: nothing to be wrong")
sigmoid.also("zero dimensional", shape=())
sigmoid.breaks(
    "derivative missing",
    "dout * (1.0 - self.out) * self.out",
    "dout",
    "activation_derivative_missing",
)
sigmoid.breaks(
    "half of it",
    "dout * (1.0 - self.out) * self.out",
    "dout * (1.0 - self.out)",
    "derivative_at_wrong_point activation_derivative_missing path_missing",
    notes="s' = 1 - s",
)
sigmoid.breaks(
    "of the output",
    "self.out = 1 / (1 + np.exp(-x))\n        return self.out",
    "self.out = 1 / (1 + np.exp(-1 / (1 + np.exp(-x))))\n        return 1 / (1 + np.exp(-x))",
    "derivative_at_wrong_point",
)
sigmoid.breaks("wrong sign", "dout * (1.0 - self.out)", "dout * (self.out - 1.0)", "sign_flipped")
sigmoid.breaks(
    "squared",
    "* self.out\n",
    "* self.out ** 2\n",
    "derivative_at_wrong_point sign_dependent region_dependent",
)
sigmoid.breaks(
    "upstream forgotten",
    "dout * (1.0 - self.out) * self.out",
    "(1.0 - self.out) * self.out",
    "upstream_ignored",
)


@recipe("batch norm layer", "object/attributes", BatchNormalization)
def batch_norm(rng, BatchNormalization, n=8, d=5, dtype=float, spread=0):
    scales = 10.0 ** np.linspace(-spread, spread, d)
    x = (scales * rng.normal(0.5, 1.5, (n, d))).astype(dtype)
    gamma, beta = rng.uniform(0.5, 2, d).astype(dtype), rng.normal(size=d).astype(dtype)
    return BatchNormalization(gamma, beta), (x,)


batch_norm.also("float32", dtype=np.float32, n=16)
batch_norm.also("uneven features", spread=2)
batch_norm.also("big", n=64, d=100)
batch_norm.breaks(
    "mean path missing", "dx = dxc - dmu / self.batch_size", "dx = dxc", "path_missing"
)
batch_norm.breaks(
    "variance path missing",
    "        dxc += (2.0 / self.batch_size) * self.xc * dvar\n",
    "",
    "path_missing",
)
batch_norm.breaks(
    "statistics constant",
    "        dxc += (2.0 / self.batch_size) * self.xc * dvar\n",
    "",
    "path_missing",
    and_edit={"dx = dxc - dmu / self.batch_size": "dx = dxc"},
)
batch_norm.breaks(
    "half the variance path", "dxc += (2.0 /", "dxc += (1.0 /", "path_missing factor_two"
)
batch_norm.breaks(
    "dgamma without xhat",
    "np.sum(self.xn * dout, axis=0)",
    "np.sum(dout, axis=0)",
    "path_missing derivative_at_wrong_point swapped",
    "gamma",
)
batch_norm.breaks(
    "dgamma of raw x",
    "np.sum(self.xn * dout, axis=0)",
    "np.sum(self.xc * dout, axis=0)",
    "derivative_at_wrong_point path_missing",
    "gamma",
)
batch_norm.breaks(
    "gamma forgotten",
    "dxn = self.gamma * dout",
    "dxn = dout",
    "path_missing constant_factor wrong_axis",
    notes="ratio is 1/gamma per feature",
)
batch_norm.breaks(
    "swapped",
    "self.dgamma = dgamma\n        self.dbeta = dbeta",
    "self.dgamma = dbeta\n        self.dbeta = dgamma",
    "swapped",
    "gamma beta",
)
batch_norm.breaks(
    "ddof",
    "dmu = np.sum(dxc, axis=0)",
    "dmu = np.sum(dxc, axis=0)",
    "path_missing",
    and_edit={"(2.0 / self.batch_size)": "(2.0 / (self.batch_size - 1))"},
    notes="N - 1 for N in the variance path",
)
