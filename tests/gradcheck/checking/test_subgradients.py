"""At kinks every subgradient passes, one by all tensors is undecided, and anything else fails."""

import numpy as np
import pytest

import gradcheck
from gradcheck import check
from gradcheck.report.data import Verdict


class TwoLayers:
    """A ReLU between two layers, with a given slope where its input is zero."""

    def __init__(self, slope, seed=0):
        rng = np.random.default_rng(seed)
        self.slope = slope
        self.W1, self.b1 = rng.normal(size=(4, 6)), np.zeros(6)
        self.W2, self.b2 = rng.normal(size=(6, 3)), np.zeros(3)

    def forward(self, x):
        self.x, self.z = x, x @ self.W1 + self.b1
        self.h = np.maximum(self.z, 0)
        return self.h @ self.W2 + self.b2

    def backward(self, d):
        self.dW2, self.db2 = self.h.T @ d, d.sum(axis=0)
        slope = np.where(self.z == 0, self.slope, self.z > 0)
        d = d @ self.W2.T * slope
        self.dW1, self.db1 = self.x.T @ d, d.sum(axis=0)
        return d @ self.W1.T


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_valid_slopes_of_units_that_all_have_their_kink_are_no_fault(slope, seed):
    report = check(TwoLayers(slope, seed), np.zeros((2, 4)), explain=False)

    assert report.verdict is not Verdict.FAIL, str(report)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slope", [-1.0, 2.0])
def test_other_slopes_fail_there(slope, seed):
    report = check(TwoLayers(slope, seed), np.zeros((2, 4)), explain=False)

    assert report.verdict is Verdict.FAIL, str(report)


def root_backward(d, x):
    with np.errstate(all="ignore"):
        return 0.5 * d / np.sqrt(x)


def norm_backward(d, x):
    with np.errstate(all="ignore"):
        return (d / np.sqrt((x**2).sum(axis=1)))[:, None] * x


def test_an_infinite_gradient_is_undecided_where_the_derivative_is_infinite():
    root = (lambda x: (np.sqrt(x), x), root_backward)

    assert check(root, np.zeros((2, 3))).verdict is Verdict.UNDECIDED
    assert check(root, np.ones((2, 3))).verdict is Verdict.PASS


def test_a_gradient_that_is_not_finite_fails_at_a_kink():
    norm = (lambda x: (np.sqrt((x**2).sum(axis=1)), x), norm_backward)

    assert check(norm, np.zeros((2, 3))).verdict is Verdict.FAIL


@pytest.mark.parametrize("seed", range(20))
def test_a_relu_at_zeros_passes_whatever_its_other_inputs_are(seed):
    class Relu:
        def forward(self, x):
            self.mask = x <= 0
            return np.where(self.mask, 0, x)

        def backward(self, grad):
            return np.where(self.mask, 0, grad)

    x = np.random.default_rng(seed).normal(size=(4, 7))
    x.flat[::5] = 0

    assert gradcheck.check(Relu(), x, explain=False).ok
