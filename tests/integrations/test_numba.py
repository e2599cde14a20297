"""Functions compiled by numba: their state is none of the user's, and is left alone."""

import numpy as np
import pytest

import gradcheck
from gradcheck import TargetError, Verdict

numba = pytest.importorskip("numba", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

RNG = np.random.default_rng(0)
A, W, V = RNG.standard_normal((5, 3)), RNG.standard_normal((3, 2)), RNG.standard_normal(5)


@numba.njit
def cubes(x):
    return np.sum(x**3)


@numba.njit
def cubes_gradient(x, factor=3.0):
    return factor * x**2


@numba.njit
def both(x):
    return np.sum(x**3), 3 * x**2


@numba.njit
def dense(x, W):
    return np.tanh(x @ W)


@numba.njit
def dense_backward(x, W, d):
    y = np.tanh(x @ W)
    e = d * (1 - y * y)
    return e @ W.T, x.T @ e


@numba.vectorize
def cube(x):
    return x**3


@numba.vectorize
def cube_slope(x):
    return 3 * x**2


class Layer:
    """A layer whose arithmetic is compiled."""

    def __init__(self, factor=1.0):
        self.W, self.factor = W.copy(), factor

    def forward(self, x):
        self.x = x
        return dense(x, self.W)

    def backward(self, d):
        dx, self.dW = dense_backward(self.x, self.W, d)
        self.dW = self.factor * self.dW
        return dx


RIGHT = {
    "pair": ((cubes, cubes_gradient), (V,)),
    "value and gradient": (both, (V,)),
    "layer in functions": ((dense, dense_backward), (A, W)),
    "layer": (Layer(), (A,)),
    "ufuncs": ((cube, cube_slope), (V,)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_compiled_code_is_checked_again_and_again(name):
    thing, arguments = RIGHT[name]

    first, second = (gradcheck.check(thing, *arguments) for _ in range(2))

    assert first.ok, str(first)
    assert second.ok, str(second)


def test_wrong_compiled_code_is_told_and_still_works_afterwards():
    wrong = gradcheck.check((cubes, lambda x: -cubes_gradient(x)), V)
    layer = gradcheck.check(Layer(2.0), A)

    assert wrong.explanations[0].code == "sign_flipped"
    assert layer.explanations[0].code == "factor_two"
    assert layer.tensors["W"].verdict is Verdict.FAIL
    assert cubes(np.arange(3.0)) == 9.0
    assert cubes(np.arange(3)) == 9  # compiled anew, for whole numbers


def test_a_compiled_class_is_refused_by_a_clear_word():
    from numba.experimental import jitclass

    class Compiled:
        def __init__(self, W):
            self.W = W

        def forward(self, x):
            return x @ self.W

        def backward(self, d):
            return d @ self.W.T

    layer = jitclass([("W", numba.float64[:, ::1])])(Compiled)(W.copy())

    with pytest.raises(TargetError, match="Compiled keeps its parameters where they cannot be set"):
        gradcheck.check(layer, A)
