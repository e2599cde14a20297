"""Backwards that ask for this and that; ``k`` is 1 where they are right, 2 in one gradient."""

from __future__ import annotations

import numpy as np

from tests.support.written_functions import LABELS, B, W, X
from tests.support.written_layers import Base


class GradOutputAndInput(Base):
    def backward(self, grad_output, input):
        self.dW = self.k * input.T @ grad_output
        self.db = grad_output.sum(0)
        return grad_output @ self.W.T


class CachedMethods(Base):
    def forward(self, x):
        return x @ self.W + self.b, (x,)

    def backward(self, dout, cache):
        (x,) = cache
        self.dW, self.db = x.T @ dout, self.k * dout.sum(0)
        return dout @ self.W.T


class TrainingFlag(Base):
    def forward(self, x, training):
        self.x = x
        return (x @ self.W + self.b) * (1.0 if training else 0.5)

    def backward(self, d):
        self.dW, self.db = self.x.T @ d, self.k * d.sum(0)
        return d @ self.W.T


class Mode(TrainingFlag):
    def forward(self, x, mode):
        self.x = x
        return (x @ self.W + self.b) * (1.0 if mode == "train" else 0.5)


class ListOfInputs:
    def __init__(self, k):
        self.k = k

    def forward(self, inputs):
        self.a, self.b = inputs
        return self.a * self.b

    def backward(self, d):
        return [d * self.b, self.k * d * self.a]


class Renamed(Base):
    def __init__(self, k, forward_name, backward_name):
        super().__init__(k)
        setattr(self, forward_name, self._run)
        setattr(self, backward_name, self._back)
        self.forward = None

    def _run(self, x):
        self.x = x
        return x @ self.W + self.b

    def _back(self, d):
        self.dW, self.db = self.x.T @ d, self.k * d.sum(0)
        return d @ self.W.T


class MeanSquares:
    """A loss that keeps nothing."""

    def __init__(self, k):
        self.k = k

    def loss(self, y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2)

    def gradient(self, y_true, y_pred):
        return self.k * 2 * (y_pred - y_true) / y_pred.size


class QuadraticCost(MeanSquares):
    gradient = None

    def loss_derivative(self, y_true, y_pred):
        return self.k * 2 * (y_pred - y_true) / y_pred.size


class Sigmoid:
    """An activation: the function and its derivative."""

    def __init__(self, k):
        self.k = k

    def __call__(self, x):
        return 1 / (1 + np.exp(-x))

    def gradient(self, x):
        return self.k * self(x) * (1 - self(x))


class Prime(Sigmoid):
    __call__ = None
    gradient = None

    def activation(self, z):
        return np.tanh(z)

    def activation_prime(self, z):
        return self.k * (1 - np.tanh(z) ** 2)


class LeavesEverything:
    """Outputs and gradients as attributes, as in a well-known book."""

    def __init__(self, k):
        self.k = k
        self.weights, self.biases = W.copy(), B[None].copy()

    def forward(self, inputs, training):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = self.k * np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class SampleLosses:
    """Its backward takes the predictions and divides by the number of samples."""

    def __init__(self, k):
        self.k = k

    def forward(self, y_pred, y_true):
        return -np.log(np.sum(y_pred * y_true, axis=1))

    def backward(self, dvalues, y_true):
        samples = len(dvalues)
        self.dinputs = -self.k * y_true / dvalues / samples


class StateAndMemory:
    """Two outputs, two cotangents."""

    def __init__(self, k):
        self.k = k
        self.Wx, self.Wh = W.copy(), np.random.default_rng(6).normal(size=(3, 3))

    def forward(self, x, h_prev, c_prev):
        g = np.tanh(x @ self.Wx + h_prev @ self.Wh)
        c = 0.5 * c_prev + g
        h = np.tanh(c)
        self.cache = (x, h_prev, g, h)
        return h, c

    def backward(self, dh, dc):
        x, h_prev, g, h = self.cache
        dc = dc + dh * (1 - h**2)
        dz = dc * (1 - g**2)
        self.dWx, self.dWh = x.T @ dz, self.k * h_prev.T @ dz
        return dz @ self.Wx.T, dz @ self.Wh.T, 0.5 * dc


class LooksAside(Base):
    """A second output to look at, of which the backward knows nothing."""

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b, np.abs(x).sum(axis=1)

    def backward(self, dout):
        self.dW, self.db = self.k * self.x.T @ dout, dout.sum(0)
        return dout @ self.W.T


def bound_methods(k):
    layer = GradOutputAndInput(k)
    return layer.forward, layer.backward


def room_of_functions(k):
    class Linear:
        @staticmethod
        def forward(x, w, b):
            return x @ w + b, (x, w)

        @staticmethod
        def backward(dout, cache):
            x, w = cache
            return dout @ w.T, k * x.T @ dout, dout.sum(0)

    return Linear


ROWS = np.full((5, 3), 0.2) + np.eye(3)[LABELS] * 0.4
STATES = np.tanh(X[:, :3]), X[:, 1:].copy()

CALLS = {
    "backward(grad_output, input)": (GradOutputAndInput, (X,), "W"),
    "methods with a cache": (CachedMethods, (X,), "b"),
    "training flag": (TrainingFlag, (X, True), "b"),
    "training flag left out": (TrainingFlag, (X,), "b"),
    "mode": (Mode, (X,), "b"),
    "list of inputs": (ListOfInputs, ([X, X[::-1].copy()],), "inputs[1]"),
    "fprop": (lambda k: Renamed(k, "fprop", "bprop"), (X,), "b"),
    "forward_pass": (lambda k: Renamed(k, "forward_pass", "backward_pass"), (X,), "b"),
    "feedforward": (lambda k: Renamed(k, "feedforward", "backpropagate"), (X,), "b"),
    "loss and gradient": (MeanSquares, (np.eye(3)[LABELS], X[:, :3]), "y_pred"),
    "loss and loss_derivative": (QuadraticCost, (np.eye(3)[LABELS], X[:, :3]), "y_pred"),
    "activation": (Sigmoid, (X,), "x"),
    "activation_prime": (Prime, (X,), "z"),
    "nothing returned": (LeavesEverything, (X,), "weights"),
    "losses of the samples": (SampleLosses, (ROWS, np.eye(3)[LABELS]), "y_pred"),
    "state and memory": (StateAndMemory, (X, *STATES), "Wh"),
    "an output to look at": (LooksAside, (X,), "W"),
    "bound methods": (bound_methods, (X,), "W"),
    "static methods": (room_of_functions, (X, W, B), "w"),
}
