"""Layers as people write them; ``k`` is 1 where they are right, 2 in one gradient."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.support.written_functions import B, W, X


class Base:
    """Weights and biases under the names most people use."""

    def __init__(self, k):
        self.k = k
        self.W = W.copy()
        self.b = B.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b


class ReturnsPairOfList(Base):
    def backward(self, d):
        return d @ self.W.T, [self.x.T @ d, self.k * d.sum(0)]


class ReturnsPairOfDict(Base):
    def backward(self, d):
        return d @ self.W.T, {"dW": self.x.T @ d, "db": self.k * d.sum(0)}


class ReturnsPairOfTuple(Base):
    def backward(self, d):
        return d @ self.W.T, (self.k * self.x.T @ d, d.sum(0))


class ReturnsDict(Base):
    def backward(self, d):
        return {"dx": d @ self.W.T, "dW": self.k * self.x.T @ d, "db": d.sum(0)}


class ReturnsThree(Base):
    def backward(self, d):
        return d @ self.W.T, self.k * self.x.T @ d, d.sum(0)


class GradsAttribute(Base):
    def backward(self, d):
        self.grads = {"W": self.x.T @ d, "b": self.k * d.sum(0)}
        return d @ self.W.T


class DParams(Base):
    def __init__(self, k):
        self.k = k
        self.params = {"W": W.copy(), "b": B.copy()}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, d):
        self.dparams = {"W": self.x.T @ d, "b": self.k * d.sum(0)}
        return d @ self.params["W"].T


class ParamGrads(DParams):
    def backward(self, d):
        self.param_grads = {"dW": self.x.T @ d, "db": self.k * d.sum(0)}
        return d @ self.params["W"].T


class CacheOfGradients(Base):
    def __init__(self, k):
        super().__init__(k)
        self.cache = {}

    def forward(self, x):
        self.cache["x"] = x
        return x @ self.W + self.b

    def backward(self, d):
        self.cache["dW"] = self.cache["x"].T @ d
        self.cache["db"] = self.k * d.sum(0)
        return d @ self.W.T


class SuffixGrad(Base):
    def backward(self, d):
        self.W_grad = self.k * self.x.T @ d
        self.b_grad = d.sum(0)
        return d @ self.W.T


class PrefixUnderscore(Base):
    def backward(self, d):
        self.d_W = self.k * self.x.T @ d
        self.d_b = d.sum(0)
        return d @ self.W.T


class CamelCase(Base):
    def __init__(self, k):
        self.k = k
        self.weights = W.copy()
        self.biases = B.copy()

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.biases

    def backward(self, gradOutput):
        self.weightsGrad = self.k * self.x.T @ gradOutput
        self.biasesGrad = gradOutput.sum(0)
        return gradOutput @ self.weights.T


class Numbered:
    def __init__(self, k):
        self.k = k
        self.W1, self.b1 = W.copy(), B.copy()
        self.W2 = np.random.default_rng(8).normal(size=(3, 2))

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W1 + self.b1)
        return self.h @ self.W2

    def backward(self, d):
        dh = d @ self.W2.T * (1 - self.h**2)
        self.dW2 = self.k * self.h.T @ d
        self.dW1 = self.x.T @ dh
        self.db1 = dh.sum(0)
        return dh @ self.W1.T


class Tensor:
    def __init__(self, value):
        self.value = value
        self.grad = None


class TensorAttributes(Base):
    def __init__(self, k):
        self.k = k
        self.W, self.b = Tensor(W.copy()), Tensor(B.copy())

    def forward(self, x):
        self.x = x
        return x @ self.W.value + self.b.value

    def backward(self, d):
        self.W.grad = self.x.T @ d
        self.b.grad = self.k * d.sum(0)
        return d @ self.W.value.T


class DictOfWeights:
    def __init__(self, k):
        self.k = k
        self.weights = {"W": W.copy(), "b": B.copy()}

    def forward(self, x):
        self.x = x
        return x @ self.weights["W"] + self.weights["b"]

    def backward(self, d):
        self.weights_gradient = {"W": self.x.T @ d, "b": self.k * d.sum(0)}
        return d @ self.weights["W"].T


class Slotted:
    __slots__ = ("W", "b", "dW", "db", "k", "x")

    def __init__(self, k):
        self.k, self.W, self.b = k, W.copy(), B.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        self.dW, self.db = self.x.T @ d, self.k * d.sum(0)
        return d @ self.W.T


@dataclass
class DataClass:
    k: float
    weight: np.ndarray = field(default_factory=W.copy)
    weight_grad: np.ndarray = field(default_factory=lambda: np.zeros_like(W))

    def forward(self, x):
        self.x = x
        return x @ self.weight

    def backward(self, d):
        self.weight_grad += self.k * self.x.T @ d
        return d @ self.weight.T


class Properties:
    def __init__(self, k):
        self.k = k
        self._weights = W.copy()
        self._gradient = None

    @property
    def weights(self):
        return self._weights

    @property
    def weights_gradient(self):
        return self._gradient

    def forward(self, x):
        self.x = x
        return x @ self._weights

    def backward(self, d):
        self._gradient = self.k * self.x.T @ d
        return d @ self._weights.T


class HeldReference(Base):
    """The backward knows the array itself, so that only writing into it changes the layer."""

    def __init__(self, k):
        super().__init__(k)
        held = self.W

        def forward(x):
            self.x = x
            return x @ held + self.b

        def backward(d):
            self.dW, self.db = k * self.x.T @ d, d.sum(0)
            return d @ held.T

        self.forward, self.backward = forward, backward


class OtherName:
    """dW is the gradient of the kernel: the only one of its shape."""

    def __init__(self, k):
        self.k = k
        self.kernel, self.bias = W.copy(), B.copy()

    def forward(self, x):
        self.x = x
        return x @ self.kernel + self.bias

    def backward(self, d):
        self.dW, self.db = self.k * self.x.T @ d, d.sum(0)
        return d @ self.kernel.T


class Generators(SuffixGrad):
    def parameters(self):
        yield self.W
        yield self.b

    def gradients(self):
        yield self.W_grad
        yield self.b_grad


LAYERS = {
    "(dx, [dW, db])": (ReturnsPairOfList, (X,), "b"),
    "(dx, {dW, db})": (ReturnsPairOfDict, (X,), "b"),
    "(dx, (dW, db))": (ReturnsPairOfTuple, (X,), "W"),
    "{dx, dW, db}": (ReturnsDict, (X,), "W"),
    "(dx, dW, db)": (ReturnsThree, (X,), "W"),
    "grads attribute": (GradsAttribute, (X,), "b"),
    "dparams": (DParams, (X,), "b"),
    "param_grads": (ParamGrads, (X,), "b"),
    "cache of gradients": (CacheOfGradients, (X,), "b"),
    "W_grad": (SuffixGrad, (X,), "W"),
    "d_W": (PrefixUnderscore, (X,), "W"),
    "weightsGrad": (CamelCase, (X,), "weights"),
    "numbered": (Numbered, (X,), "W2"),
    "W.value and W.grad": (TensorAttributes, (X,), "b"),
    "weights_gradient dict": (DictOfWeights, (X,), "b"),
    "slots": (Slotted, (X,), "b"),
    "dataclass": (DataClass, (X,), "weight"),
    "properties": (Properties, (X,), "weights"),
    "held by reference": (HeldReference, (X,), "W"),
    "kernel and dW": (OtherName, (X,), "kernel"),
    "generators": (Generators, (X,), "W"),
}
