"""Layers of the sizes that people use, right and wrong, and one check of each, timed.

Run as a file, with any build of gradcheck on the path: ``python scale_layers.py LAYER KIND TIMES``
prints a line of JSON. Only names that every build has are used.
"""

from __future__ import annotations

import json
import resource
import sys
import tracemalloc
from typing import Any

import numpy as np

import gradcheck

RNG = np.random.default_rng(0)


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


class Dense:
    """A linear layer."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self.W = RNG.normal(size=(inputs, outputs)) / np.sqrt(inputs)
        self.b = np.zeros(outputs)

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad: Any) -> Any:
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T


class DenseWrong(Dense):
    """The bias gets the mean over the batch."""

    def backward(self, grad: Any) -> Any:
        self.dW = self.x.T @ grad
        self.db = grad.mean(axis=0)
        return grad @ self.W.T


class Conv:
    """A 3x3 convolution with padding."""

    def __init__(self, channels: int) -> None:
        self.W = RNG.normal(size=(channels, channels, 3, 3)) / np.sqrt(9 * channels)

    @staticmethod
    def windows(x: Any) -> Any:
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))

    def forward(self, x: Any) -> Any:
        self.seen = self.windows(x)
        return np.einsum("ncijkl,ockl->noij", self.seen, self.W, optimize=True)

    def backward(self, grad: Any) -> Any:
        self.dW = np.einsum("noij,ncijkl->ockl", grad, self.seen, optimize=True)
        turned = self.W[:, :, ::-1, ::-1]
        return np.einsum("noijkl,ockl->ncij", self.windows(grad), turned, optimize=True)


class ConvWrong(Conv):
    """The kernel is not turned on the way back."""

    def backward(self, grad: Any) -> Any:
        self.dW = np.einsum("noij,ncijkl->ockl", grad, self.seen, optimize=True)
        return np.einsum("noijkl,ockl->ncij", self.windows(grad), self.W, optimize=True)


class LSTMCell:
    """One step of an LSTM."""

    def __init__(self, inputs: int, hidden: int) -> None:
        self.Wx = RNG.normal(size=(inputs, 4 * hidden)) / np.sqrt(inputs)
        self.Wh = RNG.normal(size=(hidden, 4 * hidden)) / np.sqrt(hidden)
        self.b = np.zeros(4 * hidden)

    def forward(self, x: Any, h: Any, c: Any) -> Any:
        i, f, o, g = np.split(x @ self.Wx + h @ self.Wh + self.b, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        new = f * c + i * g
        self.cache = x, h, c, i, f, o, g, np.tanh(new)
        return o * np.tanh(new), new

    def backward(self, dh: Any, dc: Any) -> Any:
        x, h, c, i, f, o, g, t = self.cache
        dc = dc + dh * o * (1 - t**2)
        di, df, do = dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o)
        dz = np.concatenate([di, df, do, dc * i * (1 - g**2)], axis=1)
        self.dWx, self.dWh, self.db = x.T @ dz, h.T @ dz, dz.sum(axis=0)
        return dz @ self.Wx.T, dz @ self.Wh.T, dc * f


class LSTMCellWrong(LSTMCell):
    """The derivative of the forget gate is that of the input gate."""

    def backward(self, dh: Any, dc: Any) -> Any:
        x, h, c, i, f, o, g, t = self.cache
        dc = dc + dh * o * (1 - t**2)
        di, df, do = dc * g * i * (1 - i), dc * c * i * (1 - i), dh * t * o * (1 - o)
        dz = np.concatenate([di, df, do, dc * i * (1 - g**2)], axis=1)
        self.dWx, self.dWh, self.db = x.T @ dz, h.T @ dz, dz.sum(axis=0)
        return dz @ self.Wx.T, dz @ self.Wh.T, dc * f


class LayerNorm:
    """Rows are standardised, scaled and shifted."""

    def __init__(self, features: int) -> None:
        self.gamma, self.beta = np.ones(features), np.zeros(features)

    def forward(self, x: Any) -> Any:
        self.inverse = 1 / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        self.xhat = (x - x.mean(axis=1, keepdims=True)) * self.inverse
        return self.gamma * self.xhat + self.beta

    def backward(self, grad: Any) -> Any:
        self.dgamma, self.dbeta = (grad * self.xhat).sum(axis=0), grad.sum(axis=0)
        d = grad * self.gamma
        centred = d - d.mean(axis=1, keepdims=True)
        return self.inverse * (centred - self.xhat * (d * self.xhat).mean(axis=1, keepdims=True))


class LayerNormWrong(LayerNorm):
    """The path through the variance is missing."""

    def backward(self, grad: Any) -> Any:
        self.dgamma, self.dbeta = (grad * self.xhat).sum(axis=0), grad.sum(axis=0)
        d = grad * self.gamma
        return self.inverse * (d - d.mean(axis=1, keepdims=True))


class CrossEntropy:
    """Softmax and cross-entropy, averaged over the batch."""

    def forward(self, x: Any, labels: Any) -> Any:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p, self.labels = e / e.sum(axis=1, keepdims=True), labels
        return -np.log(self.p[np.arange(len(labels)), labels]).mean()

    def backward(self) -> Any:
        d = self.p.copy()
        d[np.arange(len(d)), self.labels] -= 1
        return d / len(d)


class CrossEntropyWrong(CrossEntropy):
    """The gradient is that of the sum."""

    def backward(self) -> Any:
        d = self.p.copy()
        d[np.arange(len(d)), self.labels] -= 1
        return d


class MLP:
    """Twelve layers of 64 with tanh."""

    def __init__(self, depth: int, width: int) -> None:
        self.W = [RNG.normal(size=(width, width)) / np.sqrt(width) for _ in range(depth)]
        self.b = [np.zeros(width) for _ in range(depth)]

    def forward(self, x: Any) -> Any:
        self.a = [x]
        for weights, bias in zip(self.W, self.b, strict=True):
            self.a.append(np.tanh(self.a[-1] @ weights + bias))
        return self.a[-1]

    def backward(self, grad: Any) -> Any:
        self.dW, self.db = [None] * len(self.W), [None] * len(self.b)
        for k in reversed(range(len(self.W))):
            grad = grad * (1 - self.a[k + 1] ** 2)
            self.dW[k], self.db[k] = self.a[k].T @ grad, grad.sum(axis=0)
            grad = grad @ self.W[k].T
        return grad


class MLPWrong(MLP):
    """The derivative of tanh is taken at the input of each layer instead of its output."""

    def backward(self, grad: Any) -> Any:
        self.dW, self.db = [None] * len(self.W), [None] * len(self.b)
        for k in reversed(range(len(self.W))):
            grad = grad * (1 - self.a[k] ** 2)
            self.dW[k], self.db[k] = self.a[k].T @ grad, grad.sum(axis=0)
            grad = grad @ self.W[k].T
        return grad


def normal(*shape: int) -> Any:
    return RNG.normal(size=shape)


# The right class, the wrong one, what they are made with, and their inputs.
LAYERS: dict[str, Any] = {
    "Dense 4x3": (Dense, DenseWrong, (4, 3), [normal(5, 4)]),
    "Dense 784x300": (Dense, DenseWrong, (784, 300), [normal(8, 784)]),
    "Conv 3x3 64->64": (Conv, ConvWrong, (64,), [normal(1, 64, 16, 16)]),
    "LSTM cell 128->256": (
        LSTMCell, LSTMCellWrong, (128, 256), [normal(8, 128), normal(8, 256), normal(8, 256)],
    ),
    "LayerNorm 32x512": (LayerNorm, LayerNormWrong, (512,), [normal(32, 512)]),
    "CE, 10,000 classes": (
        CrossEntropy, CrossEntropyWrong, (), [normal(8, 10_000), RNG.integers(0, 10_000, 8)],
    ),
    "MLP, 12 layers of 64": (MLP, MLPWrong, (12, 64), [normal(8, 64)]),
    "Dense 4096x4096": (Dense, DenseWrong, (4096, 4096), [normal(64, 4096)]),
}  # fmt: skip


def made(name: str, *, wrong: bool) -> tuple[Any, list[Any]]:
    """Return a layer, right or wrong, and inputs for it."""
    right, other, arguments, inputs = LAYERS[name]
    return (other if wrong else right)(*arguments), inputs


def cpu_seconds() -> float:
    """Return the CPU time of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def timed_check(name: str, wrong: bool, times: int) -> dict[str, Any]:
    """Check a layer so many times; return the fewest CPU seconds, and what was found."""
    layer, inputs = made(name, wrong=False)
    gradcheck.check(layer, *inputs, explain=False, progress=False)
    gradcheck.check(DenseWrong(2, 2), normal(3, 2), progress=False)  # loads what explains
    spent = []
    for _ in range(times):
        layer, _ = made(name, wrong=wrong)
        begun = cpu_seconds()
        report = gradcheck.check(layer, *inputs, progress=False)
        spent.append(cpu_seconds() - begun)
    first = report.explanations[0] if report.explanations else None
    code, fix = (first.code, first.fix) if first is not None else ("", "")
    return {"seconds": min(spent), "ok": report.ok, "code": code, "fix": fix}


def copies_of_largest(name: str) -> float:
    """Return the most memory that Python takes in a check, in copies of the largest tensor."""
    layer, inputs = made(name, wrong=False)
    largest = max(value.nbytes for value in (*inputs, *vars(layer).values())
                  if isinstance(value, np.ndarray))  # fmt: skip
    tracemalloc.start()
    gradcheck.check(layer, *inputs, progress=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(peak / largest)


if __name__ == "__main__":
    layer, kind, times = sys.argv[1:4]
    if kind == "memory":
        found: dict[str, Any] = {"copies": copies_of_largest(layer)}
    else:
        found = timed_check(layer, kind == "wrong", int(times))
    sys.stdout.write(json.dumps(found) + "\n")
