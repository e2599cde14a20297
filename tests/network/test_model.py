"""Models: parameters by name, predictions that are probabilities, gradients of every layer."""

import numpy as np
import pytest

from network import Dense, Sequential, Softmax, SoftmaxCrossEntropy, mlp, softmax

X = np.random.default_rng(0).normal(size=(5, 4))


def test_a_model_names_its_parameters_by_layer():
    model = mlp([4, 3, 2])

    assert list(model.params) == list(model.grads) == ["0.W", "0.b", "2.W", "2.b"]
    assert [value.shape for value in model.params.values()] == [(4, 3), (3,), (3, 2), (2,)]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, same, other = mlp([4, 3], seed=1), mlp([4, 3], seed=1), mlp([4, 3], seed=2)

    assert np.array_equal(first.params["0.W"], same.params["0.W"])
    assert not np.array_equal(first.params["0.W"], other.params["0.W"])


def test_hidden_weights_have_the_variance_of_he():
    W = mlp([1000, 200, 10]).params["0.W"]

    # the variance of 200,000 normal numbers is right to sqrt(2 / 200,000), 0.3 %
    assert W.var() == pytest.approx(2 / 1000, rel=0.02)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_are_probabilities_in_the_dtype_of_the_model(dtype):
    model = mlp([4, 3, 2], dtype=dtype)

    p = model.predict(X)

    assert p.dtype == model.dtype == dtype
    np.testing.assert_allclose(p, softmax(model.forward(X.astype(dtype))))


def test_a_softmax_at_the_end_is_not_applied_twice():
    model = Sequential([Dense(4, 3), Softmax()])

    np.testing.assert_array_equal(model.predict(X), model.forward(X))


def test_backward_agrees_with_central_differences_in_every_parameter(differenced):
    model, loss, labels = mlp([4, 6, 3], dtype=np.float64), SoftmaxCrossEntropy(), [0, 1, 2, 1, 0]
    expected = {
        name: differenced(lambda: loss.forward(model.forward(X), labels), parameter)
        for name, parameter in model.params.items()
    }

    loss.forward(model.forward(X), labels)
    model.backward(loss.backward())

    for name, gradient in model.grads.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-7, atol=1e-8)


def test_backward_params_leaves_the_same_gradients():
    model, dy = mlp([4, 3, 2]), np.ones((5, 2))
    model.forward(X)
    model.backward(dy)
    before = {name: gradient.copy() for name, gradient in model.grads.items()}

    model.backward_params(2 * dy)
    model.backward_params(dy)

    assert all(np.array_equal(model.grads[name], before[name]) for name in before)


def test_models_of_nothing_are_refused():
    with pytest.raises(ValueError, match="sizes"):
        mlp([3])
    with pytest.raises(ValueError, match="layers"):
        Sequential([])
