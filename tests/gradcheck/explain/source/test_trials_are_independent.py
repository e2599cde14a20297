"""Trials share processes: none is to depend on which were tried there before it."""

from __future__ import annotations

import os
import time
from contextlib import suppress

import numpy as np
import pytest

import gradcheck
from gradcheck import isolated_jobs
from gradcheck.adapters import as_target
from gradcheck.checking.context import CheckContext
from gradcheck.explain.source import repair_search
from gradcheck.explain.source.candidates import calls, changeable
from gradcheck.explain.source.fault_localization import Suspicion
from gradcheck.explain.source.limits import Limits
from gradcheck.explain.source.mutation_trial import MutationTrial
from gradcheck.isolation import Lost, map_isolated
from gradcheck.state import StateSnapshot

X = np.random.default_rng(0).normal(size=(5, 4))
TABLE = np.random.default_rng(1).uniform(1.0, 2.0, size=(5, 4))


class Buffers:
    """What the backward alone reads is written to by many a change: `=` made to `+=`, say."""

    def __init__(self):
        self.scale = np.full((5, 4), 2.0)
        self.kept = [np.ones((5, 4))]

    def forward(self, x):
        self.x = x
        return 2 * TABLE * x**2

    def backward(self, grad):
        back = self.scale
        back = back * self.kept[0]
        back = back * TABLE
        back = back * grad
        return back * self.x


def seen(layer):
    return [layer.scale.tobytes(), layer.kept[0].tobytes(), TABLE.tobytes(), len(layer.kept)]


def test_every_trial_leaves_the_layer_as_it_was():
    layer = Buffers()
    context = CheckContext(as_target(layer, X))
    forward, backward = calls(context)
    around = StateSnapshot(repair_search._globals([*forward, *backward]))
    trial = MutationTrial(context, ["x"], around)
    limits = Limits(60.0, time.monotonic() + 60.0)
    functions = changeable(context, forward, backward, limits)
    possible = Suspicion(context, functions, {}).likely
    before = seen(layer)

    def spoils(mutation):
        with suppress(Exception):
            trial.corrects(mutation)
        return seen(layer) != before

    answers = list(limits.each(spoils, possible))

    assert len(answers) > 100
    assert [m.edit for m, spoilt in zip(possible, answers, strict=True) if spoilt is True] == []
    assert not any(isinstance(answer, Lost) for answer in answers)


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_the_report_does_not_depend_on_the_number_of_processes(processes, monkeypatch):
    expected = gradcheck.check(Buffers(), X).to_dict()
    monkeypatch.setattr("gradcheck.isolation.pool._cores", lambda: processes)
    monkeypatch.setattr("gradcheck.isolation.pool.ALONE", 0.0)
    monkeypatch.setattr("gradcheck.isolation.task.HERE", 0.0)

    assert gradcheck.check(Buffers(), X).to_dict() == expected


class Ends:
    """Its process ends where a change turns the condition."""

    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, grad):
        if self.x is None:
            status = 3
            os._exit(status)
        return self.x * grad


def test_what_ends_the_process_of_the_search_is_tried_in_one_of_its_own(monkeypatch):
    searched = []

    def noted(function, jobs, *rest):
        searched.append(jobs[0].kind)
        return map_isolated(function, jobs, *rest)

    monkeypatch.setattr(isolated_jobs, "map_isolated", noted)
    report = gradcheck.check(Ends(), X)

    assert searched == ["repair", "repair", "explain"]
    assert "`return self.x * grad` -> `return self.x * grad * 2`" in report.explanations[0].fix
