"""Odd memory: views, Fortran order, read-only arrays, accumulation, parameters fixed in place."""

from __future__ import annotations

import numpy as np

from benchmarks.corpus.case import recipe


class FrozenDense:
    """Weights are properties without a setter: they change in place only."""

    def __init__(self, weight, bias):
        self._store = {"weight": weight, "bias": bias}
        self.grad_weight = np.zeros_like(weight)
        self.grad_bias = np.zeros_like(bias)
        self.params = [weight, bias]
        self.grads = [self.grad_weight, self.grad_bias]

    def forward(self, x):
        self.x = x
        return x @ self._store["weight"] + self._store["bias"]

    def backward(self, grad):
        self.grad_weight[...] = self.x.T @ grad
        self.grad_bias[...] = grad.sum(axis=0)
        return grad @ self._store["weight"].T


class AccumulatingDense:
    """Gradients add up until ``zero_grad``."""

    def __init__(self, W, b):
        self.W, self.b = W, b
        self.zero_grad()

    def zero_grad(self):
        self.dW = np.zeros_like(self.W)
        self.db = np.zeros_like(self.b)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW += self.x.T @ dy
        self.db += dy.sum(0)
        return dy @ self.W.T


class TiedAutoencoder:
    """The decoder is the encoder's transpose: one weight, two uses."""

    def __init__(self, W):
        self.W = W
        self.dW = np.zeros_like(W)

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W)
        return self.h @ self.W.T

    def backward(self, dy):
        dh = dy @ self.W
        dz = dh * (1 - self.h**2)
        self.dW = dy.T @ self.h
        self.dW += self.x.T @ dz
        return dz @ self.W.T


class Workspace:
    """Scale and shift, writing into buffers made once."""

    def __init__(self, shape, scale):
        self.scale = np.array(scale)
        self.dscale = np.zeros(())
        self.out, self.dx = np.empty(shape), np.empty(shape)

    def forward(self, x):
        self.x = x
        np.multiply(x, self.scale, out=self.out)
        np.tanh(self.out, out=self.out)
        return self.out

    def backward(self, grad):
        inner = grad * (1 - self.out**2)
        self.dscale = (inner * self.x).sum()
        np.multiply(inner, self.scale, out=self.dx)
        return self.dx


class Center:
    """Subtracts each column's mean."""

    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, grad):
        return grad - grad.mean(axis=0)


@recipe("frozen dense", "object/lists", FrozenDense)
def frozen(rng, FrozenDense, n=3, d=5, m=4, order="C"):
    x = np.array(rng.normal(size=(n, d)), order=order)
    return FrozenDense(np.array(rng.normal(size=(d, m)), order=order), rng.normal(size=m)), (x,)


@recipe("views", "object/lists", FrozenDense)
def views(rng, FrozenDense, kind="strided"):
    weight, x = rng.normal(size=(5, 4)), rng.normal(size=(3, 5))
    if kind == "strided":
        weight, x = rng.normal(size=(10, 8))[::2, ::-2], rng.normal(size=(6, 15))[::2, 1::3]
    if kind == "read only":
        x.flags.writeable = False
    if kind == "broadcast":
        x = np.broadcast_to(x[:1], x.shape)
    if kind == "one buffer":
        buffer = rng.normal(size=24)  # both parameters are views of one flat vector
        return FrozenDense(buffer[:20].reshape(5, 4), buffer[20:]), (x,)
    return FrozenDense(weight, rng.normal(size=4)), (x,)


frozen.also("fortran", order="F")
frozen.breaks(
    "rebinds the gradient",
    "self.grad_weight[...] = self.x.T @ grad",
    "self.grad_weight = self.x.T @ grad",
    "zero_gradient",
    "params[0]",
    notes="the list keeps the old array of zeros",
)
frozen.breaks(
    "writes the weight",
    "self.grad_weight[...] = self.x.T @ grad",
    'self._store["weight"] -= 0.1 * (self.x.T @ grad)\n'
    "        self.grad_weight[...] = self.x.T @ grad",
    "parameters_mutated input_mutated",
    "x",
)
frozen.breaks(
    "keeps the input's view",
    "        self.x = x\n",
    "        self.x = x\n        x += 1\n",
    "input_mutated",
    "",
    notes="shifts the caller's array after use",
)
views.also("read only", kind="read only")
views.also("broadcast input", kind="broadcast")
views.also("one buffer", kind="one buffer")


