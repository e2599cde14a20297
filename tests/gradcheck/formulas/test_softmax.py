"""The softmax and its logarithm, against SciPy's, and their backwards against derivatives."""

import numpy as np
import pytest
from scipy import special

import gradcheck
from gradcheck.formulas.softmax import (
    log_sigmoid,
    log_softmax,
    log_softmax_vjp,
    softmax,
    softmax_vjp,
)

X = np.random.default_rng(0).normal(scale=3, size=(3, 4))


@pytest.mark.parametrize("axis", [-1, 0, None])
@pytest.mark.parametrize("x", [X, X * 1e3, X.astype(np.float32)])
def test_values_are_those_of_scipy(x, axis):
    rtol = 100 * np.finfo(x.dtype).eps

    np.testing.assert_allclose(softmax(x, axis), special.softmax(x, axis), rtol=rtol)
    np.testing.assert_allclose(log_softmax(x, axis), special.log_softmax(x, axis), rtol=rtol)


@pytest.mark.parametrize("function", [softmax, log_softmax, log_sigmoid])
def test_the_precision_of_the_input_is_kept(function):
    assert function(X.astype(np.longdouble)).dtype == np.longdouble


@pytest.mark.parametrize(
    ("forward", "backward"), [(softmax, softmax_vjp), (log_softmax, log_softmax_vjp)]
)
def test_gradients_are_those_of_the_values(forward, backward):
    pair = (lambda x: (forward(x), x), lambda g, x: backward(softmax(x), g))

    assert gradcheck.check(pair, X, contract=False).ok


def test_the_log_sigmoid_is_that_of_scipy():
    x = np.array([-1e3, -20.0, 0.0, 20.0, 1e3])

    np.testing.assert_allclose(log_sigmoid(x), special.log_expit(x), rtol=1e-15)
