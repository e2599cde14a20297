"""A change is offered only where all that a check looks at holds with it."""

from __future__ import annotations

import importlib

import numpy as np
from hypothesis import settings

import gradcheck
from gradcheck.explain.source.verification import lines_run
from tests.support import ROOT

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4))


def first(target, *inputs):
    return gradcheck.check(target, *inputs).explanations[0]


def two_paths(x):
    def back(dc):
        dc = 2 * x * dc
        return dc  # noqa: RET504 (the line to be changed)

    return x + x**2, back


def test_a_change_that_writes_into_the_cotangent_is_not_offered():
    fix = first(two_paths, X).fix

    assert "+=" not in fix
    assert "-> `dc = dc + 2 * x * dc`" in fix


class Decayed:
    """The gradient of a penalty that is reported elsewhere."""

    def __init__(self, decay=0.1):
        self.kernel, self.decay = RNG.normal(size=(4, 2)), decay

    def forward(self, x):
        self.x = x
        return x @ self.kernel

    def backward(self, up):
        self.dkernel = self.x.T @ up
        if self.decay > 0:
            self.dkernel += 2 * self.decay * self.kernel
        return up @ self.kernel.T


def test_a_penalty_is_not_switched_off_by_a_change_of_its_condition():
    found = first(Decayed(), X)

    assert found.code == "additive_term"
    assert "reported elsewhere" in found.fix
    assert "`if " not in found.fix


class Late:
    """A loop whose last turn is wrong: to leave the loop out would be right at one point alone."""

    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, grad):
        d = 2 * self.x * grad
        for _ in range(1):
            d = d * 3
        return d


def test_code_that_is_not_reached_any_more_is_no_mending():
    fix = first(Late(), X).fix

    assert "range" not in fix


class Layer:
    def __init__(self):
        self.W = RNG.normal(size=(4, 3))

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.W)

    def backward(self, g):
        g = g * (1 - np.tanh(self.x @ self.W) ** 2)
        return 2 * (g @ self.W.T)


def test_the_layer_is_blamed_before_what_hands_it_over():
    layer = Layer()

    def forward(x):
        y = layer.forward(x)
        return y  # noqa: RET504

    def backward(x, g):
        dx = layer.backward(g)
        return dx  # noqa: RET504

    assert "2 * (g @ self.W.T)" in first((forward, backward), X).fix
    wrapped = (lambda x: layer.forward(x), lambda x, g: layer.backward(g))
    assert "2 * (g @ self.W.T)" in first(wrapped, X).fix


def test_where_the_layer_or_what_hands_it_over_may_be_wrong_nothing_is_sure():
    layer = Layer()

    def backward(x, g):
        return -layer.backward(g) / 2

    found = first((lambda x: layer.forward(x), backward), X)

    assert found.code == "sign_flipped"
    assert found.confidence < 0.99


class Logit:
    """A step with two faults, of which a change of one line would mend either, but not both."""

    def __init__(self, x, y):
        g = np.random.default_rng(0)
        self.x, self.y = x, y
        self.M, self.c = 0.3 * g.normal(size=(x.shape[1], 2)), 0.1 * g.normal(size=2)

    def output(self):
        z = self.x @ self.M + self.c
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def loss(self):
        p = self.output()
        return -np.mean(np.sum(self.y * np.log(p) + (1 - self.y) * np.log(1 - p), axis=1))

    def train(self, rate):
        d = self.y - self.output()
        self.M += rate * np.dot(self.x.T, d)
        self.c += rate * np.mean(d, axis=0)


def test_two_changes_that_are_offered_do_not_contradict_each_other():
    net = Logit(np.random.default_rng(1).normal(size=(6, 3)), np.eye(2)[[0, 1, 1, 0, 1, 0]])
    report = gradcheck.check_update(lambda: net.train(0.1), net, net.loss, learning_rate=0.1)
    changed = [e.fix.partition(" -> ")[0] for e in report.explanations if " -> `" in e.fix]

    assert not report.ok
    assert len(changed) == len(set(changed))
    assert all("d = self.y" not in line for line in changed)


class Nonlinear:
    """The cotangent is divided by where it multiplies: a broken promise with a cause."""

    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, grad):
        return 2 * self.x / grad


def test_a_broken_promise_that_a_change_restores_is_not_told_before_it():
    report = gradcheck.check(Nonlinear(), X)

    assert "-> `return 2 * self.x * grad`" in report.explanations[0].fix
    assert [e.code for e in report.explanations].count("upstream_ignored") <= 1


def test_lines_that_run_are_those_of_the_file():
    def action():
        if X.size < 0:
            return 1
        return 2

    start = action.__code__.co_firstlineno
    assert lines_run(__file__, action) == {start + 1, start + 3}


def test_every_change_that_is_offered_gives_a_layer_that_passes(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    mutants = importlib.import_module("benchmarks.mutants")
    # as many as take the time of Hypothesis's examples: 12 layers, and 50 in the profile `ci`
    count, tried = settings().max_examples // 2, 0
    for mutant in mutants.mutants(count, seed=3):
        target, inputs = mutant.case.make(0)
        with np.errstate(all="ignore"):
            report = gradcheck.check(target, *inputs)
            for found in report.explanations:
                changed = mutant.repaired(found.fix)
                if changed is None or len(report.tensors) == 0:
                    continue
                for state in (0, 1):
                    target, inputs = changed.make(state)
                    after = gradcheck.check(target, *inputs, explain=False)
                    assert after.ok, f"{mutant.before} => {mutant.after}: {found.fix}\n{after}"
                tried += 1
    assert tried >= count // 3
