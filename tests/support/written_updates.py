"""Layers whose backward updates the parameters at once; ``k`` is 1 where they are right, else 2."""

from __future__ import annotations

import numpy as np

from tests.support.written_functions import B, W, X


class Updating:
    """Column vectors, and a backward that updates at once."""

    def __init__(self, k):
        self.k = k
        self.weights = W.T.copy()
        self.bias = B[:, None].copy()

    def forward(self, input):
        self.input = input
        return np.dot(self.weights, self.input) + self.bias

    def backward(self, output_gradient, learning_rate):
        weights_gradient = np.dot(output_gradient, self.input.T)
        input_gradient = np.dot(self.weights.T, output_gradient)
        self.weights -= learning_rate * self.k * weights_gradient
        self.bias -= learning_rate * output_gradient.sum(axis=1, keepdims=True)
        return input_gradient


class UpdatingByAnotherName(Updating):
    forward_propagation = Updating.forward
    forward = None
    backward = None

    def backward_propagation(self, output_error, learning_rate=0.1):
        input_error = self.weights.T @ output_error
        self.weights = self.weights - learning_rate * self.k * (output_error @ self.input.T)
        self.bias = self.bias - learning_rate * output_error.sum(axis=1, keepdims=True)
        return input_error


class UpdatingWithItsOwnRate(Updating):
    lr = 0.05

    def backward(self, grad):
        dx = self.weights.T @ grad
        self.weights -= self.lr * self.k * (grad @ self.input.T)
        self.bias -= self.lr * grad.sum(axis=1, keepdims=True)
        return dx


class InputAndGradOutput:
    """backward(self, input, grad_output), as in a well-known course."""

    def __init__(self, k):
        self.k = k
        self.weights, self.biases = W.copy(), B.copy()
        self.learning_rate = 0.1

    def forward(self, input):
        return input @ self.weights + self.biases

    def backward(self, input, grad_output):
        grad_input = grad_output @ self.weights.T
        self.weights = self.weights - self.learning_rate * self.k * (input.T @ grad_output)
        self.biases = self.biases - self.learning_rate * grad_output.sum(axis=0)
        return grad_input


class Momentum:
    """What is added up beside the parameters is no parameter."""

    def __init__(self, k):
        self.k = k
        self.W = W.copy()
        self.velocity = np.zeros_like(W)
        self.momentum = 0.9

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, grad, lr=0.01):
        dx = grad @ self.W.T
        self.velocity = self.momentum * self.velocity - lr * self.k * (self.x.T @ grad)
        self.W = self.W + self.velocity
        return dx


class Filters:
    """The first layer of a network: no gradient of the input."""

    def __init__(self, k):
        self.k = k
        self.filters = np.random.default_rng(4).normal(size=(2, 3, 3)) / 9

    def forward(self, image):
        self.last_input = image
        out = np.zeros((3, 3, 2))
        for i in range(3):
            for j in range(3):
                region = image[i : i + 3, j : j + 3]
                out[i, j] = np.sum(region * self.filters, axis=(1, 2))
        return out

    def backprop(self, d_L_d_out, learn_rate):
        d_L_d_filters = np.zeros(self.filters.shape)
        for i in range(3):
            for j in range(3):
                for f in range(2):
                    region = self.last_input[i : i + 3, j : j + 3]
                    d_L_d_filters[f] += d_L_d_out[i, j, f] * region
        self.filters -= learn_rate * self.k * d_L_d_filters


IMAGE = np.random.default_rng(5).normal(size=(5, 5))

UPDATES = {
    "updating": (Updating, (X.T.copy(),), "weights"),
    "updating, rebound": (UpdatingByAnotherName, (X.T.copy(),), "weights"),
    "updating by its own rate": (UpdatingWithItsOwnRate, (X.T.copy(),), "weights"),
    "backward(input, grad_output)": (InputAndGradOutput, (X,), "weights"),
    "momentum": (Momentum, (X,), "W"),
    "filters alone": (Filters, (IMAGE,), "filters"),
}
