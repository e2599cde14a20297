"""Whole networks as people write them; ``k`` is 1 where they are right, 2 in one gradient."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from written_functions import LABELS, W2, B, W, X, softmax_loss
from written_layers import Base, Updating

ONE_HOT = np.eye(2)[LABELS % 2]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Affine(Base):
    """Saitoh's layers: parameters and gradients as attributes."""

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


class ColumnNetwork:
    """Biases and weights in lists, columns, backprop(x, y) -> (nabla_b, nabla_w), no loss."""

    def __init__(self, k):
        rng = np.random.default_rng(3)
        self.k = k
        self.sizes = [4, 3, 2]
        self.num_layers = 3
        self.biases = [rng.normal(size=(n, 1)) for n in self.sizes[1:]]
        self.weights = [rng.normal(size=(3, 4)), rng.normal(size=(2, 3))]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights, strict=True):
            a = sigmoid(np.dot(w, a) + b)
        return a

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation, activations = x, [x]
        for b, w in zip(self.biases, self.weights, strict=True):
            activation = sigmoid(np.dot(w, activation) + b)
            activations.append(activation)
        out = activations[-1]
        delta = self.cost_derivative(out, y) * out * (1 - out)
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].T)
        h = activations[-2]
        delta = np.dot(self.weights[-1].T, delta) * h * (1 - h)
        nabla_b[-2] = delta
        nabla_w[-2] = self.k * np.dot(delta, activations[-3].T)
        return nabla_b, nabla_w

    def cost_derivative(self, output_activations, y):
        return output_activations - y


class CrossEntropyColumns(ColumnNetwork):
    """The same with the output error of the cross-entropy."""

    def backprop(self, x, y):
        h = sigmoid(self.weights[0] @ x + self.biases[0])
        out = sigmoid(self.weights[1] @ h + self.biases[1])
        delta = out - y
        dh = self.weights[1].T @ delta * h * (1 - h)
        return [dh, delta], [self.k * dh @ x.T, delta @ h.T]


class TwoLayers:
    """forward(X) and backward(X, y, output), which updates at once; errors are y - output."""

    def __init__(self, k):
        self.k = k
        self.W1, self.W2 = W.copy(), W2.copy()

    def forward(self, X):
        self.z2 = sigmoid(np.dot(X, self.W1))
        return sigmoid(np.dot(self.z2, self.W2))

    def backward(self, X, y, o):
        o_error = y - o
        o_delta = o_error * o * (1 - o)
        z2_error = o_delta.dot(self.W2.T)
        z2_delta = z2_error * self.z2 * (1 - self.z2)
        self.W1 += self.k * X.T.dot(z2_delta)
        self.W2 += self.z2.T.dot(o_delta)

    def train(self, X, y):
        self.backward(X, y, self.forward(X))


class StoredGradients:
    """forward(X), backward(X, y), gradients in a dict, loss by a method of its own."""

    def __init__(self, k):
        self.k = k
        self.params = {"W1": W.copy(), "b1": B.copy(), "W2": W2.copy(), "b2": np.zeros(2)}

    def forward(self, X):
        p = self.params
        self.h = np.maximum(X @ p["W1"] + p["b1"], 0)
        z = self.h @ p["W2"] + p["b2"]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        return self.probs

    def compute_loss(self, y_pred, y_true):
        return -np.mean(np.sum(y_true * np.log(y_pred), axis=1))

    def backward(self, X, y):
        d = (self.probs - y) / len(X)
        dh = d @ self.params["W2"].T * (self.h > 0)
        self.grads = {"W2": self.h.T @ d, "b2": self.k * d.sum(0)}
        self.grads |= {"W1": X.T @ dh, "b1": dh.sum(0)}


class WithoutLoss(StoredGradients):
    compute_loss = None


class ComputeGradients(StoredGradients):
    """compute_loss(X, y) and compute_gradients(X, y)."""

    forward = None
    backward = None

    def compute_loss(self, X, y):
        return softmax_loss(StoredGradients.forward(self, X), y)[0]

    def compute_gradients(self, X, y):
        probs = StoredGradients.forward(self, X)
        d = softmax_loss(probs, y)[1]
        d = probs * (d - (d * probs).sum(1, keepdims=True))
        p = self.params
        dh = d @ p["W2"].T * (self.h > 0)
        return {
            "W1": X.T @ dh,
            "b1": self.k * dh.sum(0),
            "W2": self.h.T @ d,
            "b2": d.sum(0),
        }


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


def mse(y_true, y_pred):
    return np.mean(np.power(y_true - y_pred, 2))


def mse_prime(y_true, y_pred):
    return 2 * (y_pred - y_true) / np.size(y_true)


def rows(k):
    return [Affine(W, B), Tanh(), Affine(W2, np.zeros(2), k)]


COLUMNS = X.T.copy(), ONE_HOT.T.copy()

# what it is: its maker, the inputs, and the tensor whose gradient a k of 2 spoils
NETWORKS = {
    "loss and gradient by name": (BookNetwork, (X, LABELS % 2), "W2"),
    "loss with gradients": (CourseNetwork, (X, LABELS), "b1"),
    "backprop of one column": (ColumnNetwork, (X[:1].T, ONE_HOT[:1].T), "weights[0]"),
    "backprop of cross-entropy": (CrossEntropyColumns, (X[:1].T, ONE_HOT[:1].T), "weights[0]"),
    "backward that updates upwards": (TwoLayers, (X, ONE_HOT), "W1"),
    "backward and compute_loss": (StoredGradients, (X, ONE_HOT), "b2"),
    "backward without a loss": (WithoutLoss, (X, ONE_HOT), "b2"),
    "compute_loss and compute_gradients": (ComputeGradients, (X, LABELS % 2), "b1"),
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
