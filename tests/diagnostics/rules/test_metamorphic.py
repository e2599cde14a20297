"""Written otherwise, a run keeps its cause: made runs of known cause, and trained ones."""

import gzip
import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diagnostics import History, Severity, diagnose
from diagnostics.rules import RULES
from diagnostics.rules.features.run import Run
from diagnostics.rules.relations import EXPLAINS, STATES
from tests.support import ROOT, known_causes
from tests.support import changed_runs as change
from tests.support.contradictions import LEADS_TO, SYMPTOMS, contradict

CORPUS = ROOT / "benchmarks" / "runs" / "histories.json.gz"
ROLES = change.ROLES


def first(report):
    """The finding to act on, None where nothing more than a remark was found."""
    return next((f for f in report.findings if f.severity is not Severity.INFO), None)


def agrees(before, after):
    """Whether the second report leads nowhere that contradicts the first, or says what it lacks."""
    one, other = first(before), first(after)
    if one is None or other is None or one.code in other.not_excluded:
        return True
    return not all(contradict(code, other.code) for code in before.codes if code in LEADS_TO)


def by_roles(curves):
    """Curves under the names of their roles, so that they can be named anew."""
    names = {column: role for role, column in History.from_dict(curves).mapping.items()}
    return {
        names[name] if names.get(name) in ROLES else name: values
        for name, values in curves.items()
        if name not in ("epoch", "step")
    }


class Runs(list):
    """Many runs, which no failing example need print."""

    def __repr__(self):
        return f"{len(self)} trained runs"


@pytest.fixture(scope="module")
def trained():
    """Every seventeenth run of the corpus that logs all four curves, by roles."""
    runs = json.loads(gzip.decompress(CORPUS.read_bytes()))
    named = [by_roles(run["curves"]) for run in runs[::17]]
    return Runs(curves for curves in named if set(ROLES) <= set(curves))


@pytest.mark.parametrize("make", known_causes.MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("epochs", [known_causes.LONG, 24, 60])
def test_the_cause_is_found_first(make, epochs):
    for seed in range(3):
        case = make(seed, epochs)
        found = first(diagnose(case.curves))
        assert (found.code in case.codes) if case.codes else found is None


@given(known_causes.cases(), st.one_of(*change.WRITTEN_OTHERWISE.values()))
@settings(deadline=None)
def test_a_made_run_written_otherwise_has_the_same_findings(case, written):
    assert diagnose(written(case.curves)).codes == diagnose(case.curves).codes


@given(known_causes.cases(), st.one_of(*change.KNOWN_OTHERWISE.values()))
@settings(deadline=None)
def test_a_made_run_known_otherwise_keeps_its_cause(case, known):
    after = diagnose(known(case.curves))

    assert agrees(diagnose(case.curves), after)
    assert case.codes or after.ok


@given(known_causes.cases(), st.sets(st.sampled_from(ROLES), min_size=1, max_size=3))
@settings(deadline=None)
def test_more_curves_never_make_a_right_diagnosis_wrong(case, hidden):
    less = diagnose(change.leave_out(*hidden)(case.curves))
    found = first(less)
    assume(found is not None and found.code in case.codes)

    assert first(diagnose(case.curves)).code in case.codes


@given(st.integers(0), st.one_of(*change.WRITTEN_OTHERWISE.values()))
@settings(deadline=None)
def test_a_trained_run_written_otherwise_has_the_same_findings(trained, which, written):
    curves = trained[which % len(trained)]

    assert diagnose(written(curves)).codes == diagnose(curves).codes


@given(st.integers(0), st.one_of(*change.KNOWN_OTHERWISE.values()))
@settings(deadline=None)
def test_a_trained_run_known_otherwise_keeps_its_cause(trained, which, known):
    curves = trained[which % len(trained)]

    assert agrees(diagnose(curves), diagnose(known(curves)))


@st.composite
def questions(draw):
    """The question's run at some length, with noise, and columns left out or added."""
    rows = draw(st.integers(8, 40))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    noise = draw(st.sampled_from([0.0, 0.002, 0.01, 0.02]))
    curves = {}
    for name, values in known_causes.QUESTION.items():
        noisy = np.array(values[:rows]) * (1 + noise * rng.normal(size=rows))
        curves[name] = list(np.minimum(noisy, 1.0) if "accuracy" in name else noisy)
    hidden = draw(st.sampled_from(
        [(), ("train_loss",), ("train_accuracy",), ("train_loss", "train_accuracy")]
    ))  # fmt: skip
    curves = change.leave_out(*hidden)(curves)
    if not hidden:
        for kind in sorted(draw(st.sets(st.sampled_from(sorted(change.WRITTEN_OTHERWISE))))):
            curves = draw(change.WRITTEN_OTHERWISE[kind])(curves)
    return curves


@given(questions())
@settings(deadline=None)
def test_the_run_of_the_question_has_a_wrong_number_however_it_is_logged(curves):
    report = diagnose(curves)

    assert report.primary.code == "evaluation_bug"
    assert "exploding_or_nan" not in report
    assert "overfitting" not in report


def test_the_tables_speak_of_findings_and_states_that_exist():
    codes = {rule.code for rule in RULES} | {"softmax_twice"}

    assert set(EXPLAINS) | set(LEADS_TO) | set(SYMPTOMS) <= codes
    assert set().union(*SYMPTOMS.values()) <= codes
    assert {state for rule in RULES for state in rule.not_while} == set(STATES)
    assert all(hasattr(Run, state) for state in STATES)


def test_contradicting_is_mutual_and_symptoms_do_not_contradict_their_cause():
    for one in LEADS_TO:
        assert not contradict(one, one)
        assert all(contradict(one, other) == contradict(other, one) for other in LEADS_TO)
    assert contradict("evaluation_bug", "exploding_or_nan")
    assert contradict("evaluation_bug", "overfitting")
    assert not contradict("exploding_or_nan", "not_learning")
    assert not contradict("evaluation_bug", "loss_accuracy_divergence")


def test_what_a_missing_curve_would_have_excluded_is_named():
    curves = {
        "loss": [2.0 * 0.8**i for i in range(20)],
        "val_loss": [2.0 * 0.8**i + 0.02 * max(i - 5, 0) ** 1.5 for i in range(20)],
    }
    finding = diagnose(curves)["overfitting"]

    assert {"label_noise", "evaluation_bug"} <= set(finding.not_excluded)
    assert "val_accuracy" in finding.not_excluded["label_noise"]
    assert "Not excluded: " in str(finding)
    assert not diagnose(known_causes.overfitting(0, 40).curves)["overfitting"].not_excluded
