"""The line to change: what is found in users' code, and that nothing is left behind."""

from __future__ import annotations

import functools
import inspect
import os
import sys

import numpy as np
import pytest

import gradcheck
from gradcheck.adapters import as_target
from gradcheck.checking.context import CheckContext
from gradcheck.explain.source.repair_search import repairs

RNG = np.random.default_rng(5)
X = RNG.normal(size=(5, 4))


def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        sys.stdout.write("called")
        return function(*args)

    return wrapper


class Base:
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b


class Affine(Base):
    """A private cache, a decorator, an inherited forward that is extended."""

    def __init__(self, bug=""):
        rng = np.random.default_rng(3)
        self.W, self.b = rng.normal(size=(4, 3)), rng.normal(size=3)

    def forward(self, x):
        out = super().forward(x)
        self.__mask = out > 0
        return out * self.__mask


class WrongMask(Affine):
    def backward(self, dout):
        dout = dout * (dout > -10)
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class WrongAxis(Affine):
    @logged
    def backward(self, dout):
        dout = dout * self._Affine__mask
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T * 1 + dout.mean(axis=1, keepdims=True) * 0


class Summed(Affine):
    def backward(self, dout):
        dout = dout * self._Affine__mask
        self.dW = self.x.T @ dout
        self.db = dout.sum()
        return dout @ self.W.T


class TwoBugs(Affine):
    def backward(self, dout):
        dout = dout * self._Affine__mask
        self.dW = self.x.T @ dout / 7
        self.db = -dout.sum(axis=0)
        return dout @ self.W.T


class Looped:
    """The gradient of a parameter that every step uses is assigned."""

    def __init__(self):
        self.U = np.random.default_rng(4).normal(size=(4, 4))

    def forward(self, x):
        self.h = [np.ones(4)]
        for row in x:
            self.h.append(np.tanh(row + self.h[-1] @ self.U))
        return np.array(self.h[1:])

    def backward(self, grad):
        self.dU = np.zeros_like(self.U)
        dx, dh = np.zeros_like(grad), np.zeros(4)
        for t in reversed(range(len(grad))):
            dz = (grad[t] + dh) * (1 - self.h[t + 1] ** 2)
            self.dU = np.outer(self.h[t], dz)
            dx[t], dh = dz, self.U @ dz
        return dx


class BatchSoftmax:
    """The forward sums over the whole batch, the backward belongs to the right one."""

    def forward(self, x):
        e = np.exp(x - x.max())
        self.p = e / e.sum()
        return self.p

    def backward(self, grad):
        return self.p * (grad - (grad * self.p).sum(axis=1, keepdims=True))


class ColumnSoftmax:
    """As often, the largest of each row is taken out before the columns are summed."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=0, keepdims=True)
        return self.p

    def backward(self, grad):
        return self.p * (grad - (grad * self.p).sum(axis=1, keepdims=True))


def cube_closure(x):
    def backward(g):
        return 2 * x**2 * g

    return x**3, backward


CUBE = (lambda x: x**3, lambda x, g: 3 * x**3 * g)


def first(target, *inputs):
    return gradcheck.check(target, *inputs).explanations[0]


def test_a_method_with_a_decorator_private_names_and_super_is_corrected():
    found = first(Summed(), X)
    assert found.code == "summed_to_scalar"
    assert "`self.db = dout.sum()` -> `self.db = dout.sum(axis=0)`" in found.fix
    assert f"{__file__.rsplit('/', 1)[1]}:" in found.fix


def test_one_line_that_spoils_several_tensors_is_one_cause():
    found = first(WrongMask(), X)
    assert found.tensor == "x, W, b"
    assert "self._Affine__mask" in found.fix or "x @ self.W" in found.fix


def test_two_bugs_get_a_line_each():
    report = gradcheck.check(TwoBugs(), X)
    fixes = {e.tensor: e.fix for e in report.explanations}
    assert "`self.dW = self.x.T @ dout`" in fixes["W"]
    assert "dout.sum(axis=0)`" in fixes["b"].split("->")[1]


def test_an_assignment_in_a_loop_is_told_to_accumulate():
    found = first(Looped(), X)
    assert found.code == "overwritten_not_accumulated"
    assert "-> `self.dU += np.outer(self.h[t], dz)`" in found.fix


def test_a_backward_made_anew_by_every_forward_is_corrected_where_it_is_written():
    found = first(cube_closure, X)
    assert "-> `return 3 * x ** 2 * g`" in found.fix


def test_a_lambda_is_corrected():
    assert "3 * x ** 2 * g" in first(CUBE, X).fix.split("->")[1]


def test_a_forward_that_the_backward_does_not_belong_to_is_named():
    found = first(BatchSoftmax(), X)
    assert found.code == "wrong_axis"
    assert "or change the forward" in found.fix
    assert "self.p = e / e.sum(axis=-1, keepdims=True)" in found.fix


def test_where_no_change_of_the_backward_helps_that_of_the_forward_is_the_cause():
    found = first(ColumnSoftmax(), X)
    assert found.code == "wrong_axis"
    assert "the backward is that of the corrected one" in found.message
    assert "-> `self.p = e / e.sum(axis=1, keepdims=True)`" in found.fix


def test_a_right_backward_is_told_nothing():
    context = CheckContext(as_target((lambda x: x**3, lambda x, g: 3 * x**2 * g), X))
    assert repairs(context, {"x": ()}).found == ()


@pytest.mark.parametrize("layer", [Summed, TwoBugs, Looped, BatchSoftmax])
def test_code_and_state_are_as_they_were(layer):
    target = layer()
    codes = layer.forward.__code__, layer.backward.__code__
    state = {name: np.copy(value) for name, value in vars(target).items()}
    gradcheck.check(target, X)
    assert (layer.forward.__code__, layer.backward.__code__) == codes
    assert {
        n: np.array_equal(v, state[n]) for n, v in vars(target).items() if n in state
    } == dict.fromkeys(state, True)


def test_what_changed_code_prints_is_not_heard(capsys):
    gradcheck.check(WrongAxis(), X)
    heard = capsys.readouterr().out.count("called")
    gradcheck.check(WrongAxis(), X, explain=False)
    assert heard == capsys.readouterr().out.count("called")


def test_code_without_source_is_left_alone():
    space: dict = {}
    exec("def forward(x): return x**3\ndef backward(x, g): return 2 * x**2 * g", space)
    found = first((space["forward"], space["backward"]), X)
    assert found.code == "constant_factor"
    assert "->" not in found.fix


def test_a_loop_that_might_not_end_is_not_changed():
    def forward(x):
        return x**3

    def backward(x, g):
        n, total = 0, np.zeros_like(x)
        while n < 2:
            total += x**2 * g
            n += 1
        return total

    found = first((forward, backward), X)
    assert found.code == "constant_factor"


def remove_everything():
    os.remove("/nowhere/at/all")


def test_code_that_could_act_on_the_world_does_not_act_when_changed(monkeypatch):
    asked = []
    monkeypatch.setattr(os, "remove", asked.append)

    class Careful(Affine):
        def backward(self, dout):
            if self.W.size > 99:
                remove_everything()
            dout = dout * self._Affine__mask
            self.dW, self.db = self.x.T @ dout, dout.sum()
            return dout @ self.W.T

    found = first(Careful(), X)
    assert found.code == "summed_to_scalar"
    assert "dout.sum(axis=0)" in found.fix.partition("->")[2]
    assert asked == []


def test_explain_false_changes_nothing():
    report = gradcheck.check(Summed(), X, explain=False)
    assert report.explanations == ()


X64 = np.random.default_rng(7).normal(size=(5, 4))
SHARED = np.random.default_rng(8).normal(size=(5, 4))


class Unread:
    """The slope is computed and never used; data are reached by a global name."""

    def forward(self, x):
        self.x = x
        return np.tanh(x) * SHARED

    def backward(self, grad):
        slope = 1 - np.tanh(self.x) ** 2  # noqa: F841 (forgotten below: the bug)
        back = grad
        return back * SHARED


class ByKeys:
    """Two parameters of a dict, each where the other belongs."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.params, self.grads = {"U": rng.normal(size=(4, 4)), "V": rng.normal(size=(4, 4))}, {}

    def forward(self, x):
        self.x = x
        return np.concatenate([x @ self.params["U"], x @ self.params["V"]], axis=1)

    def backward(self, grad):
        a, b = grad[:, :4], grad[:, 4:]
        self.grads["U"], self.grads["V"] = self.x.T @ a, self.x.T @ b
        return a @ self.params["V"].T + b @ self.params["U"].T


