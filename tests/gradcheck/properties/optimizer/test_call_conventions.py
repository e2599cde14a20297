"""Optimisers in the forms that courses and books teach: each is called as it wants to be."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.properties import Status, run_properties


class OfLayers:
    """Adam on the weights and biases of a layer, announced before and after."""

    def __init__(self, learning_rate=0.01, bias=1):
        self.learning_rate, self.iterations, self.bias = learning_rate, 0, bias

    def pre_update_params(self):
        self.rate = self.learning_rate / (1 + 0.001 * self.iterations)

    def update_params(self, layer):
        if not hasattr(layer, "momentums"):
            layer.momentums = np.zeros_like(layer.weights)
            layer.squares = np.zeros_like(layer.weights)
        layer.momentums = 0.9 * layer.momentums + 0.1 * layer.dweights
        layer.squares = 0.999 * layer.squares + 0.001 * layer.dweights**2
        step = self.iterations + self.bias
        mean = layer.momentums / (1 - 0.9**step)
        square = layer.squares / (1 - 0.999**step)
        layer.weights = layer.weights - self.rate * mean / (np.sqrt(square) + 1e-7)
        layer.biases = layer.biases - self.rate * layer.dbiases

    def post_update_params(self):
        self.iterations += 1


class CountedAnew(OfLayers):
    """The step counter is never advanced: the first correction is made for ever."""

    def post_update_params(self):
        self.learning_rate = -self.learning_rate


class OfParameters:
    """Parameters that keep their gradients."""

    def __init__(self, params, lr=0.05, momentum=0.9):
        self.params, self.lr, self.momentum = list(params), lr, momentum
        self.velocity = [np.zeros_like(p.data) for p in self.params]

    def step(self):
        for i, p in enumerate(self.params):
            self.velocity[i] = self.momentum * self.velocity[i] + p.grad
            p.data -= self.lr * self.velocity[i]


class OfArrays:
    """Arrays at first, their gradients at every step."""

    def __init__(self, params, lr=0.05):
        self.params, self.lr = params, lr
        self.squares = [np.zeros_like(p) for p in params]

    def step(self, grads):
        for p, g, s in zip(self.params, grads, self.squares, strict=True):
            s += g**2
            p -= self.lr * g / (np.sqrt(s) + 1e-8)


def with_a_config(w, dw, config=None):
    """Return the weights and what to pass the next time."""
    config = config or {"learning_rate": 0.01, "velocity": np.zeros_like(w)}
    v = 0.9 * config["velocity"] - config["learning_rate"] * dw
    return w + v, {**config, "velocity": v}


def with_a_rate(params, grads, learning_rate):
    for p, g in zip(params, grads, strict=True):
        p -= learning_rate * g


def of_numbered_layers(parameters, grads, learning_rate=0.05):
    for number in range(1, len(parameters) // 2 + 1):
        for name in (f"W{number}", f"b{number}"):
            parameters[name] = parameters[name] - learning_rate * grads[f"d{name}"]
    return parameters


def with_a_rate_upwards(params, grads, learning_rate):
    for p, g in zip(params, grads, strict=True):
        p += learning_rate * g


@pytest.mark.parametrize(
    ("fn", "called"),
    [
        (OfLayers, "update_params(layer) with layers with weights, dweights, biases, dbiases"),
        (OfLayers(), "update_params(layer) with layers with weights, dweights, biases, dbiases"),
        (OfParameters, "made from its parameters, step() with parameters with data and grad"),
        (OfArrays, "made from its parameters, step(grads) with a list"),
        (with_a_config, "__call__(params, grads) with one array"),
        (with_a_rate, "__call__(params, grads) with a list"),
        (of_numbered_layers, "__call__(params, grads) with a dict of W1, b1 and dW1, db1"),
    ],
)
def test_right_one_passes_as_it_is_called(fn, called):
    report = run_properties("optimizer", fn, examples=15)

    assert report.ok, str(report)
    assert report.detected["called"] == called


@pytest.mark.parametrize(
    ("fn", "name"),
    [
        (CountedAnew, "constant_gradient_keeps_moving"),
        (with_a_rate_upwards, "first_step_goes_against_gradient"),
    ],
)
def test_fault_shows_in_every_form(fn, name):
    report = run_properties("optimizer", fn, examples=15, only=[name])

    assert report[name].status is Status.FAILED
