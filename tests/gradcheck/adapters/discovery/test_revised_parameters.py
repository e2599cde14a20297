"""Parameters whose gradient was forgotten are found by what the output depends on."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from tests.support.written_functions import B, W, X
from tests.support.written_layers import Base


class Forgetful(Base):
    """dW is there, db is not."""

    def backward(self, d):
        self.dW = self.x.T @ d
        return d @ self.W.T


class ForgetfulReturn(Base):
    def backward(self, d):
        return d @ self.W.T, self.x.T @ d


class ForgetfulDict(Base):
    def backward(self, d):
        self.grads = {"W": self.x.T @ d}
        return d @ self.W.T


class ForgetsAll(Base):
    def backward(self, d):
        return d @ self.W.T


class WithConstants(Base):
    """A fixed table, a mask and a statistic: none of them is trained."""

    def __init__(self, k):
        super().__init__(k)
        self.table = np.random.default_rng(1).normal(size=(5, 3))
        self.mask = np.array([1.0, 0.0, 1.0])
        self.running_mean = np.full(4, 0.1)
        self.velocity = np.zeros((4, 3))

    def forward(self, x):
        self.x = x - self.running_mean
        return (self.x @ self.W + self.b + self.table) * self.mask

    def backward(self, d):
        d = d * self.mask
        self.dW, self.db = self.x.T @ d, d.sum(0)
        return d @ self.W.T


class Frozen(Forgetful):
    trainable = False


@pytest.mark.parametrize("kind", [Forgetful, ForgetfulReturn, ForgetfulDict])
def test_a_forgotten_gradient_fails_where_its_siblings_have_theirs(kind):
    report = gradcheck.check(kind(1.0), X)

    failed = {name for name, t in report.tensors.items() if t.verdict is Verdict.FAIL}
    assert failed == {"b"}
    assert report.explanations[0].code == "zero_gradient"


def test_parameters_without_any_gradient_leave_the_whole_undecided():
    report = gradcheck.check(ForgetsAll(1.0), X)

    assert report.tensors["x"].ok
    assert report.verdict is Verdict.UNDECIDED
    assert {(array.name, array.role) for array in report.unchecked} == {
        ("W", "parameter"),
        ("b", "parameter"),
    }
    assert "params={'W': W}" in report.text(width=200)
    assert gradcheck.check(ForgetsAll(1.0), X, tensors=["x"]).ok


def test_what_is_frozen_is_owed_no_gradient():
    report = gradcheck.check(Frozen(1.0), X)

    assert report.ok
    assert {(array.name, array.role) for array in report.unchecked} == {("b", "frozen")}


def test_constants_are_no_bug_but_said_not_to_be_checked():
    report = gradcheck.check(WithConstants(1.0), X)

    assert report.ok, str(report)
    assert {(array.name, array.role) for array in report.unchecked} == {
        (name, "constant") for name in ("table", "mask", "running_mean")
    }
    assert "not checked: table, mask, running_mean" in " ".join(str(report).split())


def test_a_gradient_missing_from_a_dict_of_gradients_fails():
    def loss(params, x):
        error = x @ params["W"] + params["b"]
        return 0.5 * np.sum(error**2), {"W": x.T @ error}

    report = gradcheck.check(loss, {"W": W, "b": B}, X)

    failed = {name for name, t in report.tensors.items() if t.verdict is Verdict.FAIL}
    assert failed == {"b"}


def test_a_parameter_named_by_the_user_is_owed_a_gradient():
    report = gradcheck.check(ForgetsAll(1.0), X, params=["W"])

    assert report.tensors["W"].verdict is Verdict.FAIL
