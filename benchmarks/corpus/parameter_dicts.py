"""Layers that keep ``params`` and ``grads`` dictionaries."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class Linear:
    """y = x @ w + b."""

    def __init__(self, input_size: int, output_size: int, rng) -> None:
        self.params = {}
        self.grads = {}
        self.params["w"] = rng.standard_normal((input_size, output_size))
        self.params["b"] = rng.standard_normal(output_size)

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.params["w"] + self.params["b"]

    def backward(self, grad):
        self.grads["b"] = np.sum(grad, axis=0)
        self.grads["w"] = self.inputs.T @ grad
        return grad @ self.params["w"].T


class SequenceLinear:
    """The same weights at every position: (batch, time, features)."""

    def __init__(self, weight, bias):
        self.params = {"weight": weight, "bias": bias}
        self.grads = {"weight": np.zeros_like(weight), "bias": np.zeros_like(bias)}

    def forward(self, x):
        self.x = x
        return np.einsum("btd,dk->btk", x, self.params["weight"]) + self.params["bias"]

    def backward(self, g):
        self.grads["weight"][...] = np.einsum("btd,btk->dk", self.x, g)
        self.grads["bias"][...] = g.sum(axis=(0, 1))
        return np.einsum("btk,dk->btd", g, self.params["weight"])


class LayerNorm:
    def __init__(self, dim, eps=1e-5, dtype=float):
        self.eps = eps
        self.params = {
            "gamma": np.linspace(0.5, 1.5, dim, dtype=dtype),
            "beta": np.zeros(dim, dtype),
        }
        self.grads = {}

    def forward(self, x):
        mean = x.mean(-1, keepdims=True)
        var = x.var(-1, keepdims=True)
        self.inv_std = 1 / np.sqrt(var + np.asarray(self.eps, x.dtype))
        self.x_hat = (x - mean) * self.inv_std
        return self.params["gamma"] * self.x_hat + self.params["beta"]

    def backward(self, grad):
        lead = tuple(range(grad.ndim - 1))
        self.grads["gamma"] = (grad * self.x_hat).sum(lead)
        self.grads["beta"] = grad.sum(lead)
        g = grad * self.params["gamma"]
        mean_g = g.mean(-1, keepdims=True)
        mean_gx = (g * self.x_hat).mean(-1, keepdims=True)
        return self.inv_std * (g - mean_g - self.x_hat * mean_gx)


class Bilinear:
    """Score of every pair: x_i W y_j^T, with a learned temperature."""

    def __init__(self, W, temperature):
        self.params = {"W": W, "temperature": temperature}
        self.grads = {}

    def forward(self, x, y):
        self.x, self.y = x, y
        self.scores = np.einsum("nd,de,me->nm", x, self.params["W"], y)
        return self.scores / self.params["temperature"]

    def backward(self, grad):
        t = self.params["temperature"]
        self.grads["temperature"] = -(grad * self.scores).sum() / t**2
        g = grad / t
        self.grads["W"] = np.einsum("nd,nm,me->de", self.x, g, self.y)
        dx = np.einsum("nm,de,me->nd", g, self.params["W"], self.y)
        dy = np.einsum("nm,nd,de->me", g, self.x, self.params["W"])
        return dx, dy


@recipe("dict linear", "object/dict", Linear)
def linear(rng, Linear, n=4, d=6, m=3):
    return Linear(d, m, rng), (rng.standard_normal((n, d)),)


linear.also("all sizes equal", n=4, d=4, m=4)
linear.also("big", n=64, d=100, m=20)
linear.breaks("sign of bias", "np.sum(grad, axis=0)", "-np.sum(grad, axis=0)", "sign_flipped", "b")
linear.breaks("factor", "self.inputs.T @ grad", "2 * self.inputs.T @ grad", "factor_two", "w")
linear.breaks("half", "return grad @", "return 0.5 * grad @", "factor_two")
linear.breaks(
    "swapped samples",
    "self.inputs.T @ grad",
    "self.inputs.T @ np.roll(grad, 1, 0)",
    "wrong_index samples_mixed",
    "w",
)
linear.breaks(
    "features for mean",
    "self.inputs.T @ grad",
    "self.inputs.T @ grad / grad.shape[1]",
    "constant_factor",
    "w",
)
linear.breaks(
    "learning rate inside",
    "self.inputs.T @ grad",
    "0.01 * self.inputs.T @ grad",
    "constant_factor",
    "w",
)
linear.breaks(
    "input normed",
    "self.inputs = inputs\n",
    "self.inputs = inputs - inputs.mean(0)\n",
    "derivative_at_wrong_point path_missing",
    "w",
    notes="caches a centred input",
)
linear.breaks(
    "input scaled in place",
    "self.inputs = inputs\n",
    "inputs /= 2\n        self.inputs = inputs\n",
    "input_mutated",
    "x",
    notes="the forward halves the caller's array",
)
linear.breaks(
    "zero x",
    'return grad @ self.params["w"].T',
    "return np.zeros_like(self.inputs)",
    "zero_gradient",
)
linear.breaks(
    "forward transposed",
    'inputs @ self.params["w"] +',
    'inputs @ self.params["w"].T +',
    "transposed",
    "x w",
    n=3,
    d=5,
    m=5,
)
linear.breaks(
    "updates itself",
    '        self.grads["w"] = self.inputs.T @ grad\n',
    '        self.grads["w"] = self.inputs.T @ grad\n'
    '        self.params["w"] -= 0.01 * self.grads["w"]\n',
    "parameters_mutated input_mutated derivative_at_wrong_point",
    "x",
    notes="trains inside backward, before dx is computed",
)


@recipe("sequence linear", "object/dict", SequenceLinear)
def sequence_linear(rng, SequenceLinear, b=2, t=5, d=4, k=3, dtype=float):
    weight, bias = rng.normal(size=(d, k)).astype(dtype), rng.normal(size=k).astype(dtype)
    return SequenceLinear(weight, bias), (rng.normal(size=(b, t, d)).astype(dtype),)


sequence_linear.also("float32", dtype=np.float32)
sequence_linear.also("float16", dtype=np.float16, notes="half precision throughout")
sequence_linear.also("one step", t=1)
sequence_linear.breaks(
    "last step only",
    'np.einsum("btd,btk->dk", self.x, g)',
    "self.x[:, -1].T @ g[:, -1]",
    "overwritten_not_accumulated last_sample_only path_missing",
    "weight",
)
sequence_linear.breaks(
    "last sample only",
    'np.einsum("btd,btk->dk", self.x, g)',
    "self.x[-1].T @ g[-1]",
    "last_sample_only overwritten_not_accumulated",
    "weight",
)
sequence_linear.breaks(
    "mean over time",
    "g.sum(axis=(0, 1))",
    "g.mean(axis=1).sum(axis=0)",
    "constant_factor",
    "bias",
    notes="1 / number of time steps",
)
sequence_linear.breaks(
    "bias over batch only",
    "g.sum(axis=(0, 1))",
    "g[:, -1].sum(axis=0)",
    "overwritten_not_accumulated last_sample_only path_missing",
    "bias",
)
sequence_linear.breaks(
    "all samples' mean",
    'np.einsum("btd,btk->dk", self.x, g)',
    'np.einsum("btd,btk->dk", self.x, g) / (g.shape[0] * g.shape[1])',
    "constant_factor factor_batch_size",
    "weight",
)
sequence_linear.breaks(
    "mixes time",
    'np.einsum("btd,btk->dk", self.x, g)',
    'np.einsum("bd,bk->dk", self.x.sum(1), g.sum(1))',
    "unexplained wrong_axis samples_mixed",
    "weight",
    notes="outer product of sums instead of the sum of outer products",
)


@recipe("layer norm", "object/dict", LayerNorm)
def layer_norm(rng, LayerNorm, shape=(4, 7), dtype=float, scale=1.0):
    return LayerNorm(shape[-1], dtype=dtype), ((scale * rng.normal(1, 2, shape)).astype(dtype),)


layer_norm.also("float32", dtype=np.float32)
layer_norm.also("sequence", shape=(2, 3, 6))
layer_norm.also("inputs 1e5", scale=1e5)
layer_norm.also("inputs 1e-3", scale=1e-3, notes="eps weighs as much as the variance")
layer_norm.breaks(
    "mean path missing", "(g - mean_g - self.x_hat", "(g - self.x_hat", "path_missing"
)
layer_norm.breaks("variance path missing", " - self.x_hat * mean_gx)", ")", "path_missing")
layer_norm.breaks("both missing", "(g - mean_g - self.x_hat * mean_gx)", "g", "path_missing")
layer_norm.breaks(
    "wrong axis",
    "mean_g = g.mean(-1, keepdims=True)",
    "mean_g = g.mean(0, keepdims=True)",
    "wrong_axis path_missing samples_mixed",
)
layer_norm.breaks(
    "variance over the batch",
    "mean_gx = (g * self.x_hat).mean(-1, keepdims=True)",
    "mean_gx = (g * self.x_hat).mean(0, keepdims=True)",
    "wrong_axis path_missing samples_mixed",
)
layer_norm.breaks(
    "gamma not applied", 'g = grad * self.params["gamma"]', "g = grad", "path_missing wrong_axis"
)
layer_norm.breaks(
    "gamma over features",
    "(grad * self.x_hat).sum(lead)",
    "(grad * self.x_hat).sum(-1)",
    "wrong_axis",
    "gamma",
    shape=(6, 6),
)
layer_norm.breaks(
    "sums for means",
    "mean_g = g.mean(-1, keepdims=True)",
    "mean_g = g.sum(-1, keepdims=True)",
    "path_missing constant_factor",
)
layer_norm.breaks(
    "scaled twice",
    "return self.inv_std * (",
    "return self.inv_std**2 * (",
    "unexplained region_dependent constant_factor path_missing",
    notes="ratio is 1/std of each row",
)


@recipe("bilinear", "object/dict", Bilinear)
def bilinear(rng, Bilinear, n=3, m=4, d=5, e=2, temperature=0.7):
    layer = Bilinear(rng.normal(size=(d, e)), np.array(temperature))
    return layer, (rng.normal(size=(n, d)), rng.normal(size=(m, e)))


bilinear.also("hot", temperature=50.0)
bilinear.breaks("swapped", "return dx, dy", "return dy, dx", "swapped", "x y", n=4, m=4, d=3, e=3)
bilinear.breaks("swapped shapes", "return dx, dy", "return dy, dx", "wrong_shape swapped", "x y")
bilinear.breaks("temperature inverted", "/ t**2", "/ t", "constant_factor", "temperature")
bilinear.breaks("temperature forgotten", "g = grad / t", "g = grad", "constant_factor", "x y W")
bilinear.breaks(
    "W for its transpose", '"nd,nm,me->de"', '"nd,nm,me->ed"', "transposed", "W", d=4, e=4
)
bilinear.breaks(
    "temperature sign",
    "= -(grad * self.scores)",
    "= (grad * self.scores)",
    "sign_flipped",
    "temperature",
)