class TwiceRead:
    """One variable for another, twice in a line, where an attribute is called as a builtin is."""

    def forward(self, x):
        self.input = x
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, grad):
        return grad * self.input * (1 - self.input)


@pytest.mark.parametrize(
    ("layer", "after"),
    [
        (Unread, "slope"),
        (ByKeys, "b @ self.params['V'].T"),
        (TwiceRead, "grad * self.y * (1 - self.y)"),
    ],
)
def test_wrong_names_are_corrected(layer, after):
    fix = gradcheck.check(layer(), X64).explanations[0].fix

    assert after in fix.partition("->")[2]


def test_data_reached_by_global_names_stay_as_they_are():
    before = SHARED.copy()

    gradcheck.check(Unread(), X64)

    assert np.array_equal(SHARED, before)


class NothingLikeIt:
    """A derivative that no single change makes right, beside a right one."""

    def __init__(self):
        self.b = np.array([0.3, -0.2, 0.5])

    def forward(self, x):
        self.x = x
        return np.arctan(x) ** 3 * np.cosh(x) + self.b

    def backward(self, grad):
        self.db = grad.sum(axis=0)
        slope = np.sinh(self.x / 3) + 7 * np.sin(self.x) ** 5
        return grad * slope


def test_where_no_change_is_known_the_statements_are_told_that_may_be_wrong():
    report = gradcheck.check(NothingLikeIt(), np.random.default_rng(0).normal(size=(4, 3)))
    lines, first = inspect.getsourcelines(NothingLikeIt)
    (slope,) = (first + n for n, line in enumerate(lines) if "slope =" in line)
    (explanation,) = report.explanations

    assert not explanation.edits
    assert explanation.places == (f"test_repair.py:{slope}", f"test_repair.py:{slope + 1}")
    assert f"at test_repair.py:{slope} or {slope + 1}: " in explanation.fix


class OperatorAtTheEnd:
    """A wrong operator that ends a line."""

    def forward(self, x):
        self.x = x
        return x**3

    def backward(self, grad):
        # fmt: off
        return (
            grad * 3 +
            self.x**2
        )
        # fmt: on


class OperatorAtTheHead(OperatorAtTheEnd):
    """A wrong operator at the head of a line."""

    def backward(self, grad):
        return (
            grad * 3  # of the outer function
            + self.x**2
        )


@pytest.mark.parametrize("layer", [OperatorAtTheEnd, OperatorAtTheHead])
def test_the_line_of_an_operator_is_that_where_it_stands(layer):
    lines, begin = inspect.getsourcelines(layer)
    (line,) = (begin + n for n, text in enumerate(lines) if "+" in text)

    report = gradcheck.check(layer(), np.random.default_rng(0).normal(size=(4, 3)))

    assert report.explanations[0].edits[0].line == line, str(report)
