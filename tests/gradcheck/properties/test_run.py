"""Running suites: reports, reproducibility, counterexamples that can be pasted, pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck.properties import (
    SUITES,
    PropertyViolationError,
    Status,
    Suite,
    assert_property,
    for_all,
    parametrize_with_properties,
    run_properties,
    suite,
)
from gradcheck.properties.assertions import require
from gradcheck.properties.function_under_test import FunctionUnderTest
from tests.support import ROOT

NAMES = ["rows_sum_to_one", "order_kept"]


def over_everything(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def test_counterexample_shrinks_to_two_zeros():
    report = run_properties("softmax", over_everything, only=["rows_sum_to_one"])

    assert "x = np.array([[0.0], [0.0]])" in report["rows_sum_to_one"].counterexample


def test_pasted_counterexample_shows_the_failure():
    result = run_properties("softmax", over_everything, only=["rows_sum_to_one"]).results[0]
    code = "\n".join(
        line for line in result.counterexample.splitlines() if not line.startswith("from tests")
    )

    with pytest.raises(PropertyViolationError, match="a row does not sum to 1"):
        exec(code, {"over_everything": over_everything})


def test_failure_says_what_where_how_much_and_why():
    message = (
        run_properties("softmax", over_everything, only=["rows_sum_to_one"]).results[0].message
    )

    for part in ("property", "where", "got", "expected", "allowed", "cause", "example"):
        assert f"\n  {part}" in message


def test_same_seed_same_report():
    first, second = (
        run_properties("softmax", over_everything, only=NAMES, examples=20, seed=3).to_json()
        for _ in range(2)
    )

    assert first == second


def test_expected_failure_is_not_held_against_the_report():
    report = run_properties(
        "softmax",
        over_everything,
        only=NAMES,
        expected_failures={"rows_sum_to_one": "one row at a time is passed"},
    )

    assert report.ok
    assert report["rows_sum_to_one"].status is Status.EXPECTED
    assert report["rows_sum_to_one"].message == "one row at a time is passed"


def test_expected_failure_that_passes_is_reported():
    report = run_properties(
        "softmax", over_everything, only=NAMES, expected_failures={"order_kept": "outdated"}
    )

    assert report["order_kept"].status is Status.UNEXPECTEDLY_PASSED
    assert not report.ok


def test_report_without_a_passed_property_is_not_ok():
    report = run_properties("softmax", over_everything, only=["every_axis_offered_works"])

    assert not report.ok
    with pytest.raises(AssertionError, match="1 skipped"):
        report.raise_if_failed()


def test_skipped_by_request_says_so():
    report = run_properties("softmax", over_everything, only=NAMES, skip=["order_kept"])

    assert report["order_kept"].status is Status.SKIPPED


def test_json_is_plain_and_complete():
    data = json.loads(run_properties("softmax", over_everything, only=NAMES).to_json())

    assert data["schema_version"] == 1
    assert [result["name"] for result in data["results"]] == NAMES
    assert data["results"][0]["status"] == "failed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"suite": "sofmax"}, "did you mean 'softmax'"),
        ({"suite": "softmax", "only": ["row_sum_to_one"]}, "did you mean 'rows_sum_to_one'"),
        ({"suite": "softmax", "skip": ["order_keep"]}, "did you mean 'order_kept'"),
        ({"suite": "softmax", "expected_failures": {"ordr_kept": "?"}}, "'order_kept'"),
    ],
)
def test_unknown_name_lists_near_matches(arguments, message):
    with pytest.raises(ValueError, match=message):
        run_properties(fn=over_everything, **arguments)


def test_unknown_option_lists_near_matches():
    with pytest.raises(TypeError, match="did you mean 'axis'"):
        run_properties("softmax", over_everything, axes=0)


def test_no_examples_are_refused():
    with pytest.raises(ValueError, match="examples=0: expected an integer of at least 1"):
        run_properties("softmax", over_everything, examples=0)


def test_function_that_changes_its_mind_is_called_not_deterministic():
    rng = np.random.default_rng(0)

    def noisy(x):
        return scipy.special.softmax(x, axis=-1) * (1 + (rng.random() < 0.2))

    report = run_properties("softmax", noisy, only=["rows_sum_to_one"])

    assert report["rows_sum_to_one"].status is Status.FAILED


def test_working_directory_stays_clean(tmp_path):
    code = (
        "from scipy.special import softmax\n"
        "from gradcheck.properties import run_properties\n"
        "run_properties('softmax', softmax, only=['rows_sum_to_one'], examples=5)\n"
    )
    root = str(ROOT)
    environment = {**os.environ, "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)

    assert not list(tmp_path.iterdir())


def test_import_loads_neither_hypothesis_nor_pytest():
    code = (
        "import sys, gradcheck.properties\nassert not {'hypothesis', 'pytest'} & set(sys.modules)\n"
    )
    root = str(ROOT)
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root}, check=True)


@settings(max_examples=10, database=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=4))
def test_single_judgement_may_stand_inside_a_given(row):
    assert_property("softmax", "rows_sum_to_one", scipy.special.softmax, x=np.array([row]))


def test_property_that_needs_more_than_was_given_cannot_be_judged():
    with pytest.raises(ValueError, match="no backward was given"):
        assert_property(
            "softmax",
            "backward_is_derivative",
            over_everything,
            x=np.ones((1, 2)),
            g=np.ones((1, 2)),
        )


def log_softmax_backward(x, g):
    return g - scipy.special.softmax(x, axis=-1) * g.sum(axis=-1, keepdims=True)


@parametrize_with_properties(
    "log_softmax",
    scipy.special.log_softmax,
    examples=5,
    softmax=scipy.special.softmax,
    backward=log_softmax_backward,
)
def test_one_test_per_property(check):
    check()


def test_parametrized_tests_are_named_after_properties_and_xfail_strictly():
    reason = "one row at a time is passed"

    mark = parametrize_with_properties(
        "softmax", over_everything, expected_failures={"rows_sum_to_one": reason}
    ).mark
    argument, params = mark.args

    assert argument == "check"
    assert [param.id for param in params] == suite("softmax").names
    (xfail,) = next(param for param in params if param.id == "rows_sum_to_one").marks
    assert (xfail.name, xfail.kwargs) == ("xfail", {"reason": reason, "strict": True})


def test_parametrized_check_carries_the_story():
    _, params = parametrize_with_properties("softmax", over_everything).mark.args
    (check,) = next(param for param in params if param.id == "rows_sum_to_one").values

    with pytest.raises(AssertionError, match="over the whole array"):
        check()


def test_own_suite_is_run_like_any_other():
    @for_all(pins=[{"x": 1.0}, {"x": -1.0}], why="Squares are.")
    def not_negative(subject, x):
        """The result is not negative."""
        require(subject.fn(x) >= 0, "negative", got=subject.fn(x))

    mine = Suite("mine", FunctionUnderTest, [not_negative])
    assert run_properties(mine, lambda x: x * x).ok
    report = run_properties(mine, lambda x: x)
    assert report["not_negative"].status is Status.FAILED
    assert "x = -1.0" in report["not_negative"].counterexample


@pytest.mark.parametrize("name", SUITES)
def test_every_property_is_described_and_justified(name):
    for prop in suite(name).properties:
        assert prop.description.endswith(".")
        assert prop.why
        assert prop.inputs is not None or prop.pins
    assert len(set(suite(name).names)) == len(suite(name).names)


def test_parametrized_tests_can_be_chosen_and_left_out():
    def names(**choice):
        mark = parametrize_with_properties("softmax", scipy.special.softmax, **choice)
        return [parameter.id for parameter in mark.args[1]]

    every = names()
    assert names(only=["rows_sum_to_one"]) == ["rows_sum_to_one"]
    assert names(skip=["rows_sum_to_one"]) == [n for n in every if n != "rows_sum_to_one"]
    with pytest.raises(ValueError, match="rows_sum_to_one"):
        names(skip=["rows_sum_to_on"])
