"""Files as they are found: compressed, with holes, appended to; what was left out is said."""

import gzip

import pytest

from diagnostics import History

ROWS = [f"{epoch},{1 / (epoch + 1):.4f},{epoch / 20:.2f}" for epoch in range(12)]
TEXT = "\n".join(["epoch,train/loss,metrics/accuracy_top1", *ROWS]) + "\n"
STAMP = 1_700_000_000_000


def read(folder, data, name="log.csv"):
    path = folder / name
    path.write_bytes(data)
    return History.read(path)


def test_compressed_log_is_unpacked(tmp_path):
    assert len(read(tmp_path, gzip.compress(TEXT.encode()), "log.csv.gz")) == 12


def test_compressed_log_that_is_cut_off_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"log\.csv: compressed, and damaged"):
        read(tmp_path, gzip.compress(TEXT.encode())[:40])


def test_zero_bytes_are_left_out_and_told_by_line(tmp_path):
    at = TEXT.index("\n3,") + 1

    history = read(tmp_path, (TEXT[:at] + "\0" * 64 + TEXT[at:]).encode())

    assert len(history) == 12
    assert "line 5" in str(history.problems[0])
    assert "64 zero bytes" in str(history.problems[0])


def test_log_appended_to_itself_is_still_a_table(tmp_path):
    history = read(tmp_path, f"{TEXT}\n{TEXT}".encode())

    assert history.mapping["train_loss"] == "train/loss"
    assert len(history) == 12


def test_damaged_line_of_an_mlflow_metric_is_told_and_the_others_read(tmp_path):
    lines = [f"{STAMP + step} {1 / (step + 1)} {step}" for step in range(10)]
    lines[4] = f"{STAMP} o.2 4"
    lines[-1] = f"{STAMP} 0.1"

    history = read(tmp_path, "\n".join(lines).encode(), "val_loss")

    assert [str(problem) for problem in history.problems] == [
        "line 5, column 'val_loss': 'o.2' is not a number"
    ]
    assert len(history) >= 9