@recipe("accumulating dense", "object/attributes", AccumulatingDense)
def accumulating(rng, AccumulatingDense, n=4, d=3, m=5):
    return AccumulatingDense(rng.normal(size=(d, m)), rng.normal(size=m)), (
        rng.normal(size=(n, d)),
    )


accumulating.breaks(
    "bias subtracts", "self.db += dy.sum(0)", "self.db -= dy.sum(0)", "sign_flipped", "b"
)
accumulating.breaks(
    "adds every sample's mean",
    "self.dW += self.x.T @ dy",
    "self.dW += self.x.T @ dy / len(dy)",
    "factor_batch_size",
    "W",
    n=6,
)


@recipe("tied autoencoder", "object/attributes", TiedAutoencoder)
def tied(rng, TiedAutoencoder, n=4, d=5, h=3):
    return TiedAutoencoder(rng.normal(0, 0.5, (d, h))), (rng.normal(size=(n, d)),)


tied.breaks(
    "second use overwrites",
    "self.dW += self.x.T @ dz",
    "self.dW = self.x.T @ dz",
    "overwritten_not_accumulated path_missing",
    "W",
)
tied.breaks("decoder only", "        self.dW += self.x.T @ dz\n", "", "path_missing", "W")
tied.breaks(
    "tanh' missing", "dz = dh * (1 - self.h**2)", "dz = dh", "activation_derivative_missing", "x W"
)
tied.breaks(
    "adds twice",
    "self.dW = dy.T @ self.h",
    "self.dW = 2 * dy.T @ self.h",
    "factor_two path_missing",
    "W",
    notes="one of two uses counted double",
)


@recipe("workspace", "object/attributes", Workspace)
def workspace(rng, Workspace, shape=(3, 4), scale=1.3):
    return Workspace(shape, scale), (rng.normal(size=shape),)


workspace.also("scale of 1e-6", scale=1e-6)
workspace.breaks(
    "scale not in chain",
    "np.multiply(inner, self.scale, out=self.dx)",
    "self.dx[...] = inner",
    "constant_factor",
)
workspace.breaks(
    "writes into the upstream",
    "np.multiply(inner, self.scale, out=self.dx)\n        return self.dx",
    "np.multiply(inner, self.scale, out=grad)\n        return grad",
    "cotangent_mutated",
    "",
)
workspace.breaks(
    "writes into the input",
    "np.multiply(x, self.scale, out=self.out)",
    "x *= 1.0 + 1e-3\n        np.multiply(x, self.scale, out=self.out)",
    "input_mutated",
    "x",
    notes="grows the caller's array by a thousandth",
)
workspace.breaks(
    "gradient of old output",
    "        inner = grad * (1 - self.out**2)\n",
    "        inner = grad * (1 - self.last**2)\n",
    "stale_cache",
    "x scale",
    and_edit={
        "        self.x = x\n": "        self.x = x\n        self.last = self.out.copy()\n",
        "np.empty(shape), np.empty(shape)": "np.zeros(shape), np.empty(shape)",
    },
    notes="uses the output of the forward before; zeros at first",
)
workspace.breaks(
    "scale's gradient averaged",
    "(inner * self.x).sum()",
    "(inner * self.x).mean()",
    "constant_factor",
    "scale",
)


@recipe("centre", "object/none", Center)
def centre(rng, Center, n=5, d=3, offset=0.0):
    return Center(), (offset + rng.normal(size=(n, d)),)


centre.also("one sample", silent=True, n=1, notes="output constant zero, gradient exactly zero")
centre.also("far from zero", offset=1e5)
centre.breaks("mean constant", "grad - grad.mean(axis=0)", "grad.copy()", "path_missing")
centre.breaks(
    "other axis",
    "grad - grad.mean(axis=0)",
    "grad - grad.mean(axis=1, keepdims=True)",
    "wrong_axis",
)
centre.breaks(
    "in place",
    "return x - x.mean(axis=0)",
    "x -= x.mean(axis=0)\n        return x",
    "input_mutated",
    "",
    offset=1.0,
)
centre.breaks(
    "in place backward",
    "return grad - grad.mean(axis=0)",
    "grad -= grad.mean(axis=0)\n        return grad",
    "cotangent_mutated",
    "",
)
