"""Checks a layer that keeps its gradients as attributes, alone and within a network."""

from __future__ import annotations

import numpy as np

import gradcheck


class Tanh:
    def forward(self, x):
        self.x = x
        return np.tanh(x)

    def backward(self, grad):
        return grad * (1 - self.x**2)  # the output belongs here, not the input


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW, self.db = self.x.T @ grad, grad.sum(axis=0)
        return grad @ self.W.T


def main():
    rng = np.random.default_rng(0)
    x, dense = rng.normal(size=(5, 4)), Dense(rng.normal(size=(4, 6)), rng.normal(size=6))
    print(gradcheck.check(dense, x))
    print(gradcheck.check([dense, Tanh()], x))  # names the guilty layer


if __name__ == "__main__":
    main()
