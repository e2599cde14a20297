"""Answers from other processes: in order, in time, whatever the code does to its process."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
import types

import numpy as np
import pytest

import gradcheck
from gradcheck.isolation import (
    ENDED,
    Budget,
    Interpreter,
    Lost,
    is_worker,
    map_isolated,
    may_fork_for,
    share_nothing,
)
from gradcheck.isolation.confine import MEMORIES
from gradcheck.isolation.task import HERE


def square(value):
    return value * value


def test_answers_come_in_order():
    assert list(map_isolated(square, range(50), seconds=30)) == [n * n for n in range(50)]


def test_what_never_ends_is_stopped_and_the_others_are_answered():
    def answer(value):
        while value == 1:
            pass
        return value

    found = list(map_isolated(answer, range(4), seconds=0.5))

    assert [found[0], *found[2:]] == [0, 2, 3]
    assert found[1] == Lost("stopped after 0.5 s")


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda: os._exit(3), "it ended its process"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "it ended its process"),
        (lambda: sys.exit(3), "SystemExit: 3"),
        (lambda: square("a"), "TypeError"),
        (lambda: np.zeros(1 << 44), "MemoryError"),
        (lambda: lambda: None, "Error"),
    ],
)
def test_what_ends_or_breaks_a_process_is_lost_alone(end, reason):
    found = list(map_isolated(lambda n: end() if n == 2 else n, range(4), seconds=30))

    assert [found[n] for n in (0, 1, 3)] == [0, 1, 3]
    assert reason in found[2].reason


def test_memory_taken_step_by_step_is_bounded():
    def take(_):
        return len([bytearray(1 << 26) for _ in range(1 << 12)])

    (answer,) = map_isolated(take, [None], seconds=60)

    assert isinstance(answer, Lost)
    assert MEMORIES > 0


def test_nothing_is_begun_when_the_time_is_over():
    found = list(map_isolated(square, range(3), seconds=30, until=time.monotonic() - 1))

    assert found == [Lost("not tried for want of time")] * 3


def test_what_is_changed_stays_in_the_process():
    state = {"n": 0}

    def change(_):
        state["n"] += 1
        return state["n"], is_worker()

    assert next(map_isolated(change, [None], seconds=30)) == (1, True)
    assert state == {"n": 0}
    assert not is_worker()


def test_processes_end_with_the_generator():
    answers = map_isolated(lambda _: os.getpid(), range(100), seconds=30)
    process = next(answers)
    answers.close()

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_processes_may_be_made_by_processes():
    def inner(value):
        return sum(map_isolated(square, range(value), seconds=30))

    assert list(map_isolated(inner, [3, 4], seconds=30)) == [5, 14]


def own(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return os.getpid()


def test_a_worker_answers_itself_until_that_takes_longer_than_to_fork():
    def inner(seconds):
        return [process == os.getpid() for process in map_isolated(own, seconds, seconds=30)]

    found = list(map_isolated(inner, [[0.0] * 3, [HERE, 0.0, 0.0]], seconds=30))

    assert found == [[True] * 3, [True, False, False]]


def never(_):
    while True:
        with contextlib.suppress(Exception):
            time.sleep(1e-3)


def test_a_worker_ends_with_what_takes_longer_than_it_may():
    def inner(_):
        return list(map_isolated(never, [None], seconds=0.2))

    assert list(map_isolated(inner, [None], seconds=60)) == [Lost(ENDED)]


def test_a_worker_that_shares_nothing_forks_for_all():
    def inner(_):
        share_nothing()
        (lost,) = map_isolated(never, [None], seconds=0.2)
        return lost.reason, next(map_isolated(own, [0.0], seconds=30)) == os.getpid()

    assert list(map_isolated(inner, [None], seconds=60)) == [("stopped after 0.2 s", False)]


def test_a_worker_still_ends_in_time_after_it_has_answered_itself():
    def inner(_):
        before = signal.getitimer(signal.ITIMER_REAL)[0]
        list(map_isolated(own, [0.0], seconds=0.2))
        return 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= before

    assert list(map_isolated(inner, [None], seconds=30)) == [True]


def test_a_new_interpreter_answers_one_call_after_another():
    with Interpreter() as there:
        answers = [there.call(math.hypot, (3.0, 4.0), 60), there.call(os.getpid, (), 60)]

        assert answers == [5.0, there.call(os.getpid, (), 60)]
        assert answers[1] != os.getpid()


def test_a_new_interpreter_is_stopped_in_time_and_another_one_goes_on():
    with Interpreter() as there:
        assert there.call(time.sleep, (60,), 2) == Lost("not tried for want of time")
        assert there.call(math.hypot, (3.0, 4.0), 60) == 5.0


def test_a_new_interpreter_says_what_broke():
    with Interpreter() as there:
        assert there.call(math.sqrt, (-1.0,), 60) == Lost("ValueError: math domain error")
        assert there.call(os._exit, (0,), 60) == Lost("its process gave no answer (EOFError)")


def test_what_calls_a_library_with_threads_of_its_own_is_not_forked(monkeypatch):
    library = types.ModuleType("jax.of_a_test")
    exec("def call(): return 1", vars(library))
    for name in ("jax", "jaxlib", "tensorflow"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert may_fork_for(library.call)

    monkeypatch.setitem(sys.modules, "jax", library)

    assert may_fork_for(lambda: square(2))
    assert not may_fork_for(lambda: library.call())


def test_a_budget_counts_what_is_spent_of_it():
    budget = Budget(10.0)
    with budget.spending():
        time.sleep(0.01)

    assert 0.01 <= budget.spent < 10
    assert budget.left == 10 - budget.spent
    assert Budget().left == math.inf


class Slow:
    """A layer that takes its time, and whose gradient fits no known bug."""

    def forward(self, x):
        time.sleep(0.02)
        self.x = x
        return x**3

    def backward(self, grad):
        return np.cos(3.1 * self.x) * np.tanh(grad)


def test_the_verdict_comes_whatever_the_budget_and_what_was_not_tried_is_said():
    report = gradcheck.check(Slow(), np.arange(1.0, 5.0), budget=0.5, contract=False)

    assert report.verdict is gradcheck.Verdict.FAIL
    assert "not tried within budget=0.5 s" in report.notes[0] or "no answer" in report.notes[0]


@pytest.mark.parametrize("budget", [-1, float("nan")])
def test_a_budget_that_is_no_time_is_refused(budget):
    with pytest.raises(ValueError, match="budget="):
        gradcheck.check(Slow(), np.ones(3), budget=budget)
