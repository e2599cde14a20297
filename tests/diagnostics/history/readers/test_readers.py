"""Each logger's dialect is recognised by content, and damage is reported with its place."""

import json
import struct

import numpy as np
import pytest

from diagnostics import History, compare


def read(tmp_path, text, name="log", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return History.read(path, **options)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_recognised(tmp_path, delimiter):
    rows = [("epoch", "loss", "val_loss"), ("0", "1.5", "1.6"), ("1", "1.0", "1.2")]

    history = read(tmp_path, "\n".join(delimiter.join(row) for row in rows))

    np.testing.assert_array_equal(history.val_loss, [1.6, 1.2])


def test_decimal_commas_are_understood(tmp_path):
    history = read(tmp_path, "epoch;loss\n0;1,5\n1;0,25\n")

    np.testing.assert_array_equal(history.train_loss, [1.5, 0.25])


def test_unnamed_first_column_is_the_epoch(tmp_path):
    history = read(tmp_path, ",loss,accuracy\n0,2.0,0.5\n1,1.0,0.75\n")

    assert history.mapping["epoch"] == ""


def test_padded_headers_and_cells(tmp_path):
    text = "   epoch,   train/loss,   val/loss\n   1,  1.17,  1.10\n   2,  0.34,  0.84\n"

    np.testing.assert_array_equal(read(tmp_path, text).val_loss, [1.10, 0.84])


def test_rows_of_steps_and_of_validation_become_one_row_for_each_epoch(tmp_path):
    text = (
        "epoch,step,train_loss_step,train_loss_epoch,val_loss\n"
        "0,49,1.0,,\n0,99,0.8,,\n0,99,,,0.7\n0,99,,0.9,\n"
        "1,149,0.6,,\n1,199,0.4,,\n1,199,,,0.5\n1,199,,0.5,\n"
    )

    history = read(tmp_path, text)

    np.testing.assert_array_equal(history.epochs, [0, 1])
    np.testing.assert_array_equal(history.train_loss, [0.9, 0.5])
    np.testing.assert_array_equal(history.val_loss, [0.7, 0.5])
    np.testing.assert_allclose(history.columns["train_loss_step"], [0.9, 0.5])


def test_text_column_is_kept_as_text(tmp_path):
    history = read(tmp_path, "epoch,train_loss,time\n0,0.8,04:39\n1,0.6,04:36\n")

    assert history.text["time"] == ["04:39", "04:36"]


def test_trainer_state_aligns_training_with_validation(tmp_path):
    log = [
        {"epoch": 0.5, "step": 10, "loss": 2.0},
        {"epoch": 1.0, "step": 20, "loss": 1.0},
        {"epoch": 1.0, "step": 20, "eval_loss": 1.2},
        {"epoch": 1.5, "step": 30, "loss": 0.8},
        {"epoch": 2.0, "step": 40, "loss": 0.6},
        {"epoch": 2.0, "step": 40, "eval_loss": 1.1},
        {"epoch": 2.0, "step": 40, "train_runtime": 9.0, "train_loss": 1.1},
    ]

    history = read(tmp_path, json.dumps({"global_step": 40, "log_history": log}))

    np.testing.assert_array_equal(history.val_loss[~np.isnan(history.val_loss)], [1.2, 1.1])
    assert history.mapping["train_loss"] == "loss"


@pytest.mark.parametrize(
    "content",
    [
        {"loss": [2.0, 1.0], "val_loss": [2.2, 1.3]},
        {"loss": {"0": 2.0, "1": 1.0}, "val_loss": {"0": 2.2, "1": 1.3}},
        [{"loss": 2.0, "val_loss": 2.2}, {"loss": 1.0, "val_loss": 1.3}],
        {"training": {"logloss": [2.0, 1.0]}, "valid_1": {"logloss": [2.2, 1.3]}},
        {"validation_0": {"logloss": [2.0, 1.0]}, "validation_1": {"logloss": [2.2, 1.3]}},
    ],
)
def test_json_dialects(tmp_path, content):
    history = read(tmp_path, json.dumps(content))

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.0])
    np.testing.assert_array_equal(history.val_loss, [2.2, 1.3])


