"""The search for the parts that change an answer: none is missed, none is accused."""

import math
import random
import time
from functools import partial

import pytest

pytest.importorskip("sklearn")

from benchmarks.ablation.corpora import Answer, Case
from benchmarks.ablation.items import Item, move
from benchmarks.ablation.trial import KILLED, answers
from benchmarks.sensitivity import Known, Search

READER = ("file.py", 1, "reads")
CHANGED = set()


def items(count):
    return [
        Item("rule", f"item {i}", frozenset({READER}), partial(CHANGED.add, i))
        for i in range(count)
    ]


def search(answer, count=20):
    found = Search(items(count), until=1, rng=random.Random(0))
    case = Known("runs", Case("a case", answer), Answer("PASS"), 0.0, frozenset({READER}))
    found.of([case], time.monotonic() + 60)
    return {name: row for name, row in found.rows.items() if row.shown}


@pytest.mark.parametrize("matter", [set(), {3}, {0, 7, 19}])
def test_just_the_items_that_change_the_answer_are_found(matter):
    found = search(lambda: Answer("FAIL" if CHANGED & matter else "PASS"))

    assert set(found) == {f"item {i}" for i in matter}
    assert all(row.changed["verdict"] for row in found.values())


def test_of_two_items_that_can_stand_in_for_each_other_one_is_needed():
    found = search(lambda: Answer("FAIL" if {4, 11} <= CHANGED else "PASS"))

    assert len(found) == 1
    assert found.keys() <= {"item 4", "item 11"}
    assert all(row.changed["together"] for row in found.values())


def test_an_endless_answer_is_killed(monkeypatch):
    monkeypatch.setattr("benchmarks.ablation.trial.SPARE", 0.1)

    def endless():
        while True:
            math.sqrt(2.0)

    cases = [Case("endless", endless), Case("after", lambda: Answer("PASS"))]
    found = [answer for answer, _, _ in answers((), cases, 0.0)]

    assert found == [KILLED, KILLED]
    assert not CHANGED  # the changes were made elsewhere


def test_numbers_are_moved_and_nothing_else():
    assert move(10, 1.2) == 12
    assert move(3, 1 / 1.2) == 2
    assert move((1.0, 2), 2.0) == (2.0, 4)
    assert move({"a": 5.0}, 0.5) == {"a": 2.5}
    assert move(True, 1.2) is None
    assert move("text", 1.2) is None
