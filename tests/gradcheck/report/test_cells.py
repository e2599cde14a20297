"""Lines of notebooks are told by their cells."""

from __future__ import annotations

import linecache
import types

import numpy as np
import pytest

import gradcheck
import gradcheck.report.cells

CELL = """
class Squared:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, grad):
        return 3 * self.x * grad


class Odd:
    def forward(self, x):
        self.x = x
        return np.arctan(x) ** 3 * np.cosh(x)

    def backward(self, grad):
        return grad * (np.sinh(self.x / 3) + 7 * np.sin(self.x) ** 5)
"""
X = np.random.default_rng(0).normal(size=(4, 3))


@pytest.fixture
def cell(monkeypatch):
    """What the third cell of a notebook defines, run as IPython runs it."""
    file = "/tmp/ipykernel_71/2718281.py"
    lines = CELL.splitlines(keepends=True)
    monkeypatch.setitem(linecache.cache, file, (len(CELL), None, lines, file))
    shell = types.SimpleNamespace(compile=types.SimpleNamespace(_filename_map={file: 3}))
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(gradcheck.report.cells.sys.modules, "IPython", ipython)
    names = {"__name__": "__main__", "np": np}
    exec(compile(CELL, file, "exec"), names)
    return types.SimpleNamespace(**names)


def test_a_change_is_told_by_cell_and_line(cell):
    report = gradcheck.check(cell.Squared(), X)

    (edit,) = report.explanations[0].edits
    assert (edit.file, edit.line) == ("cell [3]", 8)
    assert "cell [3], line 8: `return 3 * self.x * grad`" in " ".join(str(report).split())
    assert "2718281" not in report.text(details=True)


def test_a_place_is_told_by_cell_and_line(cell):
    report = gradcheck.check(cell.Odd(), X)

    assert report.explanations[0].places == ("cell [3], line 17",)
    assert "2718281" not in report.text(details=True)
