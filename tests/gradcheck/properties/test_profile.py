"""How hard a suite tries, who decides it, and that a failure comes back from what is printed."""

from __future__ import annotations

import os
import subprocess
import sys

import hypothesis
import pytest

from gradcheck.properties import parametrize_with_properties, run_properties
from gradcheck.properties.profile import PROFILES, choose_effort
from tests.support import ROOT

MODULE = """
import numpy as np


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


class Layer:
    def forward(self, x):
        return softmax(x)

    def backward(self, g):
        return g


layer = Layer()
"""


@pytest.fixture(autouse=True)
def _no_profile_set(monkeypatch):
    for variable in ("GRADCHECK_PROFILE", "HYPOTHESIS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def loaded():
    """Load Hypothesis profiles, and the one of these tests afterwards."""
    before = hypothesis.settings.default
    hypothesis.settings.register_profile("before", before)
    yield hypothesis.settings.load_profile
    hypothesis.settings.load_profile("before")


@pytest.mark.parametrize("name", PROFILES)
def test_profile_decides_the_number_of_examples(name):
    assert choose_effort(name).examples == PROFILES[name].examples


def test_ci_draws_the_same_every_time_and_the_others_do_not():
    assert choose_effort("ci").seed == choose_effort("ci").seed
    for name in ("dev", "thorough"):
        assert len({choose_effort(name).seed for _ in range(5)}) > 1


def test_examples_and_seed_go_before_the_profile():
    effort = choose_effort("thorough", examples=7, seed=3)

    assert (effort.examples, effort.seed) == (7, 3)


def test_environment_names_the_profile(monkeypatch, loaded):
    loaded("default")
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "dev")
    assert choose_effort().examples == 25
    monkeypatch.setenv("GRADCHECK_PROFILE", "thorough")
    assert choose_effort().examples == 1000
    assert choose_effort("dev").examples == 25


def test_profile_that_hypothesis_has_loaded_is_followed(monkeypatch, loaded):
    hypothesis.settings.register_profile("mine", max_examples=17, derandomize=True)

    loaded("mine")

    assert (choose_effort().examples, choose_effort().seed) == (17, 0)
    loaded("default")
    assert choose_effort().examples == 100


def test_seed_that_hypothesis_was_given_is_followed(monkeypatch):
    monkeypatch.setattr("hypothesis.core.global_force_seed", 1234)

    assert choose_effort("dev").seed == 1234
    assert choose_effort("dev", seed=5).seed == 5


def test_foreign_name_in_hypothesis_variable_is_its_owners_business(monkeypatch, loaded):
    loaded("default")
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "nightly")

    assert choose_effort().examples == 100


def test_unknown_profile_is_refused(monkeypatch):
    with pytest.raises(ValueError, match="profile must be one of"):
        run_properties("softmax", len, profile="fast")
    monkeypatch.setenv("GRADCHECK_PROFILE", "fast")
    with pytest.raises(ValueError, match="GRADCHECK_PROFILE must be one of"):
        choose_effort()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in the folder of a user's module."""
    (tmp_path / "mymodule.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("mymodule", None)


def python(code, folder):
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("attribute", ["softmax", "layer"])
def test_printed_counterexample_fails_again_in_a_fresh_process(folder, attribute):
    import mymodule

    names = [
        "rows_sum_to_one",
        "each_row_as_if_alone",
        "shift_invariant",
        "huge_logits_stay_finite",
    ]
    report = run_properties("softmax", getattr(mymodule, attribute), profile="dev", only=names)
    failed = [result for result in report.results if result.counterexample]

    assert failed
    for result in failed[:2]:
        shown = python(result.counterexample, folder)
        assert shown.returncode == 1
        assert result.message.splitlines()[0] in shown.stderr


def test_printed_call_finds_the_same_again_in_a_fresh_process(folder):
    import mymodule

    only = ["rows_sum_to_one", "changing_a_row_moves_no_other"]
    report = run_properties("softmax", mymodule.softmax, profile="dev", only=only)
    last = str(report).splitlines()[-1]

    assert last == f"rerun: {report.rerun}"
    code = (
        "from gradcheck.properties import run_properties\nfrom mymodule import softmax\n"
        f"print({report.rerun})"
    )
    shown = python(code, folder).stdout
    first, second = report.results
    assert f"{first.name}: {first.message}\n" in shown
    assert second.name in shown.partition("  same for  ")[2].partition("\n")[0]
    assert second.headline in shown


def test_failing_test_names_the_call_that_repeats_it(folder):
    import mymodule

    _, params = parametrize_with_properties(
        "softmax", mymodule.softmax, profile="dev", only=["rows_sum_to_one"]
    ).mark.args
    (check,) = params[0].values

    with pytest.raises(AssertionError, match=r"rerun     run_properties\(.*seed=") as caught:
        check()
    again = str(caught.value).rpartition("rerun     ")[2]
    report = eval(again, {"run_properties": run_properties, "softmax": mymodule.softmax})
    assert report["rows_sum_to_one"].counterexample in str(caught.value).replace("\n    ", "\n")
