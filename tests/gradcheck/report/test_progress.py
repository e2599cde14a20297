from __future__ import annotations

import time

import numpy as np
import pytest

import gradcheck
from gradcheck.report import progress


class Slow:
    def forward(self, x):
        time.sleep(0.01)
        return x**2

    def backward(self, g):
        return g


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)


def test_bar_shows_what_is_being_done(impatient, capsys):
    with progress.Progress(wanted=True) as bar:
        bar.expect(2)
        bar.begin("judge W")
        deadline = time.monotonic() + 30
        while bar._bar is None and time.monotonic() < deadline:
            time.sleep(0.01)
        bar.finish()
        time.sleep(0.3)
    assert "judge W" in capsys.readouterr().err


def test_nothing_is_shown_where_nobody_watches(impatient, capsys):
    gradcheck.check(Slow(), np.ones(3))
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""


def test_quick_work_shows_no_bar(capsys):
    gradcheck.check((np.sin, np.cos), np.ones(3), progress=True)
    assert capsys.readouterr().err == ""
