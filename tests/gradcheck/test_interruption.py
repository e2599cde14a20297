"""After Ctrl-C, at whatever moment, the user's code is not called again, and what is known is told.

What takes time is the user's code: work that calls none of it after the interruption ends at once.
"""

import itertools
import os
from contextlib import suppress

import numpy as np
import pytest
from typer.testing import CliRunner

import gradcheck
from gradcheck.cli.main import app
from gradcheck.cli.shell import INTERRUPTED
from gradcheck.properties import run_properties
from gradcheck.report.data import Verdict
from network import softmax
from tests.support import user_layers

X = np.random.default_rng(0).normal(size=(5, 4))
MOMENTS = 4
HERE = os.getpid()


class Interruption:
    """Ctrl-C at one of the calls of this process; explanations have processes of their own."""

    def __init__(self, moment):
        self.moment = moment
        self.calls = itertools.count()  # which no snapshot turns back

    def __call__(self):
        if os.getpid() == HERE and next(self.calls) == self.moment:
            raise KeyboardInterrupt

    def __deepcopy__(self, memo):
        return self

    def all_calls(self):
        return next(self.calls)


def moments(work):
    """Yield random moments of a piece of work, the last one among them, and all calls it makes."""
    never = Interruption(-1)
    work(never)
    total = never.all_calls()
    for moment in {*np.random.default_rng(1).integers(0, total, MOMENTS).tolist(), total - 1}:
        yield Interruption(moment)


def layer(interruption, bug=None):
    made = user_layers.Dense(4, 3, *([bug] if bug else []))
    forward = made.forward

    def interrupted(x):
        interruption()
        return forward(x)

    made.forward = interrupted
    return made


@pytest.mark.parametrize("bug", [None, "sign_flipped"])
def test_a_hunt_ends_at_once_with_what_was_tried(bug):
    def work(interruption):
        # one tensor of three: the stages of a hunt are the same for any number
        return gradcheck.hunt(layer(interruption, bug), (5, 4), examples=1, tensors="W")

    told = set()
    for interruption in moments(work):
        report = work(interruption)

        assert report.interrupted
        assert interruption.all_calls() == interruption.moment + 1
        assert "interrupted" in str(report)
        told.add(report.verdict)
        if report.example is not None:
            assert report.report.verdict is Verdict.FAIL

    assert (Verdict.FAIL in told) == (bug is not None)
    assert Verdict.PASS not in told


@pytest.mark.parametrize("bug", [None, "sign_flipped"])
def test_a_check_ends_at_once_with_what_was_judged(bug):
    def work(interruption):
        return gradcheck.check(layer(interruption, bug), X)

    reports = 0
    for interruption in moments(work):
        try:
            report = work(interruption)
        except KeyboardInterrupt:  # before there was anything to judge
            pass
        else:
            reports += 1
            assert report.interrupted
        assert interruption.all_calls() == interruption.moment + 1

    assert reports


class Trained:
    """A network that learns by a method, and shows no gradient."""

    def __init__(self, interruption):
        self.W = np.random.default_rng(0).normal(size=(4, 3)) / 10
        self.interruption = interruption

    def predict(self, x):
        self.interruption()
        return x @ self.W

    def fit(self, x, y):
        self.interruption()
        self.W -= 0.1 * 2 * x.T @ (x @ self.W - y) / y.size

    def loss(self, x, y):
        self.interruption()
        return float(np.mean((x @ self.W - y) ** 2))


def test_a_check_of_a_training_step_ends_at_once_and_puts_the_weights_back():
    y = np.random.default_rng(2).normal(size=(5, 3))

    def work(interruption):
        net = Trained(interruption)
        before = net.W.copy()
        try:
            return gradcheck.check_update(
                lambda: net.fit(X, y),
                net,
                lambda: net.loss(X, y),
                learning_rate=0.1,
                predict=net.predict,
                inputs=X,
                targets=y,
            )
        finally:
            assert np.array_equal(net.W, before)

    reports = 0
    for interruption in moments(work):
        with suppress(KeyboardInterrupt):
            reports += work(interruption).interrupted
        assert interruption.all_calls() == interruption.moment + 1

    assert reports


@pytest.mark.parametrize("right", [True, False])
def test_a_run_of_properties_ends_at_once_with_the_results_by_then(right):
    names = gradcheck.properties.suite("softmax").names[:3]

    def work(interruption):
        def fn(x):
            interruption()
            return softmax(x) if right else np.exp(x) / np.exp(x).sum()

        return run_properties("softmax", fn, only=names, examples=5, seed=0)

    whole = work(Interruption(-1)).results
    reports = []
    for interruption in moments(work):
        try:
            report = work(interruption)
        except KeyboardInterrupt:  # while the function was looked at
            pass
        else:
            reports.append(report)
            assert report.interrupted
            assert not report.ok
            assert [r.status for r in report.results] == [
                r.status for r in whole[: len(report.results)]
            ]
            assert "interrupted" in str(report)
        assert interruption.all_calls() == interruption.moment + 1

    assert any(report.results for report in reports)


SCRIPT = """
import itertools, numpy as np
from tests.support.user_layers import Dense
calls = itertools.count()

class Interrupted(Dense):
    def forward(self, x):
        if next(calls) == 60:
            raise KeyboardInterrupt
        return super().forward(x)

layer = Interrupted(4, 3)

def softmax(x):
    if next(calls) == 400:
        raise KeyboardInterrupt
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
"""


@pytest.mark.parametrize(
    "command",
    [("hunt", "{}:layer", "-i", "5,4"), ("properties", "softmax", "{}:softmax")],
    ids=lambda command: command[0],
)
def test_the_shell_shows_what_is_known_and_says_so_by_its_status(command, tmp_path):
    script = tmp_path / "interrupted_script.py"
    script.write_text(SCRIPT)

    done = CliRunner().invoke(app, [part.format(script) for part in command])

    assert done.exit_code == INTERRUPTED
    assert "interrupted" in done.output
