"""Several runs give a table, a report each, and one page."""

import json

import pytest

from diagnostics import compare

RUNS = {
    "good": {"loss": [2.0, 1.0, 0.5], "val_loss": [2.0, 1.2, 0.75]},
    "<b>bad": {"loss": [2.0, 1.0, float("nan")], "accuracy": [0.1, 0.5, 0.1]},
}


def test_table_names_each_run_its_best_and_its_first_finding():
    lines = str(compare(RUNS)).splitlines()

    assert lines[0].split()[:2] == ["run", "rows"]
    assert "0.75 at 2" in lines[1]
    assert "too_few_epochs" in lines[1]
    assert "exploding_or_nan" in lines[2]


def test_files_that_cannot_be_judged_are_told(tmp_path):
    (tmp_path / "a.csv").write_text("epoch,loss\n0,2.0\n1,1.0\n")
    (tmp_path / "b.csv").write_text("epoch,foo\n0,2.0\n1,1.0\n")

    (tmp_path / "c.csv").write_text("")

    comparison = compare([tmp_path / f"{name}.csv" for name in "abc"])

    assert list(comparison.reports) == ["a"]
    assert "no loss or accuracy" in comparison.unread["b"]
    assert "is empty" in comparison.unread["c.csv"]
    assert "not read: b" in str(comparison)


def test_what_was_lost_of_a_run_is_told(tmp_path):
    (tmp_path / "a.csv").write_text("epoch,loss\n0,2.0\n1,oops\n2,1.0\n")
    (tmp_path / "b.csv").write_text("epoch,loss\n0,2.0\n1,1.0\n")
    (tmp_path / "notes.txt").write_text("nothing here")

    text = str(compare(tmp_path))

    assert "a: 1 places not read, first line 3, column 'loss': 'oops' is not a number" in text
    assert "no log, and left out: notes.txt" in text


def test_files_of_one_name_are_told_apart(tmp_path):
    paths = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        paths.append(tmp_path / name / "metrics.csv")
        paths[-1].write_text("epoch,loss\n0,2.0\n1,1.0\n")

    assert len(compare(paths).reports) == 2


def test_no_run_is_refused():
    with pytest.raises(ValueError, match="no runs"):
        compare([])


@pytest.mark.parametrize(
    ("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("txt", b"run"), ("html", b"<!D")]
)
def test_endings_choose_the_format(tmp_path, ending, start):
    path = compare(RUNS).save(tmp_path / f"runs.{ending}")

    assert path.read_bytes().startswith(start)


def test_page_holds_every_run_escaped(tmp_path):
    page = compare(RUNS).save(tmp_path / "runs.html").read_text(encoding="utf-8")

    assert "&lt;b&gt;bad" in page
    assert "<b>bad" not in page
    assert "exploding_or_nan" in page


def test_json_is_strict():
    content = json.loads(compare(RUNS).to_json())

    assert content["ok"] is False
    assert content["runs"]["<b>bad"]["primary"] == "exploding_or_nan"