def test_bare_nan_in_json_is_a_value(tmp_path):
    history = read(tmp_path, '{"loss": [1.0, NaN]}')

    assert history.logged("train_loss").all()


def test_json_lines_with_a_damaged_line(tmp_path):
    history = read(tmp_path, '{"epoch": 0, "loss": 2}\n{"epoch": 1, "lo\n{"epoch": 2, "loss": 1}\n')

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.0])
    assert [problem.line for problem in history.problems] == [2]


@pytest.mark.parametrize(
    ("text", "place", "losses"),
    [
        ('{"loss": [2.0, 1.0, 0.5], "val_loss": [2.1, 1.', (1, 45), [2.0, 1.0, 0.5]),
        ('[{"loss": 2.0},\n {"loss": 1.0},\n {"lo', (3, 3), [2.0, 1.0]),
        ('{"log_history": [\n{"loss": 2.0},\n{"loss": 1.0},\n{"loss"', (4, 8), [2.0, 1.0]),
        ('{"loss": [2.0, oops, 0.5]}', (1, 16), [2.0, np.nan, 0.5]),
        ('{"loss": [2.0, 1.0]}\nbye', (2, 1), [2.0, 1.0]),
    ],
)
def test_damaged_json_is_read_up_to_the_damage(tmp_path, text, place, losses):
    history = read(tmp_path, text, "history.json")

    np.testing.assert_array_equal(history.train_loss, losses)
    assert [(problem.line, problem.position) for problem in history.problems] == [place]


def test_place_of_a_damaged_json_line_is_told(tmp_path):
    history = read(tmp_path, '{"loss": 2, "epoch": 0}\n{"loss": 1, "epoch"')

    assert str(history.problems[0]).startswith("line 2, character 20: the text ends here")


@pytest.mark.parametrize(
    "text",
    [
        "{'loss': [2.0, nan, None], 'acc': [0.1, 0.5, 0.75]}",
        "history = {'loss': [np.float64(2.0), np.float32(nan), None],\n 'acc': [0.1, 0.5, 0.75]}",
        "{'loss': array([2.0, nan, nan], dtype=float32), 'acc': (0.1, 0.5, 0.75,),}",
        "[{'loss': 2.0, 'acc': 0.1}, {'loss': nan, 'acc': 0.5}, {'loss': None, 'acc': 0.75}]",
    ],
)
def test_dictionary_printed_by_python_is_read(tmp_path, text):
    history = read(tmp_path, text, "history.txt")

    np.testing.assert_array_equal(history.train_loss, [2.0, np.nan, np.nan])
    np.testing.assert_array_equal(history.train_accuracy, [0.1, 0.5, 0.75])
    assert not history.problems


def test_wandb_export_takes_the_longest_run(tmp_path):
    text = (
        '"Step","a - train/loss","a - train/loss__MIN","b - train/loss","b - train/loss__MIN"\n'
        '"0","2.0","2.0","9.0","9.0"\n"1","1.0","1.0","",""\n'
    )

    np.testing.assert_array_equal(read(tmp_path, text).train_loss, [2.0, 1.0])


