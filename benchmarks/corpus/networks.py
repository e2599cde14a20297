"""Whole networks: a ``layers`` list, with or without a loss object."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmarks.corpus.case import recipe


class Linear:
    def __init__(self, rng, n_in, n_out, dtype=float):
        self.W = rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)).astype(dtype)
        self.b = rng.normal(0, 0.1, n_out).astype(dtype)
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(0)
        return grad @ self.W.T


class ReLU:
    def forward(self, x):
        self.on = x > 0
        return x * self.on

    def backward(self, grad):
        return grad * self.on


class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, grad):
        return grad * (1 - self.y**2)


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(1, keepdims=True))
        self.p = e / e.sum(1, keepdims=True)
        return self.p

    def backward(self, grad):
        return self.p * (grad - (grad * self.p).sum(1, keepdims=True))


class CrossEntropy:
    """Of probabilities; class indices."""

    def forward(self, probs, labels):
        self.probs, self.labels = probs, labels
        return -np.log(probs[np.arange(len(labels)), labels]).mean()

    def backward(self):
        grad = np.zeros_like(self.probs)
        rows = np.arange(len(self.labels))
        grad[rows, self.labels] = -1 / self.probs[rows, self.labels] / len(rows)
        return grad


class MeanSquares:
    def forward(self, pred, target):
        self.diff = pred - target
        return (self.diff**2).mean()

    def backward(self):
        return 2 * self.diff / self.diff.size


class Network:
    def __init__(self, layers, loss=None):
        self.layers = layers
        if loss is not None:
            self.loss = loss

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad


PARTS = (Linear, ReLU, Tanh, Softmax, CrossEntropy, MeanSquares, Network)


@recipe("classifier", "network/loss", *PARTS)
def classifier(rng, Linear, ReLU, _tanh, Softmax, CrossEntropy, _mse, Network, n=5, d=6, h=8, c=3):
    layers = [Linear(rng, d, h), ReLU(), Linear(rng, h, c), Softmax()]
    net = Network(layers, CrossEntropy())
    return net, (rng.normal(size=(n, d)), rng.integers(0, c, n))


classifier.also("one sample", n=1)
classifier.also("batch of 64", n=64, d=20, h=30, c=10)
EVERY_LINEAR = "x layers.0.W layers.0.b layers.2.W layers.2.b"
classifier.breaks(
    "softmax diagonal",
    "self.p * (grad - (grad * self.p).sum(1, keepdims=True))",
    "self.p * (1 - self.p) * grad",
    "jacobian_diagonal_only",
    EVERY_LINEAR,
)
classifier.breaks(
    "softmax identity, loss fused",
    "return self.p * (grad - (grad * self.p).sum(1, keepdims=True))",
    "return grad",
    "activation_derivative_missing",
    EVERY_LINEAR,
)
classifier.breaks(
    "loss fused, softmax again",
    "grad = np.zeros_like(self.probs)",
    "grad = self.probs / len(self.probs)",
    "gradient_of_other_loss softmax_jacobian_twice",
    EVERY_LINEAR,
    and_edit={
        "grad[rows, self.labels] = -1 / self.probs[rows, self.labels] / len(rows)": (
            "grad[rows, self.labels] -= 1 / len(rows)"
        ),
    },
)
classifier.breaks(
    "loss not averaged",
    "self.labels] / len(rows)",
    "self.labels]",
    "factor_batch_size gradient_of_other_loss",
    EVERY_LINEAR,
)
classifier.breaks(
    "relu skipped",
    "return grad * self.on",
    "return grad",
    "mask_not_applied activation_derivative_missing",
    "x layers.0.W layers.0.b",
)
classifier.breaks(
    "bias mean", "grad.sum(0)", "grad.mean(0)", "factor_batch_size", "layers.0.b layers.2.b"
)
classifier.breaks(
    "softmax over the batch",
    "e.sum(1, keepdims=True)",
    "e.sum(0, keepdims=True)",
    "wrong_axis samples_mixed",
    EVERY_LINEAR,
    notes="rows of the forward depend on one another",
)
classifier.breaks(
    "softmax over everything",
    "e.sum(1, keepdims=True)",
    "e.sum()",
    "wrong_axis samples_mixed",
    EVERY_LINEAR,
)


@recipe("regressor", "network/loss", *PARTS)
def regressor(
    rng,
    Linear,
    _relu,
    Tanh,
    _softmax,
    _ce,
    MeanSquares,
    Network,
    n=4,
    d=3,
    widths=(6, 6),
    dtype=float,
):
    sizes = (d, *widths)
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [Linear(rng, n_in, n_out, dtype), Tanh()]
    net = Network([*layers, Linear(rng, sizes[-1], 2, dtype)], MeanSquares())
    return net, (rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(n, 2)).astype(dtype))


regressor.also("float32", dtype=np.float32)
regressor.also("eight hidden layers", widths=(7,) * 8)
REGRESSOR_ALL = "x layers.0.W layers.0.b layers.2.W layers.2.b"
regressor.breaks(
    "tanh of input",
    "(1 - self.y**2)",
    "(1 - np.tanh(self.y) ** 2)",
    "derivative_at_wrong_point",
    REGRESSOR_ALL,
)
regressor.breaks(
    "tanh' missing",
    "return grad * (1 - self.y**2)",
    "return grad",
    "activation_derivative_missing",
    REGRESSOR_ALL,
)
regressor.breaks(
    "half", "2 * self.diff", "self.diff", "factor_two", REGRESSOR_ALL + " layers.4.W layers.4.b"
)
regressor.breaks(
    "per batch",
    "2 * self.diff / self.diff.size",
    "2 * self.diff / len(self.diff)",
    "constant_factor factor_two gradient_of_other_loss",
    REGRESSOR_ALL + " layers.4.W layers.4.b",
    notes="two outputs: the factor is two",
)
regressor.breaks(
    "first gradient frozen",
    "self.dW = self.x.T @ grad",
    "self.dW = self.x.T @ grad * (grad.shape[1] != 5)",
    "zero_gradient",
    "layers.0.W",
    widths=(5, 6),
)


@recipe("deep relu", "network/plain", *PARTS)
def deep(
    rng, Linear, ReLU, _tanh, _softmax, _ce, _mse, Network, depth=8, n=3, width=9, dtype=float
):
    layers = [m for _ in range(depth) for m in (Linear(rng, width, width, dtype), ReLU())]
    return Network(layers), (rng.normal(size=(n, width)).astype(dtype),)


deep.also("twenty layers", depth=20)
deep.also("float32", dtype=np.float32)
deep.also("wide", width=64, n=16, depth=4)
deep.breaks(
    "not transposed",
    "grad @ self.W.T",
    "grad @ self.W",
    "transposed",
    "x layers.0.W layers.0.b layers.2.W layers.2.b",
    depth=3,
    notes="all but the last layer's gradients are wrong",
)
deep.breaks(
    "bias one number",
    "grad.sum(0)",
    "np.full(grad.shape[1], grad.sum())",
    "summed_to_scalar",
    "layers.0.b layers.2.b",
    depth=2,
)
deep.breaks(
    "mask inverted",
    "grad * self.on",
    "grad * ~self.on",
    "wrong_mask slope_wrong",
    "x layers.0.W layers.0.b layers.2.W layers.2.b",
    depth=2,
)
deep.breaks(
    "one layer drops a sample",
    "self.dW = self.x.T @ grad",
    "self.dW = self.x[1:].T @ grad[1:]",
    "path_missing few_entries samples_mixed",
    "layers.0.W layers.2.W",
    depth=2,
    n=6,
    notes="the first sample never counts",
)
deep.breaks(
    "caches the output",
    "self.x = x\n        return x @ self.W + self.b",
    "self.x = x @ self.W + self.b\n        return self.x",
    "derivative_at_wrong_point",
    "layers.0.W layers.2.W",
    depth=2,
)
