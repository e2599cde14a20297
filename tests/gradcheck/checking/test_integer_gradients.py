"""Gradients kept in integers: heard as claims, wherever they are left, and named."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict


class Dense:
    """x W, whose gradient is left as an attribute."""

    def __init__(self):
        self.W = np.random.default_rng(0).normal(size=(4, 3))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, grad):
        self.dW = np.zeros(self.W.shape, dtype=int)
        self.dW[...] = self.x.T @ grad
        return grad @ self.W.T


class DenseOfDicts:
    """x W, whose gradient is left in a dict."""

    def __init__(self):
        self.params, self.grads = {"W": np.random.default_rng(0).normal(size=(4, 3))}, {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"]

    def backward(self, grad):
        self.grads["W"] = (self.x.T @ grad).astype(int)
        return grad @ self.params["W"].T


class Doubling:
    """2 relu(x), whose gradient is returned."""

    def forward(self, x):
        self.x = x
        return 2 * np.maximum(x, 0)

    def backward(self, grad):
        return (2 * grad * (self.x > 0)).astype(int)


@pytest.mark.parametrize(("layer", "tensor"), [(Dense, "W"), (DenseOfDicts, "W"), (Doubling, "x")])
def test_a_gradient_of_integers_is_heard_and_named(layer, tensor):
    x = 5 * np.random.default_rng(1).normal(size=(6, 4))

    report = gradcheck.check(layer(), x)

    assert report.tensors[tensor].verdict is Verdict.FAIL
    assert report.explanations[0].code == "wrong_dtype"
    assert "int" in report.explanations[0].fix


def test_integers_that_are_no_gradients_are_no_claims():
    class Counted(Dense):
        def backward(self, grad):
            self.dW, self.calls = self.x.T @ grad, np.ones(3, dtype=int)
            return grad @ self.W.T

    report = gradcheck.check(Counted(), np.random.default_rng(1).normal(size=(6, 4)))

    assert report.ok
    assert set(report.tensors) == {"x", "W"}
