"""Layers and losses against textbook numbers; refusals at the door."""

import numpy as np
import pytest

from network import (
    CategoricalCrossEntropy,
    Dense,
    MeanSquaredError,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    mlp,
    softmax,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))
V = RNG.normal(size=(4, 3))

ANALYTIC = {Sigmoid: lambda z: 1 / (1 + np.exp(-z)), Tanh: np.tanh}


@pytest.mark.parametrize("layer", ANALYTIC)
def test_elementwise_derivatives_agree_with_the_complex_step(layer):
    step = 1e-30
    derivative = ANALYTIC[layer](X + 1j * step).imag / step

    instance = layer()
    instance.forward(X)

    np.testing.assert_allclose(instance.backward(V), V * derivative, rtol=1e-14)


def test_sigmoid_and_softmax_do_not_overflow():
    extremes = np.array([[-1e308, 0.0, 1e308]])

    assert np.array_equal(Sigmoid().forward(extremes), [[0.0, 0.5, 1.0]])
    assert np.array_equal(Softmax().forward(extremes), [[0.0, 0.0, 1.0]])


def test_softmax_backward_is_the_jacobian_product():
    layer = Softmax()
    p = layer.forward(X)

    expected = [(np.diag(row) - np.outer(row, row)) @ v for row, v in zip(p, V, strict=True)]

    np.testing.assert_allclose(layer.backward(V), expected, atol=1e-16)


def test_dense_sums_the_bias_gradient_over_the_samples_per_unit():
    layer = Dense(3, 2, rng=RNG)
    layer.forward(X)
    dy = RNG.normal(size=(4, 2))

    layer.backward(dy)

    np.testing.assert_allclose(layer.grads["b"], dy.sum(axis=0))
    assert layer.grads["b"].shape == layer.params["b"].shape


@pytest.mark.parametrize("layer", [Dense(3, 2, rng=RNG), ReLU(), Sigmoid(), Tanh(), Softmax()])
def test_backward_needs_a_forward_and_its_shape(layer):
    with pytest.raises(RuntimeError, match="before forward"):
        type(layer).backward(layer, V)
    layer.forward(X)
    with pytest.raises(ValueError, match="expected"):
        layer.backward(np.ones((9, 9)))


def test_dense_refuses_an_input_of_another_width():
    with pytest.raises(ValueError, match=r"\(n, 3\)"):
        Dense(3, 2).forward(np.ones((4, 5)))


def test_cross_entropies_agree_on_the_same_predictions():
    labels = np.array([0, 2, 1, 1])
    fused, plain = SoftmaxCrossEntropy(), CategoricalCrossEntropy()

    assert fused(X, labels) == pytest.approx(plain(softmax(X), labels), rel=1e-14)
    np.testing.assert_allclose(fused.backward(), (softmax(X) - np.eye(3)[labels]) / 4, atol=1e-16)


def test_log_of_zero_is_finite_and_its_gradient_flat():
    loss = CategoricalCrossEntropy()
    p = np.array([[0.0, 1.0]])

    assert loss(p, np.array([0])) == pytest.approx(-np.log(np.finfo(float).tiny))
    assert np.array_equal(loss.backward(), [[0.0, 0.0]])


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), CategoricalCrossEntropy()])
def test_a_single_prediction_is_a_batch_of_one(loss):
    p, t = np.array([0.2, 0.3, 0.5]), np.array([0.0, 0.0, 1.0])

    single, gradient = loss(p, t), loss.backward()

    assert loss(p[np.newaxis], t[np.newaxis]) == single
    assert gradient.shape == p.shape


def test_mean_squared_error_is_a_mean_over_all_entries():
    loss = MeanSquaredError()

    assert loss(X, X + 2) == pytest.approx(4)
    np.testing.assert_allclose(loss.backward(), np.full((4, 3), -4 / 12))
    with pytest.raises(ValueError, match="shape"):
        loss(X, X[:1])


@pytest.mark.parametrize(
    ("loss", "p", "target", "message"),
    [
        (SoftmaxCrossEntropy(), X, np.array([0, 1, 2, 3]), "labels from 0 to 3"),
        (SoftmaxCrossEntropy(), X, np.array([0.0, 1.0, 2.0, 1.0]), "integer labels"),
        (CategoricalCrossEntropy(), X, np.array([0, 1, 2, 1]), "expected probabilities"),
        (CategoricalCrossEntropy(), np.full((1, 2), np.nan), np.array([0]), "nan"),
    ],
)
def test_targets_and_predictions_that_do_not_fit_are_named(loss, p, target, message):
    with pytest.raises(ValueError, match=message):
        loss(p, target)


def test_a_model_names_its_parameters_by_layer():
    model = mlp([4, 3, 2])

    assert list(model.params) == ["0.W", "0.b", "2.W", "2.b"]
    with pytest.raises(ValueError, match="sizes"):
        mlp([3])
    with pytest.raises(ValueError, match="layers"):
        Sequential([])
