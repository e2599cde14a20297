"""Networks whose backward begins at the targets; ``k`` is 1 where they are right, else 2."""

from __future__ import annotations

import numpy as np

from tests.support.written_functions import LABELS, W2, B, W, X, softmax_loss

ONE_HOT = np.eye(2)[LABELS % 2]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


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


class OwnRate:
    """An update by the network's own learning rate, of the mean over the batch."""

    def __init__(self, k):
        self.k = k
        self.learning_rate = 0.01
        self.W1, self.b1 = W.copy(), B[None].copy()
        self.W2 = W2.copy()

    def forward(self, X):
        self.a1 = np.tanh(X @ self.W1 + self.b1)
        return self.a1 @ self.W2

    def backward(self, X, y, output):
        m = X.shape[0]
        dz2 = (output - y) / m
        dz1 = dz2 @ self.W2.T * (1 - self.a1**2)
        self.W2 -= self.learning_rate * (self.a1.T @ dz2)
        self.W1 -= self.learning_rate * (X.T @ dz1)
        self.b1 -= self.learning_rate * self.k * dz1.sum(axis=0, keepdims=True)


class Logits:
    """The softmax is in the backward alone."""

    def __init__(self, k):
        self.k = k
        self.W1, self.b1 = W.copy(), B.copy()

    def forward(self, X):
        self.z = X @ self.W1 + self.b1
        return self.z

    def backward(self, X, y):
        _, d = softmax_loss(self.z, y)
        return {"W1": self.k * X.T @ d, "b1": d.sum(0)}


class LossOfInputs:
    """loss(X, y) runs the forward, backward(y) follows it."""

    def __init__(self, k):
        self.k = k
        self.W = W.copy()

    def forward(self, X):
        self.X = X
        return X @ self.W

    def loss(self, X, y):
        value, self.d = softmax_loss(self.forward(X), y)
        return value

    def backward(self, y):
        _, d = softmax_loss(self.X @ self.W, y)
        self.dW = self.k * self.X.T @ d


class Columns:
    """Samples in columns, everything in dicts, a cost of its own."""

    def __init__(self, k):
        self.k = k
        self.params = {"W1": W.T.copy(), "b1": B[:, None].copy()}
        self.params |= {"W2": W2.T[:1].copy(), "b2": np.zeros((1, 1))}
        self.cache, self.grads = {}, {}

    def forward_propagation(self, X):
        p = self.params
        self.cache["A0"] = X
        self.cache["Z1"] = p["W1"] @ X + p["b1"]
        self.cache["A1"] = np.maximum(0, self.cache["Z1"])
        self.cache["A2"] = sigmoid(p["W2"] @ self.cache["A1"] + p["b2"])
        return self.cache["A2"]

    def compute_cost(self, A2, Y):
        return float(-np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)))

    def backward_propagation(self, Y):
        m = Y.shape[1]
        c = self.cache
        dZ2 = c["A2"] - Y
        self.grads["dW2"] = dZ2 @ c["A1"].T / m
        self.grads["db2"] = dZ2.sum(axis=1, keepdims=True) / m
        dZ1 = self.params["W2"].T @ dZ2 * (c["Z1"] > 0)
        self.grads["dW1"] = self.k * dZ1 @ c["A0"].T / m
        self.grads["db1"] = dZ1.sum(axis=1, keepdims=True) / m


def course_functions(k, cost=None):
    """forward_propagation(X, parameters), backward_propagation(parameters, cache, X, Y)."""

    def forward_propagation(X, parameters):
        Z1 = np.dot(parameters["W1"], X) + parameters["b1"]
        A1 = np.tanh(Z1)
        A2 = sigmoid(np.dot(parameters["W2"], A1) + parameters["b2"])
        return A2, {"Z1": Z1, "A1": A1, "A2": A2}

    def backward_propagation(parameters, cache, X, Y):
        m = X.shape[1]
        dZ2 = cache["A2"] - Y
        dZ1 = np.dot(parameters["W2"].T, dZ2) * (1 - np.power(cache["A1"], 2))
        return {
            "dW1": k * np.dot(dZ1, X.T) / m,
            "db1": np.sum(dZ1, axis=1, keepdims=True) / m,
            "dW2": np.dot(dZ2, cache["A1"].T) / m,
            "db2": np.sum(dZ2, axis=1, keepdims=True) / m,
        }

    functions = [forward_propagation, backward_propagation]
    return tuple(functions if cost is None else [functions[0], cost, functions[1]])


def compute_cost(A2, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m


def model_functions(k):
    """L_model_forward(X, parameters), L_model_backward(AL, Y, caches)."""

    def forward(X, parameters):
        Z = parameters["W1"] @ X + parameters["b1"]
        return sigmoid(Z), [(X, parameters["W1"], parameters["b1"])]

    def backward(AL, Y, caches):
        A_prev, _, _ = caches[0]
        dZ = AL - Y
        m = Y.shape[1]
        return {"dW1": dZ @ A_prev.T / m, "db1": k * dZ.sum(axis=1, keepdims=True) / m}

    return forward, backward


PARAMETERS = {"W1": W.T, "b1": B[:, None], "W2": W2.T[:1], "b2": np.zeros((1, 1))}
ROW = ONE_HOT[:, :1].T.copy()

MONOLITHS = {
    "functions of a course": (course_functions, (X.T, ROW, PARAMETERS), "W1"),
    "functions and their cost": (
        lambda k: course_functions(k, compute_cost),
        (X.T, ROW, PARAMETERS),
        "W1",
    ),
    "functions of a model": (
        model_functions,
        (X.T, np.eye(3)[LABELS].T, {"W1": W.T, "b1": B[:, None]}),
        "b1",
    ),
    "backprop of one column": (ColumnNetwork, (X[:1].T, ONE_HOT[:1].T), "weights[0]"),
    "backprop of cross-entropy": (CrossEntropyColumns, (X[:1].T, ONE_HOT[:1].T), "weights[0]"),
    "backward that updates upwards": (TwoLayers, (X, ONE_HOT), "W1"),
    "backward and compute_loss": (StoredGradients, (X, ONE_HOT), "b2"),
    "backward without a loss": (WithoutLoss, (X, ONE_HOT), "b2"),
    "compute_loss and compute_gradients": (ComputeGradients, (X, LABELS % 2), "b1"),
    "own learning rate": (OwnRate, (X, ONE_HOT), "b1"),
    "logits": (Logits, (X, LABELS), "W1"),
    "loss of inputs": (LossOfInputs, (X, LABELS), "W"),
    "samples in columns": (Columns, (X.T.copy(), ONE_HOT[:, :1].T.copy()), "W1"),
}
