"""Gradients that a backward limits are told as that, and no change is offered that undoes it."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck

RNG = np.random.default_rng(4)
X = 3 * RNG.normal(size=(6, 5))


class Affine:
    """``limit`` is what is done to each gradient."""

    def __init__(self, limit):
        self.W, self.b, self.limit = RNG.normal(size=(5, 4)), RNG.normal(size=4), limit

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW, self.db = self.limit(self.x.T @ grad), grad.sum(axis=0)
        return grad @ self.W.T


def in_place(g):
    np.clip(g, -2.0, 2.0, out=g)
    return g


def by_norm(g):
    size = np.sqrt((g**2).sum())
    if size > 1.5:
        g = g * (1.5 / size)
    return g


LIMITS = {
    "by value": (lambda g: np.clip(g, -0.5, 0.5), "at 0.5"),
    "in place": (in_place, "at 2"),
    "from one side": (lambda g: np.minimum(g, 0.25), "at 0.25"),
    "by norm": (by_norm, "as by a norm"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_clipping_is_named_and_not_switched_off(name):
    limit, words = LIMITS[name]

    report = gradcheck.check(Affine(limit), X)

    (explanation,) = report.explanations
    assert (explanation.code, explanation.tensors) == ("gradient_clipped", ("W",))
    assert words in explanation.message
    assert not explanation.edits
    assert "# at test_clipping.py:" in explanation.fix


def test_clipping_of_a_large_tensor_is_named():
    class Wide(Affine):
        def __init__(self):
            super().__init__(by_norm)
            self.W, self.b = RNG.normal(size=(300, 80)), np.zeros(80)

    report = gradcheck.check(Wide(), RNG.normal(size=(6, 300)))

    assert [e.code for e in report.explanations] == ["gradient_clipped"]


class Rounded:
    """A step function, whose slopes no number tells, and a backward that is linear."""

    def forward(self, x):
        return np.round(4 * x) / 4

    def backward(self, grad):
        return grad


def test_a_backward_that_is_linear_clips_nothing():
    report = gradcheck.check(Rounded(), X)

    assert not report.ok
    assert "gradient_clipped" not in [e.code for e in report.explanations]


@pytest.mark.parametrize("wrong", [lambda g: 2 * g, lambda g: g + 0.1, lambda g: g / abs(g).max()])
def test_what_is_wrong_for_faint_cotangents_too_is_no_clipping(wrong):
    report = gradcheck.check(Affine(wrong), X)

    assert "gradient_clipped" not in [e.code for e in report.explanations]
