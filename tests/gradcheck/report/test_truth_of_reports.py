"""``assert check(...)`` asserts what it says, of every kind of report; its repr is one line."""

import numpy as np
import pytest

import gradcheck
from diagnostics import compare, diagnose, investigate
from gradcheck.properties import run_properties

X = np.linspace(0.1, 1.3, 12).reshape(4, 3)
RIGHT = (lambda x: np.sum(x**3), lambda x: 3 * x**2)
WRONG = (lambda x: np.sum(x**3), lambda x: 2 * x**2)
GOOD = {"loss": [1.0, 0.5, 0.3, 0.2, 0.15, 0.12, 0.11, 0.1]}
BAD = {"loss": [1.0, 0.9, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan]}


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def over_all(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def predict(X):
    return softmax(X @ np.eye(3))


REPORTS = {
    "check": (lambda: gradcheck.check(RIGHT, X), lambda: gradcheck.check(WRONG, X)),
    "one tensor": (
        lambda: gradcheck.check(RIGHT, X).tensors["x"],
        lambda: gradcheck.check(WRONG, X, explain=False).tensors["x"],
    ),
    "hunt": (
        lambda: gradcheck.hunt(RIGHT, (2, 3), examples=20),
        lambda: gradcheck.hunt(WRONG, (2, 3), examples=20),
    ),
    "properties": (
        lambda: run_properties("softmax", softmax, only=["rows_sum_to_one"], examples=5),
        lambda: run_properties("softmax", over_all, only=["rows_sum_to_one"], examples=5),
    ),
    "diagnose": (lambda: diagnose(GOOD), lambda: diagnose(BAD)),
    "compare": (lambda: compare({"a": GOOD}), lambda: compare({"a": GOOD, "b": BAD})),
    "investigate": (
        lambda: investigate(predict, X, np.argmax(X, 1)),
        lambda: investigate(lambda X: over_all(X), X, np.argmax(X, 1)),
    ),
}


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_is_true_where_it_is_ok(kind):
    for make, ok in zip(REPORTS[kind], (True, False), strict=True):
        report = make()
        assert report.ok is ok, str(report)
        assert bool(report) is ok


@pytest.mark.parametrize("kind", REPORTS)
def test_its_repr_is_one_line_with_the_verdict(kind):
    for make, words in zip(REPORTS[kind], (("PASS", " ok "), ("FAIL", "PROBLEM")), strict=True):
        shown = repr(make())
        assert len(shown.splitlines()) == 1
        assert len(shown) < 400
        assert any(word in shown for word in words)
