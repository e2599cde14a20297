"""Columns of text, such as times, stand beside numbers in many logs: both are read in order."""

import numpy as np
import pytest

from diagnostics import History

ROWS = 60


def written(tmp_path, first, changes=(), name="time"):
    """A log whose first column is text; ``changes`` replaces whole lines by number."""
    lines = [f"{name},epoch,loss,val_loss"]
    lines += [f"{first(i)},{i},{1 / (i + 1):.4f},{2 / (i + 1):.4f}" for i in range(ROWS)]
    for number, line in changes:
        lines[number - 1] = line
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return History.read(path)


@pytest.mark.parametrize(
    "first",
    [
        lambda i: f"2026-01-01 00:{i // 60:02}:{i % 60:02}",
        lambda i: f'"00:{i:02}"',
        lambda i: f"Schritt für Schritt {i}",
    ],
    ids=["date", "quoted", "words"],
)
def test_times_are_kept_and_numbers_beside_them_read(tmp_path, first):
    history = written(tmp_path, first)

    assert history.text["time"] == [first(i).strip('"') for i in range(ROWS)]
    np.testing.assert_allclose(history.train_loss, 1 / np.arange(1, ROWS + 1), atol=1e-4)
    assert not history.problems


def test_damage_beside_times_is_told_with_its_line(tmp_path):
    history = written(
        tmp_path,
        lambda i: f"12:{i:02}",
        [(5, "12:03,3,oops,0.5"), (9, "12:07,7,,0.25"), (11, ",9,0.1,0.2")],
    )

    assert [str(problem) for problem in history.problems] == [
        "line 5, column 'loss': 'oops' is not a number"
    ]
    assert np.isnan(history.train_loss[[3, 7]]).all()
    assert history.val_loss[3] == 0.5
    assert history.text["time"][3] == "12:03"
    assert history.text["time"][9] == ""
    assert len(history.text["time"]) == ROWS


def test_per_cent_signs_make_no_column_of_text(tmp_path):
    history = written(tmp_path, lambda i: f"{i}.5%", name="accuracy")

    np.testing.assert_allclose(history.train_accuracy, (np.arange(ROWS) + 0.5) / 100)


def test_rows_are_told_apart_by_a_column_of_text(tmp_path):
    path = tmp_path / "log.csv"
    lines = ["phase,epoch,loss"]
    lines += [
        f"{phase},{i},{i + (phase == 'val')}" for i in range(30) for phase in ("train", "val")
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    history = History.read(path)

    np.testing.assert_array_equal(history.train_loss, np.arange(30))
    np.testing.assert_array_equal(history.val_loss, np.arange(30) + 1)
