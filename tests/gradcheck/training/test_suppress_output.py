"""What a training prints and logs is not shown; what other threads do meanwhile is not lost."""

import itertools
import logging
import sys
import threading

import numpy as np
import pytest

import gradcheck
from gradcheck.training.suppress_output import suppress_output

LOG = logging.getLogger("tests.training")
LINES = 50


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records]


def show(text):
    sys.stdout.write(f"{text}\n")  # in one piece, as lines of several threads are to be told apart
    LOG.info(text)


class Talking:
    """A network that talks about its training."""

    def __init__(self, meanwhile=None):
        self.W = np.full((3, 2), 0.1)
        self.meanwhile = meanwhile or itertools.repeat(None)

    def predict(self, x):
        return x @ self.W

    def loss(self, x, y):
        return float(np.mean((self.predict(x) - y) ** 2))

    def train(self, x, y):
        show("training")
        next(self.meanwhile)
        self.W = self.W - 0.1 * 2 * x.T @ (self.predict(x) - y) / y.size


X = np.random.default_rng(0).normal(size=(4, 3))
Y = np.random.default_rng(1).normal(size=(4, 2))


def test_nothing_is_shown_of_a_training(capsys, logged):
    gradcheck.check(Talking(), X, Y)

    assert capsys.readouterr().out == ""
    assert logged() == []


def test_what_other_threads_show_meanwhile_is_not_lost(capsys, logged):
    training, spoken, over = threading.Barrier(3), threading.Barrier(3), threading.Event()
    before, lines = sys.stdout, itertools.count()

    def once():
        """Let the first step of a training wait until a thread has spoken; never turned back."""
        training.wait(60)
        spoken.wait(60)
        yield from itertools.repeat(None)

    def check():
        gradcheck.check(Talking(once()), X, Y)

    def speak_during_a_step():
        training.wait(60)
        for line in range(LINES):
            show(f"speaker {line}")
        spoken.wait(60)

    def speak_all_the_time():
        while not over.wait(0.001):
            show(f"chatter {next(lines)}")

    targets = (check, check, speak_during_a_step, speak_all_the_time)
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads[:3]:
        thread.join()
    over.set()
    threads[3].join()

    expected = [f"speaker {line}" for line in range(LINES)]
    expected += [f"chatter {line}" for line in range(next(lines))]
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(expected)
    assert sorted(logged()) == sorted(expected)
    assert sys.stdout is before


def test_threads_that_leave_in_another_order_leave_everything_as_it_was(capsys, logged):
    before = sys.stdout, logging.Logger.handle
    first, second = suppress_output(), suppress_output()

    def other():
        with first:
            inside.set()
            leave.wait(60)

    inside, leave = threading.Event(), threading.Event()
    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(60)
    with second:
        leave.set()
        thread.join()
        show("not heard")
    show("heard")

    assert capsys.readouterr().out == "heard\n"
    assert logged() == ["heard"]
    assert (sys.stdout, logging.Logger.handle) == before
