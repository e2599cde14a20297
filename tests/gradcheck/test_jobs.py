"""What one change corrects is shown by two tensors, and what is small is shown anyway."""

from __future__ import annotations

import numpy as np

import gradcheck

RNG = np.random.default_rng(0)


class Sums:
    """A large tensor and three small ones, each of whose gradients is halved by one line."""

    def __init__(self):
        self.first, self.second, self.few = (RNG.normal(size=n) for n in (20, 22, 8))

    def forward(self, x):
        self.x = x
        return np.concatenate([x**2, self.first**2, self.second**2, self.few**2])

    def backward(self, grad):
        grad = 0.5 * grad
        x, first, second, few = np.split(grad, [60, 80, 102])
        self.dfirst = 2 * self.first * first
        self.dsecond, self.dfew = 2 * self.second * second, 2 * self.few * few
        return 2 * self.x * x


def test_the_worst_entries_are_those_of_two_tensors_and_of_small_ones():
    report = gradcheck.check(Sums(), RNG.normal(size=60))

    assert "`grad = 0.5 * grad`" in report.explanations[0].fix
    assert set(report.explanations[0].tensors) == {"x", "first", "second", "few"}
    assert {name: bool(t.worst) for name, t in report.tensors.items()} == {
        "x": False, "first": True, "second": True, "few": True,
    }  # fmt: skip


def test_the_worst_entries_of_all_are_found_where_no_change_corrects_them():
    report = gradcheck.check(Sums(), RNG.normal(size=60), explain=False)

    assert all(tensor.worst for tensor in report.tensors.values())
