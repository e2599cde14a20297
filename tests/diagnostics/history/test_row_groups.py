"""Training and validation logged in rows of their own, in whatever order, are one run."""

import numpy as np
import pytest

from diagnostics import History, diagnose

EPOCHS = 12


def rows(*columns, axis="epoch"):
    """One record for each epoch, with these columns; falling losses, rising accuracies."""
    time = np.arange(EPOCHS)
    values = {
        "loss": 2 * np.exp(-time / 4),
        "val_loss": 2 * np.exp(-time / 4) + 0.1,
        "accuracy": 1 - 0.9 * np.exp(-time / 4),
        "val_accuracy": 0.95 - 0.9 * np.exp(-time / 4),
    }
    records = [{name: float(values[name][i]) for name in columns} for i in range(EPOCHS)]
    return [{axis: i, **record} for i, record in enumerate(records)] if axis else records


TRAIN, VAL = ("loss", "accuracy"), ("val_loss", "val_accuracy")
WHOLE = rows(*TRAIN, *VAL)


def with_nan(records, *columns):
    return [record | dict.fromkeys(columns, float("nan")) for record in records]


@pytest.mark.parametrize(
    "records",
    [
        rows(*TRAIN) + rows(*VAL),
        rows(*VAL) + rows(*TRAIN),
        with_nan(rows(*TRAIN), *VAL) + with_nan(rows(*VAL), *TRAIN),
        [row for pair in zip(rows(*TRAIN), rows(*VAL), strict=True) for row in pair],
        rows(*TRAIN, axis=None) + rows(*VAL, axis=None),
        [
            row
            for pair in zip(rows(*TRAIN, axis=None), rows(*VAL, axis=None), strict=True)
            for row in pair
        ],
        [*rows(*TRAIN), *rows(*VAL), {"test_loss": 0.3}],
    ],
    ids=["train, val", "val, train", "filled", "alternating", "no axis", "no axis, alternating",
         "and a test"],
)  # fmt: skip
def test_the_order_of_the_rows_does_not_matter(records):
    history = History.from_records(records)

    for role in ("train_loss", "val_loss", "train_accuracy", "val_accuracy"):
        expected = History.from_records(WHOLE).curve(role)
        np.testing.assert_allclose(history.curve(role), expected)
    assert diagnose(history).codes == diagnose(WHOLE).codes


def test_a_curve_that_becomes_nan_is_not_taken_for_one_that_was_not_logged():
    records = rows(*TRAIN, *VAL)
    for record in records[8:]:
        record["loss"] = record["val_loss"] = float("nan")

    assert diagnose(records).primary.code == "exploding_or_nan"


def test_of_two_runs_in_one_log_the_last_is_kept_with_its_validation():
    first, second = rows(*TRAIN, *VAL), rows(*TRAIN, *VAL)[:9]
    history = History.from_records(first + second)

    assert len(history) == 9
    assert any("starts again" in note for note in history.notes)


def test_validation_of_every_third_epoch_in_a_block_of_its_own_finds_its_epochs():
    records = rows("loss", axis=None) + rows("val_loss", axis=None)[2::3]
    history = History.from_records(records)

    logged = np.flatnonzero(np.isfinite(history.val_loss))
    np.testing.assert_array_equal(logged, [2, 5, 8, 11])
