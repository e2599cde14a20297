"""Layers against textbook numbers and central differences; refusals at the door."""

import numpy as np
import pytest

from network import Dense, ReLU, Sigmoid, Softmax, Tanh
from network.functional import sigmoid
from tests.support.network_cases import LAYERS, dense, named

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))
V = RNG.normal(size=(4, 3))
EACH_LAYER = pytest.mark.parametrize("make", **named(LAYERS))

ANALYTIC = {Sigmoid: lambda z: 1 / (1 + np.exp(-z)), Tanh: np.tanh}


@EACH_LAYER
def test_backward_agrees_with_central_differences(make, differenced):
    layer, x = make(np.float64), X.copy()
    expected = differenced(lambda: np.vdot(V, layer.forward(x)), x)

    layer.forward(x)

    np.testing.assert_allclose(layer.backward(V), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["W", "b"])
def test_parameter_gradients_agree_with_central_differences(name, differenced):
    layer = dense(np.float64)
    expected = differenced(lambda: np.vdot(V, layer.forward(X)), layer.params[name])

    layer.forward(X)
    layer.backward(V)

    np.testing.assert_allclose(layer.grads[name], expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("layer", ANALYTIC)
def test_elementwise_derivatives_agree_with_the_complex_step(layer):
    step = 1e-30
    derivative = ANALYTIC[layer](X + 1j * step).imag / step

    instance = layer()
    instance.forward(X)

    np.testing.assert_allclose(instance.backward(V), V * derivative, rtol=1e-14)


def test_softmax_backward_is_the_jacobian_product():
    layer = Softmax()
    p = layer.forward(X)

    expected = [(np.diag(row) - np.outer(row, row)) @ v for row, v in zip(p, V, strict=True)]

    np.testing.assert_allclose(layer.backward(V), expected, atol=1e-16)


def test_the_logistic_function_takes_integers_and_lists():
    expected = [0.0, 0.5, 1.0]

    for x in ([-1000, 0, 1000], np.array([-1000, 0, 1000]), np.array([-1000.0, 0.0, 1000.0])):
        np.testing.assert_array_equal(sigmoid(x), expected)
    with pytest.raises(TypeError, match="dtype"):
        sigmoid(["a"])


def test_sigmoid_and_softmax_do_not_overflow():
    extremes = np.array([[-1e308, 0.0, 1e308]])

    with np.errstate(all="raise", under="ignore"):
        assert np.array_equal(Sigmoid().forward(extremes), [[0.0, 0.5, 1.0]])
        assert np.array_equal(Softmax().forward(extremes), [[0.0, 0.0, 1.0]])


def test_relu_takes_zero_as_its_derivative_at_zero():
    layer = ReLU()
    layer.forward(np.array([[-1.0, 0.0, 1.0]]))

    assert np.array_equal(layer.backward(np.ones((1, 3))), [[0.0, 0.0, 1.0]])


def test_dense_sums_the_bias_gradient_over_the_samples_per_unit():
    layer = Dense(3, 2)
    layer.forward(X)
    dy = RNG.normal(size=(4, 2))

    layer.backward(dy)

    np.testing.assert_allclose(layer.grads["b"], dy.sum(axis=0))


def test_backward_overwrites_the_gradients_of_before():
    layer = Dense(3, 3)
    layer.forward(X)
    layer.backward(V)
    before = {name: gradient.copy() for name, gradient in layer.grads.items()}

    layer.backward(V)

    assert layer.grads.keys() == layer.params.keys()
    assert all(np.array_equal(layer.grads[name], before[name]) for name in before)


def test_backward_params_leaves_what_backward_does():
    whole, part = Dense(3, 3), Dense(3, 3)
    whole.forward(X)
    part.forward(X)

    whole.backward(V)
    part.backward_params(V)

    assert all(np.array_equal(whole.grads[name], part.grads[name]) for name in whole.grads)


@EACH_LAYER
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_arguments_are_kept(make, dtype):
    layer, x, v = make(dtype), X.astype(dtype), V.astype(dtype)
    x.flags.writeable = v.flags.writeable = False

    assert layer.forward(x).dtype == dtype
    assert layer.backward(v).dtype == dtype
    assert all(gradient.dtype == dtype for gradient in layer.grads.values())


@EACH_LAYER
def test_an_empty_batch_passes_through(make):
    layer = make(np.float64)

    assert layer.forward(np.empty((0, 3))).shape == (0, 3)
    assert layer.backward(np.empty((0, 3))).shape == (0, 3)


@EACH_LAYER
def test_integers_and_lists_are_taken_as_floats(make):
    layer = make(np.float64)

    from_integers = layer.forward([[1, -2, 3]])

    np.testing.assert_array_equal(from_integers, layer.forward(np.array([[1.0, -2.0, 3.0]])))
    with pytest.raises(TypeError, match="dtype"):
        layer.forward(np.array([[1j, 2j, 3j]]))


@EACH_LAYER
def test_backward_needs_a_forward_and_its_shape(make):
    layer = make(np.float64)

    with pytest.raises(RuntimeError, match="before forward"):
        layer.backward(V)
    layer.forward(X)
    for shape in [(9, 9), (3,), (1, 3), (4, 1)]:
        with pytest.raises(ValueError, match=r"expected \(4, 3\)"):
            layer.backward(np.ones(shape))


def test_dense_refuses_what_it_cannot_be():
    with pytest.raises(ValueError, match=r"expected \(n, 3\)"):
        Dense(3, 2).forward(np.ones((4, 5)))
    with pytest.raises(ValueError, match="at least 1"):
        Dense(3, 0)
    with pytest.raises(ValueError, match="dtype"):
        Dense(3, 2, dtype=np.int64)
