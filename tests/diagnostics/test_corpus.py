"""Real training runs with known faults, trained by ``benchmarks.runs``: what is said about them."""

import pytest

from diagnostics import Severity, diagnose
from tests.support import ROOT
from tests.support.judged_runs import judged_runs


@pytest.fixture(scope="module")
def judged():
    """Every run with its report."""
    return judged_runs()


def test_no_healthy_run_has_a_problem(judged):
    alarms = [
        (run["name"], report.codes)
        for run, report in judged
        if run["cause"] == "healthy" and not report.ok
    ]

    assert not alarms


def test_few_healthy_runs_have_a_warning(judged):
    healthy = [report for run, report in judged if run["cause"] == "healthy"]
    warned = [r for r in healthy if any(f.severity is Severity.WARNING for f in r.findings)]

    assert len(healthy) > 50
    assert len(warned) <= 0.05 * len(healthy)


def test_nine_of_ten_causes_are_named_first_in_every_part(judged):
    named: dict[str, list[bool]] = {}
    for run, report in judged:
        if run["codes"]:
            first = report.primary.code if report.primary else "nothing"
            named.setdefault(run["part"], []).append(first in run["codes"])

    assert len(named) == 6
    assert all(sum(hits) >= 0.9 * len(hits) for hits in named.values())


def test_a_wrong_evaluation_is_never_called_overfitting(judged):
    wrong = [report for run, report in judged if run["injected"] == "evaluation_bug"]

    assert all(report.primary.code == "evaluation_bug" for report in wrong)
    assert not any("overfitting" in report for report in wrong)


def test_silence_names_a_margin_below_its_threshold(judged):
    for _, report in judged:
        assert all(0 <= margin < 1 for margin in report.margins.values())
        assert not set(report.margins) & set(report.codes)


def test_every_fault_comes_with_a_measurement_to_paste(judged):
    for _, report in judged:
        for finding in report.findings:
            if finding.severity is not Severity.INFO:
                assert any("(" in step and ")" in step for step in finding.next_steps), finding


def test_the_page_shows_how_often_the_cause_is_named(judged):
    page = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    shown = next(line for line in page.splitlines() if line.startswith("| diagnostics |"))
    parts = list(dict.fromkeys(run["part"] for run, _ in judged))

    for part in parts:
        told = [(run, report) for run, report in judged if run["part"] == part and run["codes"]]
        right = sum(bool(r.findings) and r.primary.code in run["codes"] for run, r in told)
        assert f"| {right} / {len(told)} (" in shown, "run python -m scripts.diagnostics_page"


def test_percentages_are_judged_as_fractions_are(judged):
    for run, report in judged[::11]:
        curves = {
            name: [100 * v for v in values] if "accuracy" in name else values
            for name, values in run["curves"].items()
        }
        told = [v for name, v in curves.items() if "accuracy" in name or "loss" in name]
        if max(map(max, told), default=0) > 1.5:
            assert diagnose(curves).codes == report.codes
