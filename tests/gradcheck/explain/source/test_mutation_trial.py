"""Derivatives are measured as sharply as it takes to see what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.adapters import as_target
from gradcheck.checking.context import CheckContext
from gradcheck.explain.source.mutation_trial import MutationTrial
from gradcheck.state import StateSnapshot

X = np.random.default_rng(0).normal(size=(6, 7))


class Steep:
    """A derivative that takes many forwards to be known to the last digit."""

    def __init__(self, error):
        self.error = error

    def forward(self, x):
        self.x = x
        return np.tanh(10 * x)

    def backward(self, grad):
        return 10 * (1 - np.tanh(10 * self.x) ** 2) * grad + self.error * self.x


def trial_of(error):
    context = CheckContext(as_target(Steep(error), X))
    before = context.forwards
    trial = MutationTrial(context, ["x"], StateSnapshot([]))
    return trial, context.forwards - before


@pytest.mark.parametrize("error", [1e-1, 1e-9])
def test_what_is_wrong_is_seen_however_little_it_is(error):
    trial, _ = trial_of(error)

    assert trial.failed == ["x"]


def test_what_is_wrong_by_much_takes_fewer_forwards():
    assert trial_of(1e-1)[1] < trial_of(1e-9)[1]
