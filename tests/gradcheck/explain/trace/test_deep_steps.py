"""Steps of networks with hidden layers, told by the way back through the loss and by the source."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck

RNG = np.random.default_rng(2)
X, Y = RNG.normal(size=(6, 4)), RNG.uniform(0.2, 0.8, size=(6, 2))
RATE = 0.5


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


class Network:
    """Columns, a list of weights that every step binds anew, and a loop over the samples."""

    def __init__(self):
        rng = np.random.default_rng(3)
        self.weights = [rng.normal(size=shape) for shape in ((3, 4), (3, 3), (2, 3))]

    def feedforward(self, a):
        for w in self.weights:
            a = sigmoid(w @ a)
        return a

    def loss(self):
        pairs = zip(X, Y, strict=True)
        return sum(0.5 * np.sum((self.feedforward(x) - y) ** 2) for x, y in pairs)

    def step(self):
        gradients = [np.zeros_like(w) for w in self.weights]
        for x, y in zip(X, Y, strict=True):
            for total, share in zip(gradients, self.backprop(x, y), strict=True):
                total += share
        self.weights = [w - RATE * g for w, g in zip(self.weights, gradients, strict=True)]

    def backprop(self, x, y):
        zs, activations = [], [x]
        for w in self.weights:
            zs.append(w @ activations[-1])
            activations.append(sigmoid(zs[-1]))
        delta = self.output_error(activations[-1], y, zs[-1])
        gradients = [np.outer(delta, activations[-2])]
        for layer in (2, 3):
            delta = self.hidden_error(self.weights[1 - layer].T @ delta, zs[-layer])
            gradients.insert(0, np.outer(delta, activations[-layer - 1]))
        return gradients

    def output_error(self, a, y, z):
        return (a - y) * sigmoid_prime(z)

    def hidden_error(self, error, z):
        return error * sigmoid_prime(z)


class NoSlopeAtTheOutput(Network):
    def output_error(self, a, y, z):
        return a - y


class NoSlopeInHiddenLayers(Network):
    def hidden_error(self, error, z):
        return error


class SlopeTwice(Network):
    def output_error(self, a, y, z):
        return (a - y) * a * (1 - a) * sigmoid_prime(z)


class SlopeOfTheOutput(Network):
    def hidden_error(self, error, z):
        return error * sigmoid_prime(sigmoid(z))


class AbsoluteError(Network):
    """One batch, and a loss that the step does not descend."""

    def loss(self):
        a = sigmoid(self.weights[2] @ sigmoid(self.weights[1] @ sigmoid(self.weights[0] @ X.T)))
        return np.mean(np.abs(a - Y.T))


def check(network):
    return gradcheck.check_update(network.step, network, network.loss, learning_rate=RATE)


def test_the_right_step_passes():
    assert check(Network()).ok


@pytest.mark.parametrize(
    ("network", "code", "line"),
    [
        (NoSlopeAtTheOutput, "activation_derivative_missing", "(a - y) * sigmoid_prime(z)"),
        (NoSlopeInHiddenLayers, "activation_derivative_missing", "error * sigmoid_prime(z)"),
        (SlopeTwice, "derivative_at_wrong_point", "`return (a - y) * sigmoid_prime(z)`"),
        (SlopeOfTheOutput, "derivative_at_wrong_point", "`return error * sigmoid_prime(z)`"),
    ],
)
def test_a_slope_forgotten_doubled_or_misplaced_is_mended_in_its_line(network, code, line):
    report = check(network())

    first = report.explanations[0]
    assert first.code == code
    assert line in first.fix.partition("->")[2]


def test_without_source_the_layer_is_still_named(monkeypatch):
    monkeypatch.setattr("gradcheck.explain.source.repair_search.MOST_LINES", 0)

    (first,) = check(NoSlopeAtTheOutput()).explanations

    assert first.code == "activation_derivative_missing"
    assert "the last time they are passed" in first.message
    assert first.tensor == "weights[0], weights[1], weights[2]"


def test_another_loss_is_recognised_on_the_way_back_without_predictions():
    (first,) = check(AbsoluteError()).explanations

    assert first.code == "gradient_of_other_loss"
    assert "squared error" in first.message


def test_parameters_and_lists_are_as_before():
    network = Network()
    held, before = network.weights, [w.copy() for w in network.weights]

    check(network)

    assert network.weights is held
    assert all(np.array_equal(w, old) for w, old in zip(network.weights, before, strict=True))
