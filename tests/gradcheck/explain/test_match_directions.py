"""Hypotheses that fit no multiple of the analytic gradient are refused at little cost."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.adapters import as_target
from gradcheck.checking.context import CheckContext
from gradcheck.explain.match_directions import is_out_of_question
from gradcheck.explain.observation import Observation

RNG = np.random.default_rng(0)


class Cubes:
    def __init__(self, spoil):
        self.spoil = spoil

    def forward(self, x):
        self.x = x
        return x**3

    def backward(self, grad):
        return self.spoil(3 * self.x**2 * grad)


def observed(spoil, dtype):
    context = CheckContext(as_target(Cubes(spoil), RNG.normal(size=(4, 5)).astype(dtype)))
    return context, Observation.of(context, context.base, "x")


def largest_entry_alone(gradient):
    return np.where(np.abs(gradient) == np.abs(gradient).max(), 1.5, 1.0) * gradient


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("factor", [-1.0, 2.0, 1e-3, 1e4])
def test_a_multiple_is_never_out_of_question(factor, dtype):
    _, observation = observed(lambda g: dtype(factor) * g, dtype)

    assert not is_out_of_question(observation, ())


@pytest.mark.parametrize("spoil", [largest_entry_alone, np.abs, lambda g: g[::-1]])
def test_what_is_no_multiple_is_refused_after_two_forwards(spoil):
    context, observation = observed(spoil, np.float64)
    before = context.forwards

    assert is_out_of_question(observation, ())
    assert context.forwards == before + 2


def test_a_gradient_of_zeros_is_looked_at_further():
    _, observation = observed(np.zeros_like, np.float64)

    assert observation.contrast is None
    assert not is_out_of_question(observation, ())