def test_wandb_export_of_several_runs_is_compared(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(
        '"Step","a - train/loss","a - train/loss__MIN","b - x - train/loss"\n'
        '"0","2.0","2.0",""\n"1","1.0","1.0","9.0"\n"2","","","8.0"\n'
    )

    comparison = compare(path)

    assert list(comparison.reports) == ["a", "b - x"]
    np.testing.assert_array_equal(comparison.histories["a"].train_loss, [2.0, 1.0])
    np.testing.assert_array_equal(comparison.histories["b - x"].epochs, [1, 2])


def test_damaged_cell_is_reported_with_line_and_column(tmp_path):
    history = read(tmp_path, "epoch,loss,val_loss\n0,2.0,2.1\n1,oops,1.9\n2,1.0,1.5\n")

    problem = history.problems[0]
    assert (problem.line, problem.column) == (3, "loss")
    assert "'oops'" in str(problem)
    np.testing.assert_array_equal(history.val_loss, [2.1, 1.9, 1.5])


def test_row_cut_short_is_reported_and_kept_as_far_as_it_goes(tmp_path):
    history = read(tmp_path, "epoch,loss,val_loss\n0,2.0,2.1\n1,1.5")

    assert history.problems[0].line == 3
    np.testing.assert_array_equal(history.train_loss, [2.0, 1.5])


def test_row_with_too_many_cells_is_left_out_and_told(tmp_path):
    history = read(tmp_path, "epoch,loss\n0,2.0\n1,1.5,7\n2,1.0\n")

    np.testing.assert_array_equal(history.epochs, [0, 2])
    assert str(history.problems[0]) == "line 3: 3 cells, expected 2: '1,1.5,7' left out"


def test_header_without_a_name_for_the_row_numbers(tmp_path):
    history = read(tmp_path, "loss,val_loss\n0,2.0,2.5\n1,1.5,2.0\n")

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.5])
    np.testing.assert_array_equal(history.val_loss, [2.5, 2.0])


@pytest.mark.parametrize("row", ["2.0,0.1,7,7", "0,1,0,2"])
def test_header_that_fits_no_row_is_refused(tmp_path, row):
    with pytest.raises(ValueError, match="names 2 columns, but the rows have 4 cells"):
        read(tmp_path, f"loss,lr\n{row}\n{row}\n")


def test_stray_quote_costs_its_own_line_nothing(tmp_path):
    history = read(tmp_path, 'epoch,loss\n"0","2.0"\n1,"1.5\n2,1.0\n')

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.5, 1.0])


@pytest.mark.parametrize(
    ("cells", "values"),
    [(('"2,5"', '"1,25"'), [2.5, 1.25]), (('"1,234.5"', '"999.0"'), [1234.5, 999.0])],
)
def test_quoted_commas_are_of_decimals_or_thousands(tmp_path, cells, values):
    history = read(tmp_path, f"epoch,loss\n0,{cells[0]}\n1,{cells[1]}\n")

    np.testing.assert_array_equal(history.train_loss, values)


def test_column_is_judged_as_a_whole_wherever_its_damage_stands(tmp_path):
    losses = [str(i) for i in range(10)]
    losses[3:6] = ["x", "y", "z"]

    history = read(tmp_path, "epoch,loss\n" + "\n".join(f"{i},{x}" for i, x in enumerate(losses)))

    assert [problem.line for problem in history.problems] == [5, 6, 7]


@pytest.mark.parametrize("cells", [",{v}", "{v},", "{v},,1", ",,{v}"])
def test_empty_cells_are_blank_wherever_they_stand(tmp_path, cells):
    width = cells.count(",") + 1
    names = ["loss" if cell == "{v}" else f"x{i}" for i, cell in enumerate(cells.split(","))]
    rows = "\n".join(cells.format(v=value) for value in (2.0, 1.5, 1.0))

    history = read(tmp_path, f"{','.join(names)}\n{rows}\n")

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.5, 1.0])
    blank = [name for name in names if history.blank[name].all()]
    assert len(names) == width
    assert blank == [n for n, cell in zip(names, cells.split(","), strict=True) if not cell]


def test_header_repeated_by_an_appended_log_is_skipped(tmp_path):
    history = read(tmp_path, "epoch,loss\n0,2.0\nepoch,loss\n1,1.0\n")

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.0])


