"""Layers whose forward and backward take nothing: which attribute is what, the numbers say."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck import TargetError, Verdict

RNG = np.random.default_rng(2)
X = RNG.normal(size=(5, 3))


class Affine:
    """Attributes by the usual letters; ``factor`` is 1 where it is right."""

    def __init__(self, factor=1):
        self.W, self.b, self.factor = RNG.normal(size=(3, 2)), np.zeros(2), factor

    def forward(self):
        self.Y = self.X @ self.W + self.b

    def backward(self):
        self.dX = self.dY @ self.W.T
        self.dW = self.factor * (self.X.T @ self.dY)
        self.db = self.dY.sum(axis=0)


class Ramp:
    """Attributes by names of its own, and the gradient of its slopes in a method apart."""

    def __init__(self, factor=1):
        self.fed = self.emitted = self.blame_of_emitted = self.blame_of_fed = None
        self.slopes, self.grad_slopes, self.factor = np.array([0.1, 0.3, 0.2]), None, factor

    def forward_pass(self):
        self.positive = self.fed > 0
        self.emitted = np.where(self.positive, self.fed, self.slopes * self.fed)

    def backward_pass(self):
        self.blame_of_fed = self.blame_of_emitted * np.where(self.positive, 1, self.slopes)

    def compute_gradients(self):
        negative = np.where(self.positive, 0, self.fed)
        self.grad_slopes = self.factor * (self.blame_of_emitted * negative).sum(axis=0)


class Gate:
    """Two inputs of one shape, whose gradients no name tells apart."""

    def __init__(self, factor=1):
        self.factor = factor

    def forward(self):
        self.out = self.content * np.tanh(self.gate)

    def backward(self):
        self.first = self.factor * self.delta * np.tanh(self.gate)
        self.second = self.delta * self.content / np.cosh(self.gate) ** 2


LAYERS = {
    "letters": (Affine, [X], "W"),
    "own names": (Ramp, [X], "slopes"),
    "two inputs": (Gate, [X, X[::-1].copy()], "content"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_all_tensors_of_a_right_layer_pass_and_it_is_left_as_it_was(name):
    kind, inputs, _ = LAYERS[name]
    layer = kind()
    before = dict(vars(layer))

    report = gradcheck.check(layer, *inputs)

    assert report.verdict is Verdict.PASS, str(report)
    assert vars(layer) == before


@pytest.mark.parametrize("name", LAYERS)
def test_of_a_wrong_layer_the_tensor_and_the_line_are_told(name):
    kind, inputs, tensor = LAYERS[name]

    report = gradcheck.check(kind(factor=3), *inputs)

    wrong = [n for n, t in report.tensors.items() if t.verdict is Verdict.FAIL]
    assert wrong == [tensor], str(report)
    assert "self.factor" in report.explanations[0].edits[0].before


def handing_on(method):
    def wrapper(*args, **kwargs):
        return method(*args, **kwargs)

    return wrapper


def test_methods_that_a_decorator_hides_the_arguments_of_are_given_them():
    class Tanh:
        @handing_on
        def forward(self, x):
            self.y = np.tanh(x)
            return self.y

        @handing_on
        def backward(self, grad):
            return grad * (1 - self.y**2)

    assert gradcheck.check(Tanh(), X).ok


def test_without_an_output_it_is_refused_by_name():
    class Silent:
        def forward(self):
            self.total = float(np.sum(self.x))

        def backward(self):
            self.dx = np.ones(3)

    with pytest.raises(TargetError, match=r"Silent\.forward takes no argument"):
        gradcheck.check(Silent(), X)
