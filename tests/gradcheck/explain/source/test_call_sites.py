"""Whose code a call runs: the user's, and none that wraps it."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest

from gradcheck import check
from gradcheck.explain.source.call_sites import calls_of
from gradcheck_arguments import Positive, checked


def names(action):
    return [call.code.co_name for call in calls_of(action)]


class Scaling:
    @checked
    def forward(self, x, factor: Positive = 2.0):
        return x * factor


def test_what_checks_arguments_around_the_users_code_is_not_looked_at():
    scaling = Scaling()
    scaling.forward(np.ones(3))  # which reads the annotations

    assert names(lambda: scaling.forward(np.ones(3), 3.0)) == ["<lambda>", "forward"]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Two installed packages, of which one calls the other."""
    folder = tmp_path / "site-packages"
    for name, source in (
        ("helping_package", "def twice(x):\n    return 2 * x\n"),
        ("asked_package", "from helping_package import twice\n\n\ndef own(x):\n    return x\n\n\n"
         "def forward(x):\n    return twice(own(x))\n"),
    ):  # fmt: skip
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    yield importlib.import_module("asked_package")
    for name in ("asked_package", "helping_package"):
        sys.modules.pop(name, None)


def test_what_the_package_that_is_checked_uses_is_told_apart(installed):
    checking = {"__name__": "gradcheck.checking", "forward": installed.forward}
    exec("def run(): forward(1.0)", checking)

    calls = {call.code.co_name: call.is_installed for call in calls_of(checking["run"])}

    assert calls == {"forward": False, "own": False, "twice": True}


def test_a_mistake_in_an_installed_package_that_the_code_given_uses_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    folder.mkdir()
    source = "def square(x):\n    return x * x\n\n\ndef slope(x, grad):\n    return 3 * x * grad\n"
    (folder / "helping_slopes.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    helping = importlib.import_module("helping_slopes")

    report = check(
        (lambda x: helping.square(x), lambda x, grad: helping.slope(x, grad)), np.array([0.4, -1.3])
    )

    (edit,) = report.explanations[0].edits
    assert (edit.place, edit.after) == ("helping_slopes.py:6", "return 2 * x * grad")
