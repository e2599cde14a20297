"""Reports say first what matters, keep to their format, and escape what they show."""

import json
import subprocess
import sys

import pytest

from diagnostics import DiagnosisReport, Finding, Severity, diagnose

CURVES = {"loss": [2.0, 1.0, float("nan")], "accuracy": [0.2, 0.5, 0.1]}


def test_first_lines_say_what_where_how_sure_and_what_to_do():
    head = "\n".join(str(diagnose(CURVES)).splitlines()[:5])

    assert "exploding_or_nan" in head
    assert "epoch 2" in head
    assert "100%" in head
    assert "Change:" in head


def test_json_is_strict_and_complete(flagship):
    report = diagnose(flagship[0])

    content = json.loads(report.to_json())

    assert content["primary"] == report.primary.code
    assert [finding["code"] for finding in content["findings"]] == list(report.codes)
    assert content["history"]["mapping"]["val_loss"] == "val_loss"


def test_silence_counts_the_tests_and_names_the_nearest(healthy):
    report = diagnose(healthy[0])

    assert f"{len(report.tests_run)} tests run" in report.tests_in_words
    assert "nearest" in report.tests_in_words


def test_page_is_self_contained_and_escaped(tmp_path):
    finding = Finding(
        code="<script>", severity=Severity.PROBLEM, message="<b>&", evidence={"<i>": 1}
    )
    report = DiagnosisReport((finding,), ("<script>",), {}, diagnose(CURVES).history)

    page = report.save(tmp_path / "report.html").read_text(encoding="utf-8")

    assert "<script>" not in page
    assert "<b>&" not in page
    assert "&lt;script&gt;" in page
    assert "<svg" in page
    assert "prefers-color-scheme: dark" in page
    assert 'src="http' not in page


@pytest.mark.parametrize(
    ("ending", "start"),
    [("png", b"\x89PNG"), ("svg", b"<?xml"), ("json", b"{"), ("txt", b"PROBLEM")],
)
def test_endings_choose_the_format(tmp_path, ending, start):
    path = diagnose(CURVES).save(tmp_path / f"report.{ending}")

    assert path.read_bytes().startswith(start)


def test_unknown_ending_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"use one of \.html, \.json"):
        diagnose(CURVES).save(tmp_path / "report.doc")


def test_picture_without_history_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no history to draw"):
        DiagnosisReport(()).save(tmp_path / "report.png")


def test_finding_is_had_by_its_code():
    report = diagnose(CURVES)

    assert report["exploding_or_nan"] is report.primary
    with pytest.raises(KeyError, match="no finding 'overfitting'"):
        report["overfitting"]


def test_same_report_gives_the_same_page(tmp_path):
    pages = [diagnose(CURVES).save(tmp_path / f"{i}.svg").read_bytes() for i in range(2)]

    assert pages[0] == pages[1]


def test_import_loads_neither_matplotlib_nor_jinja():
    heavy = "('matplotlib', 'jinja2', 'scipy')"
    code = f"import sys, diagnostics; print([m for m in {heavy} if m in sys.modules])"

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "[]"
