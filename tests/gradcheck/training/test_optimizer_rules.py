"""Rules that a training step may follow: recognised where they hold, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

RATE, DECAY, LIMIT = 0.1, 0.01, 0.05


class Net:
    """Softmax regression through one hidden layer, with a rule of its own for the step."""

    def __init__(self, rule):
        rng = np.random.default_rng(3)
        self.X, self.y = rng.normal(size=(16, 5)), rng.integers(0, 3, 16)
        shapes = {"W1": (5, 7), "b1": (7,), "W2": (7, 3), "b2": (3,)}
        self.params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        self.snapshot = {name: np.zeros(shape) for name, shape in shapes.items()}
        self.rule = rule

    def predict(self, X):
        p = self.params
        self.h = np.tanh(X @ p["W1"] + p["b1"])
        z = np.exp(self.h @ p["W2"] + p["b2"])
        return z / z.sum(axis=1, keepdims=True)

    def loss(self):
        return -np.log(self.predict(self.X)[np.arange(16), self.y]).mean()

    def step(self):
        d = (self.predict(self.X) - np.eye(3)[self.y]) / 16
        dh = d @ self.params["W2"].T * (1 - self.h**2)
        grads = {"W1": self.X.T @ dh, "b1": dh.sum(axis=0), "W2": self.h.T @ d, "b2": d.sum(axis=0)}
        for name, change in self.rule(self, grads).items():
            self.params[name] -= RATE * change


def plain(net, grads):
    return grads


def decays(net, grads):
    return {name: g + DECAY * net.params[name] for name, g in grads.items()}


def decays_weights(net, grads):
    return {name: g + DECAY * net.params[name] * (g.ndim > 1) for name, g in grads.items()}


def decays_and_sums(net, grads):
    return {name: 16 * g + DECAY * net.params[name] for name, g in grads.items()}


def shrinks(net, grads):
    return {name: g + DECAY * np.sign(net.params[name]) for name, g in grads.items()}


def clips_together(net, grads):
    size = np.sqrt(sum((g**2).sum() for g in grads.values()))
    return {name: g * min(1, LIMIT / size) for name, g in grads.items()}


def clips_apart(net, grads):
    return {name: g * min(1, LIMIT / np.linalg.norm(g)) for name, g in grads.items()}


def clips_entries(net, grads):
    return {name: g.clip(-LIMIT / 2, LIMIT / 2) for name, g in grads.items()}


def follows_signs(net, grads):
    return {name: np.sign(g) for name, g in grads.items()}


def rmsprop(net, grads):
    for name, g in grads.items():
        net.snapshot[name] = 0.9 * net.snapshot[name] + 0.1 * g**2
    return {name: g / (np.sqrt(net.snapshot[name]) + 1e-8) for name, g in grads.items()}


def adagrad(net, grads):
    for name, g in grads.items():
        net.snapshot[name] += g**2
    return {name: g / (np.sqrt(net.snapshot[name]) + 1e-8) for name, g in grads.items()}


def averages(net, grads):
    for name, g in grads.items():
        net.snapshot[name] = 0.9 * net.snapshot[name] + 0.1 * g
    return net.snapshot


def halves(net, grads):
    return {name: g / 2 for name, g in grads.items()}


def forgets_a_derivative(net, grads):
    d = (net.predict(net.X) - np.eye(3)[net.y]) / 16
    return grads | {"W1": net.X.T @ (d @ net.params["W2"].T)}


def checked(rule, *, with_predictions=False):
    net = Net(rule)
    more = {"predict": net.predict, "inputs": net.X, "targets": net.y} if with_predictions else {}
    return gradcheck.check_update(net.step, net, net.loss, learning_rate=RATE, **more)


@pytest.mark.parametrize("with_predictions", [False, True], ids=["loss", "predictions"])
@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (decays, "weight decay 0.01"),
        (decays_weights, "a penalty on W1 and W2"),
        (decays_and_sums, "16 times the gradient"),
        (shrinks, "an L1 penalty 0.01"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_penalty_of_the_step_alone_is_recognised(rule, words, with_predictions):
    report = checked(rule, with_predictions=with_predictions)

    assert report.verdict is Verdict.FAIL
    assert report.explanations[0].code == "additive_term"
    assert words in report.explanations[0].message


@pytest.mark.parametrize("with_predictions", [False, True], ids=["loss", "predictions"])
@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (clips_together, "all gradients together to norm 0.05"),
        (clips_apart, "each parameter's gradient to norm 0.05"),
        (clips_entries, "every entry to 0.025"),
        (follows_signs, "Adam"),
        (rmsprop, "RMSProp with decay 0.9"),
        (adagrad, "Adagrad"),
        (averages, "the velocity is an average, momentum 0.9"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_step_of_another_size_is_recognised_and_no_fault(rule, words, with_predictions):
    report = checked(rule, with_predictions=with_predictions)

    assert report.verdict is Verdict.UNDECIDED
    assert not report.explanations
    assert any(words in part.reason for part in report.tensors.values())


def test_a_plain_step_follows_no_rule():
    report = checked(plain)

    assert report.verdict is Verdict.PASS
    assert not report.explanations


def test_a_factor_alone_is_no_clipping():
    assert "clips" not in checked(halves).explanations[0].message


def test_a_wrong_gradient_is_no_rule():
    report = checked(forgets_a_derivative)

    assert report.explanations[0].tensor == "W1"
    assert "the step" not in report.explanations[0].message
