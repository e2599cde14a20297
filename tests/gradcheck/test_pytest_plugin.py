"""The fixture, marker, seed and summary, in runs of pytest inside of pytest."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

LAYER = """
import numpy as np
import pytest

class Dense:
    def __init__(self, bug=False):
        self.W, self.b, self.bug = np.ones((4, 3)), np.zeros(3), bug
    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.W + self.b)
    def backward(self, g):
        g = g * (1 - np.tanh(self.x @ self.W + self.b) ** 2)
        self.dW, self.db = self.x.T @ g, g.sum() if self.bug else g.sum(axis=0)
        return g @ self.W.T

X = np.random.default_rng(0).normal(size=(5, 4))
"""


@pytest.fixture
def run(tmp_path):
    def run_pytest(tests, *arguments):
        (tmp_path / "test_layers.py").write_text(LAYER + textwrap.dedent(tests))
        command = [sys.executable, "-m", "pytest", "-q", "-W"]
        command += ["error", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), *arguments]
        done = subprocess.run(
            [*command, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        return done.returncode, done.stdout

    return run_pytest


RIGHT_AND_WRONG = """
from gradcheck.properties import parametrize_with_properties

def test_right(gradcheck):
    assert gradcheck(Dense(), X).ok

def test_wrong(gradcheck):
    gradcheck(Dense(bug=True), X)

def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()

@parametrize_with_properties("softmax", softmax, only=["rows_sum_to_one", "order_kept"])
def test_softmax(check):
    check()
"""


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_summary_shows_what_failed_and_counts(run, processes):
    status, printed = run(RIGHT_AND_WRONG, *processes, "--gradcheck-profile", "dev")

    assert status == 1
    summary = printed.partition("= gradcheck =")[2]
    assert "test_wrong" in summary
    assert "summed_to_scalar in b" in summary
    assert "-> `g.sum(axis=0) if self.bug" in " ".join(summary.split())
    assert "test_softmax[rows_sum_to_one]" in summary
    assert "rows_sum_to_one: a row does not sum to 1" in summary
    assert "4 checks: 2 passed, 2 failed" in summary


def test_seed_of_the_run_and_of_the_marker(run):
    tests = """
        def test_of_the_run(gradcheck):
            assert gradcheck(Dense(), X).seed == 7

        @pytest.mark.gradcheck(seed=3, contract=False)
        def test_of_the_marker(gradcheck):
            report = gradcheck(Dense(), X)
            assert report.seed == 3 and not report.contract
            assert gradcheck(Dense(), X, seed=5).seed == 5
    """
    assert run(tests, "--gradcheck-seed", "7", "--strict-markers")[0] == 0


def test_properties_and_hunts_fail_with_their_reports(run):
    tests = """
        def whole_batch(x):
            e = np.exp(x - x.max())
            return e / e.sum()

        def test_softmax(gradcheck):
            gradcheck.properties("softmax", whole_batch, only=["rows_sum_to_one"], examples=5)

        def test_corner(gradcheck):
            gradcheck.hunt(Dense(bug=True), (3, 4), examples=5)
    """
    status, printed = run(tests)
    assert status == 1
    assert "2 checks: 0 passed, 2 failed" in printed


def test_runs_without_the_fixture_show_nothing(run):
    status, printed = run("def test_nothing(): pass")
    assert status == 0
    assert "gradcheck" not in printed


def test_loading_the_plugin_imports_nothing_heavy():
    heavy = "numpy", "matplotlib", "hypothesis", "rich"
    code = (
        "import sys, importlib.util as u\n"
        "spec = u.find_spec('gradcheck.pytest_plugin')\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "matplotlib" not in done.stdout
    assert "hypothesis" not in done.stdout
    assert "rich" not in done.stdout


def test_profile_of_the_run_counts_for_properties(run):
    tests = """
        from gradcheck.properties import run_properties
        from scipy.special import softmax

        def test_profile():
            report = run_properties("softmax", softmax, only=["order_kept"])
            assert report.examples == 25
    """
    assert run(tests, "--gradcheck-profile", "dev")[0] == 0
    assert run(tests, "--gradcheck-profile", "often")[0] == 4


XFAIL = """
class Wrong(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.db = 2 * self.db
        return dx

WHY = "bias is frozen upstream"

@pytest.mark.gradcheck(xfail={"db": WHY})
def test_expected(gradcheck):
    report = gradcheck(Wrong(), X)
    assert report.ok and "b" not in report.tensors

def test_expected_by_the_call(gradcheck):
    gradcheck(Wrong(), X, xfail={"b": WHY})

@pytest.mark.gradcheck(xfail={"db": WHY})
def test_strict(gradcheck):
    gradcheck(Dense(), X)

@pytest.mark.gradcheck(xfail={"W": "not so"})
def test_rest(gradcheck):
    gradcheck(Wrong(), X)

@pytest.mark.gradcheck(xfail={"dc": WHY})
def test_unknown(gradcheck):
    gradcheck(Wrong(), X)
"""


def test_expected_failures_are_strict_and_counted(run):
    status, printed = run(XFAIL)

    assert status == 1
    assert "3 failed, 2 passed" in printed
    summary = printed.partition("= gradcheck =")[2]
    assert "expected to fail, but right: db (bias is frozen upstream); take it out" in summary
    assert "expected to fail, but right: W (not so)" in summary
    assert "4 checks: 2 passed, 2 failed, 2 expected failures" in summary
    assert "xfail={'dc': ...}: expected one of x, W, b" in printed
