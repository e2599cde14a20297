"""Layers that create their parameters at the first forward are checked with them."""

import numpy as np

import gradcheck
from gradcheck.adapters import lazy_parameters

X = np.random.default_rng(0).normal(size=(5, 4))


class LazyDense:
    def __init__(self, units):
        self.units = units
        self.W = None
        self.b = None

    def forward(self, x):
        if self.W is None:
            self.W = np.random.normal(size=(x.shape[1], self.units))  # noqa: NPY002
            self.b = np.zeros(self.units)
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T


class WrongLazyDense(LazyDense):
    def backward(self, grad):
        dx = super().backward(grad)
        self.db = np.full_like(self.b, grad.sum())
        return dx


class NoBias(LazyDense):
    def __init__(self, units):
        super().__init__(units)
        self.W = np.ones((4, units))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, grad):
        self.dW = self.x.T @ grad
        return grad @ self.W.T


def test_parameters_of_the_first_forward_are_checked_and_the_layer_stays_without():
    layer = LazyDense(3)

    report = gradcheck.check(layer, X)

    assert report.ok, str(report)
    assert list(report.tensors) == ["x", "W", "b"]
    assert vars(layer) == {"units": 3, "W": None, "b": None}


def test_global_random_generator_is_left_where_it_was():
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.normal()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002

    gradcheck.check(LazyDense(3), X)

    assert np.random.normal() == expected  # noqa: NPY002


def test_fault_in_such_a_parameter_is_named():
    report = gradcheck.check(WrongLazyDense(3), X)

    assert report.explanations[0].code == "summed_to_scalar"
    assert report.explanations[0].tensor == "b"


def test_network_of_such_layers_is_checked_and_its_guilty_one_named():
    layers = [LazyDense(6), LazyDense(2)]

    right = gradcheck.check(layers, X)
    wrong = gradcheck.check([LazyDense(6), WrongLazyDense(2)], X)

    assert right.ok, str(right)
    assert len(right.tensors) == 5
    assert layers[0].W is None
    assert wrong.explanations[0].code == "summed_to_scalar"
    assert wrong.explanations[0].tensor == "layers[1].b"


def test_layer_with_an_optional_bias_left_out_is_adapted_as_it_is():
    layer = NoBias(3)

    assert lazy_parameters.lacks_parameters(layer)
    assert gradcheck.check(layer, X).ok
