"""Whose code a call runs: the user's, and none that wraps it."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest

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


def test_of_what_is_installed_the_package_that_is_checked_is_looked_at(installed):
    checking = {"__name__": "gradcheck.checking", "forward": installed.forward}
    exec("def run(): forward(1.0)", checking)

    assert names(checking["run"]) == ["forward", "own"]
