"""The shell command says how it read, what it found, and fails when asked to."""

import json
from pathlib import Path

import pytest

from diagnostics.cli import Request, run

HEADER = "epoch,loss,val_loss,accuracy\n"
BROKEN = HEADER + "\n".join(f"{e},{1 / (e + 1)},nan,0.5" for e in range(12)) + "\n"
FINE = HEADER + "\n".join(f"{e},{1 / (e + 1)},{1.1 / (e + 1)},0.5" for e in range(3)) + "\n"


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.csv"
    path.write_text(BROKEN)
    return path


@pytest.fixture
def fine(tmp_path):
    path = tmp_path / "fine.csv"
    path.write_text(FINE)
    return path


def said(paths, **options):
    """What is printed, and whether the command fails."""
    lines = []
    failed = run(paths, Request(**options), lines.append)
    return "\n".join(lines), failed


def test_the_findings_come_first_and_then_how_the_file_was_read(broken):
    broken.write_text(BROKEN + "12,oops,nan,0.5\n")

    text, _ = said([broken])

    order = [
        "PROBLEM: exploding_or_nan",
        "val_loss='val_loss'",
        "note: read as delimited text (CSV)",
        "not read: line 14, column 'loss': 'oops' is not a number",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("fail_on", "fails"), [("problem", True), ("warning", True), ("info", True), ("never", False)]
)
def test_failing_is_as_asked_for(broken, fail_on, fails):
    assert said([broken], fail_on=fail_on)[1] is fails


@pytest.mark.parametrize(("fail_on", "fails"), [("problem", False), ("info", True)])
def test_remarks_do_not_fail_unless_asked_for(fine, fail_on, fails):
    assert said([fine], fail_on=fail_on)[1] is fails


def test_muted_finding_neither_shows_nor_fails(broken):
    text, failed = said([broken], fail_on="problem", mute=("exploding_or_nan",))

    assert "PROBLEM: exploding_or_nan" not in text
    assert not failed


def test_what_was_found_and_muted_is_not_called_nothing(broken, fine, tmp_path):
    text, _ = said([broken], mute=("exploding_or_nan",), output=tmp_path / "report.html")

    assert "Found, and muted: exploding_or_nan" in text
    assert "Nothing wrong" not in text
    assert "Found, and muted: exploding_or_nan" in (tmp_path / "report.html").read_text()
    assert "muted: exploding_or_nan" in said([broken, fine], mute=("exploding_or_nan",))[0]
    assert "muted" not in said([fine], mute=("exploding_or_nan",))[0]


def test_one_bad_run_among_several_fails(broken, fine, tmp_path):
    for paths in ([fine, broken], [tmp_path]):
        text, failed = said(paths, fail_on="problem")
        assert failed
        assert text.startswith("run ")


@pytest.mark.parametrize("ending", ["html", "png", "svg", "json", "txt"])
def test_report_is_written_as_its_ending_says(broken, tmp_path, ending):
    text, _ = said([broken], output=tmp_path / f"report.{ending}")

    assert f"written to {tmp_path / 'report'}.{ending}" in text
    assert (tmp_path / f"report.{ending}").stat().st_size > 100


def test_written_json_holds_what_was_said(broken, tmp_path):
    said([broken], output=tmp_path / "report.json")

    content = json.loads((tmp_path / "report.json").read_text())
    assert content["primary"] == "exploding_or_nan"
    assert content["history"]["mapping"]["train_accuracy"] == "accuracy"


def test_slips_of_the_pen_are_refused_before_any_work(tmp_path):
    with pytest.raises(ValueError, match="--fail-on problems"):
        Request(fail_on="problems")
    with pytest.raises(ValueError, match=r"--output x\.doc"):
        Request(output=Path("x.doc"))
    with pytest.raises(ValueError, match="follows one file"):
        run([tmp_path, tmp_path], Request(), print, watch=1.0)
