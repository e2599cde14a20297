"""Checks a module written like PyTorch's: parameters with their own gradients, in a list."""

from __future__ import annotations

import numpy as np

import gradcheck


class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, np.zeros_like(data)


class Linear:
    def __init__(self, inputs, outputs, rng):
        self.weight = Parameter(rng.normal(size=(outputs, inputs)))
        self.bias = Parameter(rng.normal(size=outputs))

    def parameters(self):
        return [self.weight, self.bias]

    def forward(self, x):
        self.x = x
        return x @ self.weight.data.T + self.bias.data

    def backward(self, grad):
        self.weight.grad += grad.T @ self.x
        self.bias.grad += grad.sum()  # each unit needs its own sum: axis=0
        return grad @ self.weight.data


def main():
    rng = np.random.default_rng(0)
    print(gradcheck.check(Linear(4, 3, rng), rng.normal(size=(5, 4))))


if __name__ == "__main__":
    main()
