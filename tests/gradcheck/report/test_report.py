"""Report: verdicts of verdicts, files, JSON."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from gradcheck import Verdict
from gradcheck.report.report import Report
from tests.support import reports as r


def test_verdict_is_the_worst_of_the_tensors():
    assert r.passing().verdict is Verdict.PASS
    assert r.undecided().verdict is Verdict.UNDECIDED
    assert r.failing().verdict is Verdict.FAIL


def test_only_passing_reports_are_ok():
    assert {name for name, report in r.every().items() if report.ok} == {"passing"}


def test_broken_promise_fails_only_where_it_is_required():
    fact = replace(r.breach().contract["input_not_mutated"], required=False)
    report = replace(r.breach(), contract={"input_not_mutated": fact})

    assert r.breach().verdict is Verdict.FAIL
    assert report.verdict is Verdict.PASS


def test_required_promise_that_could_not_be_measured_leaves_it_undecided():
    report = replace(r.passing(), contract={"shapes": r.promise("shapes", None)})

    assert report.verdict is Verdict.UNDECIDED
    assert not report.ok


def test_wrong_part_fails_the_network():
    parts = {"0": r.passing(), "1": r.failing()}

    assert replace(r.passing(), parts=parts).verdict is Verdict.FAIL


def test_part_without_gradients_does_not_spoil_a_network():
    parts = {"flatten": r.empty(), "dense": r.passing()}

    assert Report("Net", {}, {}, (), parts=parts).ok


def test_report_on_nothing_is_no_pass():
    assert r.empty().verdict is Verdict.UNDECIDED
    assert not Report("Net", {}, {}, (), parts={"flatten": r.empty()}).ok


def test_facts_alone_are_no_pass():
    fact = r.promise("batch_independent", True, False)

    assert not Report("Layer", {}, {"batch_independent": fact}, ()).ok


def test_forwards_count_tensors_and_parts():
    report = replace(r.passing(), parts={"0": r.passing()})

    assert report.forwards == 2 * r.passing().forwards == 32


@pytest.mark.parametrize("name", r.every())
def test_json_is_strict_and_says_what_the_report_says(name):
    report = r.every()[name]

    content = json.loads(report.to_json(), parse_constant=pytest.fail)

    assert content == report.to_dict()
    assert content["schema_version"] == 3
    assert content["verdict"] == report.verdict
    assert content["ok"] is report.ok
    assert content["tensors"].keys() == report.tensors.keys()
    assert content["parts"].keys() == report.parts.keys()


def test_json_holds_explanations_entries_and_gradients():
    content = r.failing().to_dict()

    assert content["explanations"][0]["code"] == "summed_to_scalar"
    assert content["tensors"]["b"]["worst"][0]["index"] == [1]
    assert content["tensors"]["b"]["numerical"] == r.BIAS.tolist()
    assert content["contract"]["batch_independent"]["status"] == "noted"


def test_json_leaves_out_large_gradients_but_not_their_worst_entries():
    tensor = r.every()["large"].to_dict()["tensors"]["W"]

    assert tensor["analytic"] is None
    assert tensor["numerical"] is None
    assert len(tensor["worst"]) == 8


@pytest.mark.parametrize(
    ("ending", "start"),
    [
        (".html", b"<!DOCTYPE html>"),
        (".json", b"{"),
        (".png", b"\x89PNG"),
        (".svg", b"<?xml"),
        (".txt", b"FAIL"),
        (".TXT", b"FAIL"),
    ],
)
def test_ending_of_the_path_names_the_format(tmp_path, ending, start):
    written = r.failing().save(tmp_path / f"report{ending}")

    assert written.read_bytes().startswith(start)


def test_unknown_ending_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"'\.pdf'; use one of \.html, \.json"):
        r.failing().save(tmp_path / "report.pdf")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".html", ".svg"])
def test_same_report_gives_the_same_file(tmp_path, ending):
    first, second = (r.failing().save(tmp_path / f"{n}{ending}") for n in "ab")

    assert first.read_bytes() == second.read_bytes()


def test_importing_the_report_loads_no_renderer():
    code = "import gradcheck.report.report, sys; print(*sys.modules)"

    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()

    assert "gradcheck.report.report" in loaded
    assert not {"matplotlib", "rich", "jinja2", "gradcheck.report.text"} & set(loaded)
