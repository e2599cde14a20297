"""Histories are built from whatever holds one, and say how they were understood."""

from types import SimpleNamespace

import numpy as np
import pytest

from diagnostics import History, diagnose


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
        ("valid_perplexity", "val_loss"),
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


def test_columns_that_could_play_a_role_as_well_are_noted():
    history = History.from_dict({f"eval_{set_}_loss": [1.0, 0.5] for set_ in "abc"})

    assert history.notes == (
        "'eval_a_loss' taken as val_loss, which could be 'eval_b_loss', 'eval_c_loss' as well",
    )


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


def test_run_resumed_many_times_is_told_in_one_note():
    rows = [{"step": step - 2 * (step // 10), "loss": 1.0 + step} for step in range(300)]

    history = History.from_records(rows)

    assert (np.diff(history.epochs) > 0).all()
    assert history.train_loss[-1] == 300.0
    notes = [note for note in history.notes if "resumed" in note]
    assert notes == [
        "run resumed at step 8, 16, 24, 32, 40 and 24 times more: the later values are kept"
    ]


def test_head_is_the_run_as_it_was():
    history = History.from_dict({"loss": [3.0, 2.0, 1.0], "acc": [0.1, 0.2, 0.3]})

    np.testing.assert_array_equal(history.head(2).train_loss, [3.0, 2.0])
    assert len(history.head(2)) == 2
    assert len(history) == 3


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


@pytest.mark.parametrize("every", [2, 5, 100])
def test_nan_in_most_rows_stands_for_no_validation(every):
    rows = 400 + every // 2
    val_loss = np.full(rows, np.nan)
    val_loss[every - 1 :: every] = np.linspace(2, 1, rows // every)

    history = History.from_dict({"loss": np.linspace(2, 1, rows), "val_loss": val_loss})

    assert np.isfinite(history.val_loss[history.logged("val_loss")]).all()
    assert any("taken as not logged" in note for note in history.notes)
    assert "exploding_or_nan" not in diagnose(history).codes


def test_loss_that_was_nan_once_and_came_back_was_nan():
    loss = np.linspace(2, 1, 20)
    loss[7] = np.nan

    assert History.from_dict({"loss": loss}).logged("train_loss").all()


def test_validation_every_second_epoch_is_placed_there():
    history = History.from_dict({"loss": [4.0, 3.0, 2.0, 1.0], "val_loss": [3.5, 1.5]})

    np.testing.assert_array_equal(history.val_loss, [np.nan, 3.5, np.nan, 1.5])


TRAIN, VAL = [2.0, 1.0], [2.5, 1.5]


@pytest.mark.parametrize(
    "holder",
    [
        SimpleNamespace(history={"loss": TRAIN, "val_loss": VAL}),
        SimpleNamespace(
            state=SimpleNamespace(
                log_history=[
                    {"epoch": 1.0, "loss": 2.0},
                    {"epoch": 1.0, "eval_loss": 2.5},
                    {"epoch": 2.0, "loss": 1.0},
                    {"epoch": 2.0, "eval_loss": 1.5},
                    {"epoch": 2.0, "train_runtime": 1.0, "train_loss": 9.0},
                ]
            )
        ),
        SimpleNamespace(evals_result_={"training": {"l2_loss": TRAIN}, "valid": {"l2_loss": VAL}}),
        SimpleNamespace(
            evals_result=lambda: {
                "validation_0": {"logloss": TRAIN},
                "validation_1": {"logloss": VAL},
            }
        ),
        {"train": {"loss": TRAIN, "acc": [0.1, 0.2]}, "val": {"loss": VAL}},
        {"train": {"loss": np.array(TRAIN)}, "test": {"loss": tuple(VAL)}},
    ],
)
def test_what_libraries_leave_behind_is_diagnosed(holder):
    history = diagnose(holder).history

    np.testing.assert_array_equal(history.train_loss, TRAIN)
    np.testing.assert_array_equal(history.val_loss, VAL)


def test_curves_of_a_fitted_perceptron():
    fitted = SimpleNamespace(loss_curve_=TRAIN, validation_scores_=None, n_iter_=2)

    assert diagnose(fitted).history.mapping == {"train_loss": "loss_curve_"}


class Frame:
    """What a data frame has that matters."""

    def __init__(self, data):
        self.data = data
        self.columns = tuple(data)

    def __getitem__(self, name):
        return self.data[name]


def test_data_frame_marks_missing_values_by_nan():
    frame = Frame({"loss": [3.0, 2.0, 1.0, 0.5], "val_loss": [3.0, np.nan, 2.5, 2.0]})

    np.testing.assert_array_equal(
        History.from_dict(frame).logged("val_loss"), [True, False, True, True]
    )


def test_data_frame_like_object_is_read_by_its_columns():
    history = History.from_dict(Frame({"loss": [2.0, 1.0], "val_loss": [3.0, 2.5]}))

    np.testing.assert_array_equal(history.val_loss, [3.0, 2.5])


def test_unknown_columns_are_kept():
    history = History.from_dict({"loss": [1.0, 2.0], "temperature": [20.0, 21.0]})

    np.testing.assert_array_equal(history.columns["temperature"], [20.0, 21.0])


def test_repr_shows_the_mapping():
    assert "val_loss='valid_loss'" in repr(History.from_dict({"valid_loss": [1.0, 2.0]}))


def test_nothing_usable_names_what_was_found():
    with pytest.raises(ValueError, match=r"no loss or accuracy among the columns 'height'"):
        History.from_dict({"height": [1.0, 2.0]})


def test_a_loss_goes_before_the_perplexity_made_of_it():
    history = History.from_dict(
        {
            "train_ppl": [9.0, 5.0],
            "train_loss": [2.2, 1.6],
            "ppl": [9.0, 6.0],
            "val_loss": [2.2, 1.8],
        }
    )

    assert history.mapping == {"train_loss": "train_loss", "val_loss": "val_loss"}


def test_two_accuracies_of_one_log_have_one_unit_unless_that_takes_them_apart():
    rare = {"loss": [2.0, 1.0, 0.5], "acc": [30.0, 60.0, 90.0], "val_acc": [0.0, 0.6, 0.0]}
    many_classes = rare | {"acc": [0.4, 1.1, 1.8], "val_acc": [0.2, 0.7, 1.1]}
    mixed = rare | {"val_acc": [0.3, 0.5, 0.8]}

    assert History.from_dict(rare).curve("val_accuracy")[1] == pytest.approx(0.006)
    assert History.from_dict(many_classes).curve("val_accuracy")[2] == pytest.approx(0.011)
    assert History.from_dict(mixed).curve("val_accuracy")[2] == 0.8