def test_na_is_missing_and_nan_is_a_value(tmp_path):
    history = read(tmp_path, "epoch,loss,val_loss\n0,2.0,NA\n1,nan,1.9\n2,1.0,1.5\n")

    np.testing.assert_array_equal(history.logged("val_loss"), [False, True, True])
    assert history.logged("train_loss").all()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path, encoding):
    path = tmp_path / "log.csv"
    path.write_bytes("époque?,loss\n0,1.0\n1,0.5\n".encode(encoding))

    np.testing.assert_array_equal(History.read(path).train_loss, [1.0, 0.5])


def test_windows_line_ends(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"epoch,loss\r\n0,1.0\r\n1,0.5\r\n")

    np.testing.assert_array_equal(History.read(path).train_loss, [1.0, 0.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("epoch,loss\n", "no rows"),
        ("a,b\n1,2\n3,4\n", "no loss or accuracy among the columns 'a', 'b'"),
        ("\x00\x01\x02", "binary data"),
        ("1,2\n3,4\n", "no known training log"),
    ],
)
def test_unusable_file_says_what_was_found(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, text)


def test_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        History.read(tmp_path / "none.csv")


def test_fast_and_careful_path_read_the_same(tmp_path):
    rows = [f"{i},{1 / (i + 1)!r},{i / 7!r}" for i in range(50)]
    text = "epoch,loss,val_loss\n" + "\n".join(rows)

    clean = read(tmp_path, text)
    commented = read(tmp_path, "# a comment\n" + text)

    np.testing.assert_array_equal(clean.train_loss, commented.train_loss)
    np.testing.assert_array_equal(clean.val_loss, commented.val_loss)


def test_damage_in_one_row_leaves_the_others_as_they_are(tmp_path):
    rows = [f"{i},{10 - i},{i}:00" for i in range(10)]
    rows[4] = "4,?,4:00"

    history = read(tmp_path, "epoch,loss,time\n" + "\n".join(rows))

    assert [(problem.line, problem.column) for problem in history.problems] == [(6, "loss")]
    np.testing.assert_array_equal(np.isnan(history.train_loss), np.arange(10) == 4)
    assert history.text["time"][9] == "9:00"


def test_losses_in_parts_are_summed(tmp_path):
    text = "epoch,train/box_loss,train/cls_loss,val/box_loss,val/cls_loss\n0,1,2,3,4\n1,1,1,2,2\n"

    history = read(tmp_path, text)

    np.testing.assert_array_equal(history.train_loss, [3.0, 2.0])
    np.testing.assert_array_equal(history.val_loss, [7.0, 4.0])
    assert any("is the sum of train/box_loss, train/cls_loss" in note for note in history.notes)


@pytest.mark.parametrize(
    "text",
    [
        "Epoch 1/2\n9/9 [==] - 1s - loss: 2.10 - accuracy: 0.30 - val_loss: 1.90\n"
        "Epoch 2/2\n9/9 [==] - 1s - loss: 1.10 - accuracy: 0.60 - val_loss: 1.20\n",
        "start\nepoch 1, loss 2.1, accuracy 30.0%, val loss 1.9\n"
        "epoch 2, loss 1.1, accuracy 60.0%, val loss 1.2\n",
        "[epoch 1] loss=2.1 acc=0.3 val_loss=1.9\n[epoch 2] loss=1.1 acc=0.6 val_loss=1.2\n",
    ],
)
def test_printed_logs_are_read(tmp_path, text):
    history = read(tmp_path, text, "train.log")

    np.testing.assert_array_equal(history.epochs, [1, 2])
    np.testing.assert_allclose(history.train_loss, [2.1, 1.1])
    np.testing.assert_allclose(history.train_accuracy, [0.3, 0.6])
    np.testing.assert_allclose(history.val_loss, [1.9, 1.2])


def test_folder_of_metric_files_is_joined_by_step(tmp_path):
    for name, values in (("train_loss", [2.0, 1.0]), ("val_loss", [2.5, 1.5])):
        lines = [f"170838249611{i} {value} {i}" for i, value in enumerate(values)]
        (tmp_path / name).write_text("\n".join(lines))

    history = History.read(tmp_path)

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.0])
    np.testing.assert_array_equal(history.val_loss, [2.5, 1.5])


