"""Layers as users write them, right and wrong, for the tests of the checker."""

from __future__ import annotations

import numpy as np


class Dense:
    """Attribute style: W, b and dW, db."""

    def __init__(self, inputs, outputs, bug=None, dtype=np.float64, seed=0):
        rng = np.random.default_rng(seed)
        self.W = rng.normal(size=(inputs, outputs)).astype(dtype)
        self.b = np.zeros(outputs, dtype)
        self.bug = bug

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW = self.x.T @ d
        self.db = d.sum(axis=0)
        dx = d @ self.W.T
        match self.bug:
            case "summed_to_scalar":
                self.db = d.sum()
            case "sign_flipped":
                self.dW = -self.dW
            case "factor_batch_size":
                self.dW = self.dW / len(d)
            case "factor_two":
                self.dW = 2 * self.dW
            case "constant_factor":
                self.dW = 3.7 * self.dW
            case "last_sample_only":
                self.db = d[-1].copy()
            case "transposed":
                self.dW = self.dW.T.copy()
            case "zero_gradient":
                self.db = np.zeros_like(self.b)
            case "not_finite":
                self.dW[0, 0] = np.nan
            case "broadcast_not_reduced":
                self.db = d.copy()
        return dx


class DictDense:
    """params and grads dicts; gradients accumulate."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.params = {"weight": rng.normal(size=(4, 3)), "bias": rng.normal(size=3)}
        self.grads = {name: np.zeros_like(value) for name, value in self.params.items()}

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.params["weight"] + self.params["bias"]

    def backward(self, grad_output):
        self.grads["weight"] += self.inputs.T @ grad_output
        self.grads["bias"] += grad_output.sum(0)
        return grad_output @ self.params["weight"].T


class ListDense:
    """params and grads lists, __call__ for forward, backward returning everything."""

    def __init__(self):
        rng = np.random.default_rng(2)
        self.weights = rng.normal(size=(4, 3))
        self.offset = rng.normal(size=3)

    def __call__(self, x):
        self.cache = x
        return x @ self.weights + self.offset

    def backward(self, grad):
        return grad @ self.weights.T, self.cache.T @ grad, grad.sum(0)


class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = np.zeros_like(data)


class ParameterDense:
    """Parameters that carry their gradients, listed by a method; input gradient stored."""

    def __init__(self):
        rng = np.random.default_rng(3)
        self.w = Parameter(rng.normal(size=(4, 3)))

    def parameters(self):
        return [self.w]

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.w.data)

    def backward(self, dout):
        dz = dout * (1 - np.tanh(self.x @ self.w.data) ** 2)
        self.w.grad[...] = self.x.T @ dz
        self.dx = dz @ self.w.data.T


class Stack:
    """A composite whose parts hold the parameters."""

    def __init__(self):
        self.layers = [Dense(4, 5, seed=4), ReLU(), Dense(5, 2, seed=5)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, d):
        for layer in reversed(self.layers):
            d = layer.backward(d)
        return d


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return np.maximum(x, 0)

    def backward(self, d):
        return d * self.mask


class SquaredError:
    """A loss: two inputs, a scalar, a backward without cotangent."""

    def forward(self, prediction, target):
        self.difference = prediction - target
        return np.mean(self.difference**2)

    def backward(self):
        return 2 * self.difference / self.difference.size


class CrossEntropy:
    """A loss on logits with integer labels."""

    def forward(self, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        self.p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        self.labels = labels
        return -np.mean(np.log(self.p[np.arange(len(labels)), labels]))

    def backward(self, dout=1.0):
        d = self.p.copy()
        d[np.arange(len(d)), self.labels] -= 1
        return dout * d / len(d)


class BatchNorm:
    """Keeps running statistics and takes the batch's own in training."""

    def __init__(self, size):
        self.gamma, self.beta = np.linspace(0.5, 1.5, size), np.zeros(size)
        self.running_mean = np.zeros(size)

    def forward(self, x):
        mean, variance = x.mean(0), x.var(0)
        self.running_mean = 0.9 * self.running_mean + 0.1 * mean
        self.std = np.sqrt(variance + 1e-5)
        self.normed = (x - mean) / self.std
        return self.gamma * self.normed + self.beta

    def backward(self, d):
        self.dgamma = (d * self.normed).sum(0)
        self.dbeta = d.sum(0)
        dn = d * self.gamma
        return (dn - dn.mean(0) - self.normed * (dn * self.normed).mean(0)) / self.std


class Embedding:
    """Integer input: only the table is differentiable."""

    def __init__(self, overwrite=False):
        self.table = np.random.default_rng(6).normal(size=(5, 3))
        self.overwrite = overwrite

    def forward(self, indices):
        self.indices = indices
        return self.table[indices]

    def backward(self, d):
        self.dtable = np.zeros_like(self.table)
        if self.overwrite:
            self.dtable[self.indices] += d
        else:
            np.add.at(self.dtable, self.indices, d)


class Dropout:
    def __init__(self, source):
        self.source = source

    def forward(self, x):
        self.mask = self.source(x.shape) < 0.7
        return x * self.mask

    def backward(self, d):
        return d * self.mask


def affine_forward(x, w, b):
    return x.reshape(x.shape[0], -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = (dout @ w.T).reshape(x.shape)
    return dx, x.reshape(x.shape[0], -1).T @ dout, dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def cube_with_gradient(x):
    return np.sum(x**3), 3 * x**2


def exp_with_callback(x):
    y = np.exp(x)
    return y, lambda dy: dy * y


class TwoLayerNet:
    """The CS231n class: loss(X, y) -> (loss, grads), parameters in a dict."""

    def __init__(self):
        rng = np.random.default_rng(7)
        self.params = {"W1": rng.normal(size=(4, 6)), "b1": np.full(6, 0.1)}
        self.params |= {"W2": rng.normal(size=(6, 3)), "b2": np.zeros(3)}

    def loss(self, X, y):
        p = self.params
        h = np.maximum(X @ p["W1"] + p["b1"], 0)
        loss = CrossEntropy()
        value = loss.forward(h @ p["W2"] + p["b2"], y)
        d = loss.backward()
        grads = {"W2": h.T @ d, "b2": d.sum(0)}
        dh = d @ p["W2"].T * (h > 0)
        grads |= {"W1": X.T @ dh, "b1": dh.sum(0)}
        return value, grads
