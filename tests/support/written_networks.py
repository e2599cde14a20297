"""Whole networks as people write them; ``k`` is 1 where they are right, 2 in one gradient."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from tests.support.written_functions import LABELS, W2, B, W, X, softmax_loss
from tests.support.written_layers import Base, SuffixGrad
from tests.support.written_updates import Updating

ONE_HOT = np.eye(2)[LABELS % 2]


class Affine(Base):
    """A book's layers: parameters and gradients as attributes."""

    def __init__(self, W, b, k=1.0):
        self.W, self.b, self.k = W.copy(), b.copy(), k
        self.x = self.dW = self.db = None

    def backward(self, dout):
        self.dW = self.k * np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.dot(dout, self.W.T)


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class SoftmaxWithLoss:
    def forward(self, x, t):
        self.loss, self.d = softmax_loss(x, t)
        return self.loss

    def backward(self, dout=1):
        return self.d * dout


class BookNetwork:
    """loss(x, t), gradient(x, t) -> dict, layers in an OrderedDict sharing the parameters."""

    def __init__(self, k):
        self.params = {"W1": W.copy(), "b1": B.copy(), "W2": W2.copy(), "b2": np.zeros(2)}
        self.layers = OrderedDict()
        self.layers["Affine1"] = Affine(W, B)
        self.layers["Affine1"].W, self.layers["Affine1"].b = self.params["W1"], self.params["b1"]
        self.layers["Tanh1"] = Tanh()
        self.layers["Affine2"] = Affine(W2, np.zeros(2), k)
        self.layers["Affine2"].W, self.layers["Affine2"].b = self.params["W2"], self.params["b2"]
        self.lastLayer = SoftmaxWithLoss()

    def predict(self, x):
        for layer in self.layers.values():
            x = layer.forward(x)
        return x

    def loss(self, x, t):
        return self.lastLayer.forward(self.predict(x), t)

    def accuracy(self, x, t):
        return np.mean(np.argmax(self.predict(x), axis=1) == t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.lastLayer.backward(1)
        for layer in reversed(list(self.layers.values())):
            dout = layer.backward(dout)
        grads = {"W1": self.layers["Affine1"].dW, "b1": self.layers["Affine1"].db}
        grads |= {"W2": self.layers["Affine2"].dW, "b2": self.layers["Affine2"].db}
        return grads


class CourseNetwork:
    """loss(X, y) -> (loss, grads); scores without y."""

    def __init__(self, k):
        self.k = k
        self.params = {"W1": W.copy(), "b1": B.copy()}

    def loss(self, X, y=None):
        scores = X @ self.params["W1"] + self.params["b1"]
        if y is None:
            return scores
        loss, d = softmax_loss(scores, y)
        return loss, {"W1": X.T @ d, "b1": self.k * d.sum(0)}


class Network:
    """Layers that update themselves, and a loss given as two functions."""

    def __init__(self, k):
        self.layers = [Updating(1.0), ColumnTanh(), Updating(k)]
        self.layers[2].weights = W2.T.copy()
        self.layers[2].bias = np.zeros((2, 1))
        self.loss = None

    def use(self, loss, loss_prime):
        self.loss = loss
        self.loss_prime = loss_prime
        return self

    def predict(self, input_data):
        output = input_data
        for layer in self.layers:
            output = layer.forward(output)
        return output


class ColumnTanh(Tanh):
    def backward(self, output_gradient, learning_rate):
        return output_gradient * (1 - self.out**2)


class Sequential:
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, d):
        for layer in reversed(self.layers):
            d = layer.backward(d)
        return d


class Residual:
    """Layers as attributes."""

    def __init__(self, k):
        self.first, self.second = SuffixGrad(1.0), SuffixGrad(k)
        self.second.W, self.second.b = W.T.copy(), np.zeros(4)

    def forward(self, x):
        self.h = np.tanh(self.first.forward(x))
        return x + self.second.forward(self.h)

    def backward(self, d):
        return d + self.first.backward(self.second.backward(d) * (1 - self.h**2))


def mse(y_true, y_pred):
    return np.mean(np.power(y_true - y_pred, 2))


def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / np.size(y_true)


def rows(k):
    return [Affine(W, B), Tanh(), Affine(W2, np.zeros(2), k)]


COLUMNS = X.T.copy(), ONE_HOT.T.copy()


# what it is: its maker, the inputs, and the tensor whose gradient a k of 2 spoils
NETWORKS = {
    "residual": (Residual, (X,), "second.W"),
    "loss and gradient by name": (BookNetwork, (X, LABELS % 2), "W2"),
    "loss with gradients": (CourseNetwork, (X, LABELS), "b1"),
    "layers and two functions": (
        lambda k: Network(k).use(mse, mse_prime),
        COLUMNS,
        "layers[2].weights",
    ),
    "layers that update": (lambda k: Network(k).layers, COLUMNS[:1], "layers[2].weights"),
    "list of layers": (rows, (X,), "layers[2].W"),
    "layers and a loss object": (
        lambda k: (rows(k), SoftmaxWithLoss()),
        (X, LABELS % 2),
        "layers[2].W",
    ),
    "layers and a loss pair": (lambda k: (rows(k), (mse, mse_prime)), (X, ONE_HOT), "layers[2].W"),
    "layers and two loss functions": (
        lambda k: (rows(k), mse, mse_prime),
        (X, ONE_HOT),
        "layers[2].W",
    ),
    "sequential": (lambda k: Sequential(*rows(k)), (X,), "layers[2].W"),
    "sequential and a loss": (
        lambda k: (Sequential(*rows(k)), SoftmaxWithLoss()),
        (X, LABELS % 2),
        "layers[2].W",
    ),
    "nested sequential": (
        lambda k: Sequential(Sequential(*rows(1.0)), Sequential(Tanh(), Affine(W2.T, B, k))),
        (X,),
        "layers[1].layers[1].W",
    ),
}
