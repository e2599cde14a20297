"""Home-made automatic differentiation is checked through the tensors it is called with."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

X = np.random.default_rng(0).normal(size=(4, 3))


class Tensor:
    """The usual tape: every result remembers how to go back."""

    def __init__(self, data, parents=()):
        self.data = np.asarray(data, dtype=float)
        self.grad = np.zeros_like(self.data)
        self.parents = parents
        self.back = lambda: None

    def __mul__(self, other):
        out = Tensor(self.data * other.data, (self, other))

        def back():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.back = back
        return out

    def __matmul__(self, other):
        out = Tensor(self.data @ other.data, (self, other))

        def back():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad

        out.back = back
        return out

    def tanh(self):
        out = Tensor(np.tanh(self.data), (self,))

        def back():
            self.grad += (1 - out.data**2) * out.grad

        out.back = back
        return out

    def sum(self):
        out = Tensor(self.data.sum(), (self,))

        def back():
            self.grad += np.ones_like(self.data) * out.grad

        out.back = back
        return out

    def backward(self):
        order, seen = [], set()

        def visit(tensor):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                for parent in tensor.parents:
                    visit(parent)
                order.append(tensor)

        visit(self)
        self.grad = np.ones_like(self.data)
        for tensor in reversed(order):
            tensor.back()


class Forgetful(Tensor):
    """Its product keeps one gradient only, as ``=`` for ``+=`` does."""

    def __mul__(self, other):
        out = Forgetful((self.data * other.data), (self, other))

        def back():
            self.grad = other.data * out.grad
            other.grad = self.data * out.grad

        out.back = back
        return out


class Linear:
    def __init__(self):
        self.w = Tensor(np.random.default_rng(1).normal(size=(3, 2)))

    def __call__(self, x):
        return (x @ self.w).tanh()

    def parameters(self):
        return [self.w]


@pytest.mark.parametrize("function", [lambda a, b: (a * b).tanh(), lambda a, b: (a * a * b).sum()])
def test_a_right_tape_passes(function):
    report = gradcheck.check(function, Tensor(X), Tensor(X[::-1]))

    assert report.ok, str(report)
    assert list(report.tensors) == ["a", "b"]


def test_a_module_is_checked_with_its_parameters_and_left_as_it_was():
    module = Linear()
    before = module.w.data.copy()

    report = gradcheck.check(module, Tensor(X))

    assert report.ok, str(report)
    assert list(report.tensors) == ["x", "w"]
    assert np.array_equal(module.w.data, before)
    assert not module.w.grad.any()


def test_a_gradient_that_is_overwritten_fails():
    report = gradcheck.check(lambda a, b: a * a * b, Forgetful(X), Forgetful(X[::-1]))

    assert report.tensors["a"].verdict is Verdict.FAIL
    assert report.tensors["b"].verdict is Verdict.PASS


def test_a_function_that_returns_no_tensor_is_refused():
    with pytest.raises(gradcheck.TargetError, match="expected a tensor"):
        gradcheck.check(lambda a: a.data, Tensor(X))