def test_folder_with_a_known_log_reads_that(tmp_path):
    (tmp_path / "hparams.yaml").write_text("lr: 0.1\n")
    (tmp_path / "metrics.csv").write_text("epoch,loss\n0,2.0\n1,1.0\n")

    np.testing.assert_array_equal(History.read(tmp_path).train_loss, [2.0, 1.0])


def write_runs(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("epoch,loss,acc\n0,2.0,0.1\n1,1.0,0.5\n")


def test_files_named_after_the_sets_are_one_run(tmp_path):
    write_runs(tmp_path, "train.csv", "valid.csv")

    assert set(History.read(tmp_path).mapping) >= {"train_loss", "val_loss", "val_accuracy"}


@pytest.mark.parametrize(
    "names", [("a.csv", "b.csv"), ("a/metrics.csv", "b/metrics.csv"), ("a.csv", "b/log.csv")]
)
def test_folder_of_several_runs_is_compared_and_not_mixed(tmp_path, names):
    write_runs(tmp_path, *names)

    comparison = compare(tmp_path)

    assert list(comparison.reports) == ["a", "b"]
    with pytest.raises(ValueError, match="holds 2 runs: a, b"):
        History.read(tmp_path)


def test_damaged_run_in_a_folder_leaves_the_others(tmp_path):
    write_runs(tmp_path, "a/metrics.csv", "b/metrics.csv", ".hidden/metrics.csv")
    (tmp_path / "b" / "metrics.csv").write_text("")

    history = History.read(tmp_path)

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.0])
    assert any("b (metrics.csv: the file is empty" in note for note in history.notes)


def test_what_is_no_log_in_a_folder_is_told(tmp_path):
    write_runs(tmp_path, "log.csv")
    (tmp_path / "readme.txt").write_text("Nothing to see here.")

    assert "no log, and left out: readme.txt" in History.read(tmp_path).notes


def test_event_files_of_one_folder_are_one_run(tmp_path):
    for number, values in enumerate(([2.0, 1.0, 0.5], [9.0, 0.75, 0.25])):
        content = event_file("loss", values)
        (tmp_path / f"events.out.tfevents.{number}").write_bytes(content)

    np.testing.assert_array_equal(History.read(tmp_path).train_loss, [9.0, 0.75, 0.25])


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no training log in this folder"):
        History.read(tmp_path)


def field(number, content):
    """A length-delimited field of a protocol buffer."""
    return bytes([number << 3 | 2, len(content)]) + content


def event_file(tag, values):
    """Event files as TensorFlow 2 writes them: scalars as tensors of one float."""
    version = field(3, b"brain.Event:2")
    messages = [version]
    for step, value in enumerate(values):
        tensor = bytes([1 << 3, 1]) + field(4, struct.pack("<f", value))
        scalar = field(1, tag.encode()) + field(8, tensor)
        messages.append(bytes([2 << 3, step]) + field(5, field(1, scalar)))
    frames = (struct.pack("<Q", len(m)) + bytes(4) + m + bytes(4) for m in messages)
    return b"".join(frames)


def test_tensorboard_folders_give_training_and_validation(tmp_path):
    for split, values in (("train", [2.0, 1.0, 0.5]), ("validation", [2.5, 1.5, 1.25])):
        (tmp_path / split).mkdir()
        content = event_file("epoch_loss", values)
        (tmp_path / split / "events.out.tfevents.1.host.2.v2").write_bytes(content)

    history = History.read(tmp_path)

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.0, 0.5])
    np.testing.assert_array_equal(history.val_loss, [2.5, 1.5, 1.25])


def test_event_file_cut_short_gives_what_stands_before(tmp_path):
    path = tmp_path / "events.out.tfevents.1.host"
    path.write_bytes(event_file("loss", [2.0, 1.0, 0.5])[:-5])

    history = History.read(path)

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.0])
    assert "cut short" in str(history.problems[0])
