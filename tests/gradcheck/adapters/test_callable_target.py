"""Every convention describes what is written in it, and one class runs all of them."""

import numpy as np
import pytest

import gradcheck
from gradcheck.adapters.callable_target import CallableTarget, Description
from gradcheck.adapters.conventions import (
    function_pair,
    functional_network,
    layer,
    loss_in_backward,
    sequential,
    value_and_grad,
)
from gradcheck.adapters.signatures.error_hints import Mismatch
from tests.support.user_layers import Dense, affine_backward, affine_forward, cube_with_gradient

X = np.random.default_rng(0).normal(size=(4, 3))
W = np.full((3, 2), 0.3)


class Tanh:
    def forward(self, z):
        return np.tanh(z)

    def derivative(self, z):
        return 1 - np.tanh(z) ** 2


class Network:
    def __init__(self):
        self.W = W.copy()

    def forward(self, X):
        return X @ self.W

    def backward(self, X, y):
        self.dW = X.T @ (X @ self.W - y)


def net_forward(X, parameters):
    return X @ parameters["W"], None


def net_backward(parameters, cache, X, Y):
    return {"dW": X.T @ (X @ parameters["W"] - Y)}


CONVENTIONS = {
    functional_network: ((net_forward, net_backward), (X, X @ W + 1, {"W": W})),
    loss_in_backward: (Network(), (X, X @ W + 1)),
    layer: (Dense(3, 2), (X,)),
    function_pair: ((affine_forward, affine_backward), (X, W, np.zeros(2))),
    value_and_grad: (cube_with_gradient, (X,)),
}


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda module: module.__name__)
def test_a_description_is_all_that_is_needed_to_run_forward_and_backward(convention):
    thing, arguments = CONVENTIONS[convention]

    description = convention.describe(thing, arguments)
    target = CallableTarget(description).target()
    run = target.call(target.tensors)
    gradients = run.pullback(tuple(np.ones_like(output) for output in run.outputs))

    assert isinstance(description, Description)
    assert {n: np.shape(g) for n, g in gradients.items()}.items() <= {
        name: value.shape for name, value in target.tensors.items()
    }.items()


@pytest.mark.parametrize("convention", [*CONVENTIONS, sequential], ids=lambda m: m.__name__)
def test_what_is_written_otherwise_is_a_mismatch_that_names_the_form(convention):
    found = convention.describe(3, (X,))

    assert isinstance(found, Mismatch)
    assert found.form == convention.FORM


def test_the_error_lists_the_forms_of_all_conventions():
    with pytest.raises(gradcheck.TargetError) as raised:
        gradcheck.as_target(3, X)

    assert all(module.FORM in str(raised.value) for module in [*CONVENTIONS, sequential])


def test_parameters_are_written_when_they_move_and_put_back_when_they_do_not():
    dense = Dense(3, 2)
    before = dense.W.copy()
    target = gradcheck.as_target(dense, X)
    moved = {**target.tensors, "W": before + 1}

    at_moved = target.call(moved).outputs[0]
    again = target.call(target.tensors).outputs[0]

    np.testing.assert_allclose(at_moved, X @ (before + 1) + dense.b)
    np.testing.assert_allclose(again, X @ before + dense.b)


def test_a_function_that_changes_a_parameter_given_by_name_is_seen_to_do_so():
    weights = {"W": W.copy()}

    def forward(x):
        weights["W"] *= 1.5
        return x @ weights["W"], x

    def backward(grad, x):
        return grad @ weights["W"].T, {"W": x.T @ grad}

    target = gradcheck.as_target((forward, backward), X, params=weights)
    run = target.call(target.tensors)

    assert not np.array_equal(run.handed["W"], target.tensors["W"])
