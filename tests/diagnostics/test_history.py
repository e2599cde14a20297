"""Histories are built from whatever holds one, and say how they were understood."""

import numpy as np
import pytest

from diagnostics import History


def test_keras_history_is_understood():
    history = History.from_dict(
        {
            "loss": [2.0, 1.0],
            "accuracy": [0.3, 0.6],
            "val_loss": [2.1, 1.2],
            "val_accuracy": [0.2, 0.5],
        }
    )

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.0])
    np.testing.assert_array_equal(history.val_accuracy, [0.2, 0.5])


def test_bare_accuracy_beside_named_losses_is_that_of_validation():
    history = History.from_dict(
        {"train_loss": [1.0, 0.5], "valid_loss": [1.1, 0.7], "accuracy": [0.5, 0.7]}
    )

    assert history.mapping["val_accuracy"] == "accuracy"
    assert history.train_accuracy is None


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("valLoss", "val_loss"),
        ("Validation Loss", "val_loss"),
        ("test_loss", "val_loss"),
        ("eval/loss", "val_loss"),
        ("train/cross_entropy", "train_loss"),
        ("sparse_categorical_accuracy", "train_accuracy"),
        ("Val Acc (%)", "val_accuracy"),
        ("metrics/accuracy_top1", "train_accuracy"),
    ],
)
def test_column_names_are_understood(name, role):
    history = History.from_dict({name: [0.5, 0.4, 0.3]})

    assert history.mapping[role] == name


def test_top_five_accuracy_and_extremes_are_no_accuracy():
    history = History.from_dict({"loss": [1, 2], "top5_accuracy": [0.9, 0.9], "loss__MIN": [1, 1]})

    assert set(history.mapping) == {"train_loss"}


def test_user_may_override_the_choice():
    history = History.from_dict({"a": [1.0, 2.0], "loss": [3.0, 4.0]}, columns={"val_loss": "a"})

    np.testing.assert_array_equal(history.val_loss, [1.0, 2.0])


def test_override_naming_no_column_tells_which_there_are():
    with pytest.raises(ValueError, match=r"no column 'b'; found loss"):
        History.from_dict({"loss": [1.0]}, columns={"val_loss": "b"})


def test_percentages_become_fractions_and_are_noted():
    history = History.from_dict({"loss": [1.0, 0.5], "accuracy": [55.0, 92.5]})

    np.testing.assert_allclose(history.train_accuracy, [0.55, 0.925])
    assert any("per cent" in note for note in history.notes)


def test_resumed_run_keeps_the_later_values():
    rows = [{"epoch": e, "loss": 10.0 - e} for e in range(5)]
    rows += [{"epoch": e, "loss": 1.0 - e / 10} for e in range(3, 8)]

    history = History.from_records(rows)

    np.testing.assert_array_equal(history.epochs, range(8))
    np.testing.assert_allclose(history.train_loss[3:], [0.7, 0.6, 0.5, 0.4, 0.3])
    assert any("resumed at epoch 3" in note for note in history.notes)


def test_several_runs_in_one_log_leave_the_last():
    rows = [{"epoch": e, "loss": 5.0} for e in range(9)] + [
        {"epoch": e, "loss": 1.0} for e in range(4)
    ]

    history = History.from_records(rows)

    assert len(history) == 4
    assert (history.train_loss == 1.0).all()


def test_missing_cells_are_nan_but_not_logged():
    history = History.from_records(
        [{"loss": 1.0, "val_loss": 2.0}, {"loss": 0.9}, {"loss": float("nan"), "val_loss": 1.8}]
    )

    np.testing.assert_array_equal(history.logged("val_loss"), [True, False, True])
    np.testing.assert_array_equal(np.isnan(history.train_loss), [False, False, True])
    assert history.logged("train_loss").all()


def test_blanks_to_the_end_of_a_curve_count_as_nan():
    rows = [{"loss": 1.0 if i < 5 else None, "val_loss": 1.0} for i in range(12)]

    assert History.from_records(rows).logged("train_loss").all()


def test_validation_every_second_epoch_is_placed_there():
    history = History.from_dict({"loss": [4.0, 3.0, 2.0, 1.0], "val_loss": [3.5, 1.5]})

    np.testing.assert_array_equal(history.val_loss, [np.nan, 3.5, np.nan, 1.5])


def test_data_frame_like_object_is_read_by_its_columns():
    class Frame:
        columns = ("loss", "val_loss")

        def __getitem__(self, name):
            return {"loss": [2.0, 1.0], "val_loss": [3.0, 2.5]}[name]

    history = History.from_dict(Frame())

    np.testing.assert_array_equal(history.val_loss, [3.0, 2.5])


def test_unknown_columns_are_kept():
    history = History.from_dict({"loss": [1.0, 2.0], "temperature": [20.0, 21.0]})

    np.testing.assert_array_equal(history.columns["temperature"], [20.0, 21.0])


def test_repr_shows_the_mapping():
    assert "val_loss='valid_loss'" in repr(History.from_dict({"valid_loss": [1.0, 2.0]}))


def test_nothing_usable_names_what_was_found():
    with pytest.raises(ValueError, match=r"no loss or accuracy among the columns 'height'"):
        History.from_dict({"height": [1.0, 2.0]})
