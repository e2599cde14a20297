"""A check that will take long says how long, once, before the work; no other says anything."""

import itertools
import re
from types import SimpleNamespace

import numpy as np
import pytest

import gradcheck
from gradcheck import estimate
from tests.support.user_layers import Dense, ReLU

X = np.random.default_rng(0).normal(size=(4, 3))


class Clock:
    """Time that goes on where a forward says so."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(estimate, "time", SimpleNamespace(perf_counter=lambda: self.now))


@pytest.fixture
def time(monkeypatch):
    return Clock(monkeypatch)


def slowed(layer, time, seconds):
    """Return the layer with a forward that takes so long, and the number of its forwards."""
    forward, count = layer.forward, itertools.count()  # which nothing can turn back

    def slow(x):
        time.now += seconds
        next(count)
        return forward(x)

    layer.forward = slow
    return layer, count


def announced(captured):
    return re.findall(r"^gradcheck: (\S+).*: about (\d+) (s|min|h) to go", captured.err, re.M)


@pytest.mark.parametrize("mode", ["auto", "element"])
def test_what_takes_long_is_announced_once_and_comes_true(time, capsys, mode):
    layer, count = slowed(Dense(3, 2), time, 1.0)

    assert gradcheck.check(layer, X, mode=mode).ok

    ((name, number, unit),) = announced(capsys.readouterr())
    assert name.startswith("Dense")
    seconds = int(number) * {"s": 1, "min": 60}[unit]
    forwards = next(count)
    assert forwards / 3 < seconds < 3 * forwards


def test_what_is_quick_is_not_announced_and_runs_no_forward_for_it(time, capsys):
    layer, count = slowed(Dense(3, 2), time, 1e-4)
    gradcheck.check(layer, X)
    quick = next(count)
    layer, count = slowed(Dense(3, 2), time, 1.0)
    gradcheck.check(layer, X)

    assert "to go" in capsys.readouterr().err
    assert quick == next(count) - 1


def test_a_first_forward_that_is_slow_by_itself_announces_nothing(time, capsys):
    layer = Dense(3, 2)
    forward, calls = layer.forward, []

    def slow_at_first(x):
        time.now += 0.0 if calls else 100.0
        calls.append(x)
        return forward(x)

    layer.forward = slow_at_first
    gradcheck.check(layer, X)

    assert capsys.readouterr().err == ""


def test_of_a_network_one_line_is_written(time, capsys):
    layers = [slowed(layer, time, 2.0)[0] for layer in (Dense(3, 2), ReLU(), Dense(2, 2))]

    gradcheck.check(layers, X)

    assert len(announced(capsys.readouterr())) == 1


def test_nothing_is_announced_where_progress_is_off(time, capsys):
    gradcheck.check(slowed(Dense(3, 2), time, 9.0)[0], X, progress=False)

    assert capsys.readouterr().err == ""


def test_the_report_is_the_same_with_the_announcement(time):
    layers = [slowed(Dense(3, 2), time, seconds)[0] for seconds in (0.0, 5.0)]

    quick, long = (str(gradcheck.check(layer, X)) for layer in layers)

    assert quick == long


@pytest.mark.parametrize(
    ("seconds", "text"), [(12, "about 12 s"), (100, "about 2 min"), (9000, "about 2 h")]
)
def test_seconds_are_in_the_unit_that_is_read(seconds, text):
    assert str(estimate.Estimate(seconds, 1.0)).startswith(text)
