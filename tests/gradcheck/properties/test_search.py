"""Inputs are drawn once for all properties that want the same, and failures are shrunk as ever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

from gradcheck.properties import PropertyViolationError, Suite, for_all, run_properties
from gradcheck.properties.assertions import require
from gradcheck.properties.function_under_test import FunctionUnderTest
from gradcheck.properties.profile import Effort
from gradcheck.properties.search import CounterexampleSearch

NUMBERS = st.integers(0, 1000).map(lambda n: {"x": np.array([float(n)])})


def numbers(subject):
    return NUMBERS


def test_properties_with_the_same_inputs_judge_the_same_ones():
    seen = {"first": [], "second": []}

    @for_all(numbers, why="It is counted.")
    def first(subject, x):
        """Every number is looked at."""
        seen["first"].append(x.item())

    @for_all(numbers, why="It is counted again.")
    def second(subject, x):
        """Every number is looked at."""
        seen["second"].append(x.item())

    mine = Suite("mine", FunctionUnderTest, [first, second])
    report = run_properties(mine, len, examples=30, seed=1)

    assert report.ok
    assert seen["first"] == seen["second"]
    assert len(set(seen["first"])) > 20


def test_input_changed_by_one_judgement_reaches_no_other():
    search = CounterexampleSearch(Effort(20, 0))
    before, after = [], []

    def spoil(inputs):
        before.append(inputs["x"].item())
        inputs["x"][:] = -1

    search.run("numbers", NUMBERS, spoil)
    search.run("numbers", NUMBERS, lambda inputs: after.append(inputs["x"].item()))

    assert before == after


def test_failure_is_shrunk_as_if_the_property_ran_alone():
    def below(limit):
        def judge(inputs):
            failing.append(inputs["x"].item())
            require(inputs["x"].item() < limit, "too large")
            failing.pop()

        return judge

    search = CounterexampleSearch(Effort(100, 0))
    for limit in (700, 137, 700):
        failing = []
        with pytest.raises(PropertyViolationError, match="too large"):
            search.run("numbers", NUMBERS, below(limit))
        assert failing[-1] == limit


def test_failure_that_does_not_come_back_is_called_not_deterministic():
    calls = []

    def once(inputs):
        calls.append(inputs)
        require(len(calls) != 5, "the fifth call")

    with pytest.raises(PropertyViolationError, match="held at the same input when tried again"):
        CounterexampleSearch(Effort(20, 0)).run("numbers", NUMBERS, once)
