"""Whatever the numbers are, a history gives a report and a picture."""

import json
import math
from pathlib import Path

import hypothesis.extra.numpy as hnp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics import History, diagnose, plot_history
from diagnostics.history.readers import read_data

ODD = st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf, 1e-300, 1e100])
VALUES = st.one_of(st.floats(0, 3), ODD)
NAMES = st.sampled_from(["loss", "val_loss", "accuracy", "val_accuracy", "lr", "grad_norm"])


@st.composite
def curves(draw):
    """A loss and some other columns, of one length."""
    length = draw(st.integers(1, 40))
    names = draw(st.sets(NAMES)) | {"loss"}
    return {name: draw(hnp.arrays(float, length, elements=VALUES)) for name in sorted(names)}


LOGS = (
    b"epoch,loss,val_loss\n0,2.0,2.1\n1,1.5,\n2,1.0,1.6\n",
    b"epoch;loss;time\n0;2,0;00:01\n1;1,5;00:01\n",
    b"| epoch | loss |\n|---|---|\n| 0 | 2.0 |\n| 1 | 1.0 |\n",
    b'{"loss": [2.0, 1.5, NaN], "val_loss": {"0": 2.0, "1": 1.0}}',
    b"{'loss': [2.0, np.float64(1.5), None], 'acc': array([0.1, 0.5], dtype=float32)}",
    b'[{"epoch": 0, "loss": 2.0},\n {"epoch": 1, "train": {"loss": 1.0}}]',
    b'{"epoch": 0, "loss": 2.0}\n{"epoch": 1, "loss": 1.0}\n',
    b'{"log_history": [{"step": 1, "loss": 2.0}, {"step": 1, "eval_loss": 2.1}]}',
    b"Epoch 1/2\n9/9 [==] - loss: 2.1 - acc: 0.3\nEpoch 2/2\n9/9 [==] - loss: 1.1 - acc: 0.6\n",
    b"1708382496110 2.0 0\n1708382496111 1.0 1\n",
    b"train_losses = [2.0, 1.0]\nval_losses = [2.1, 1.2]\n",
    b'"Step","a - loss","a - loss__MIN"\n"0","2.0","2.0"\n"1","1.0","1.0"\n',
)
DAMAGE = (b"", b"\0", b'"', b"'", b"{", b"[", b",,", b"\n\n", b"\r", b"nan", b"1e999", b"\xff")


def read_or_refused(data):
    """What was read, or what was said against it."""
    try:
        return History.from_table(read_data(Path("log"), data))
    except ValueError as error:
        return str(error)


@given(st.sampled_from(LOGS), st.integers(0, 120), st.integers(0, 9), st.sampled_from(DAMAGE))
@settings(max_examples=300, deadline=None)
def test_damaged_log_is_read_or_refused_in_words(log, place, length, damage):
    assert len(read_or_refused(log[:place] + damage + log[place + length :])) > 0


@given(st.sampled_from(LOGS), st.integers(0, 120))
@settings(max_examples=100, deadline=None)
def test_log_cut_off_anywhere_is_read_or_refused_in_words(log, place):
    assert len(read_or_refused(log[:place])) > 0


@given(curves())
@settings(max_examples=150, deadline=None)
def test_any_curves_give_a_report_in_every_format(data):
    report = diagnose(data)

    assert json.loads(report.to_json())["ok"] == report.ok
    assert str(report)
    assert set(report.codes) <= set(report.tests_run) | {"too_few_epochs"}


@given(curves())
@settings(max_examples=15, deadline=None)
def test_any_curves_can_be_drawn(data):
    history = History.from_dict(data)

    assert plot_history(history, diagnose(history).findings).axes


def test_what_is_no_history_is_refused_by_name():
    with pytest.raises(TypeError, match="list of int"):
        diagnose([1, 2, 3])
    with pytest.raises(ValueError, match="hold no values"):
        diagnose({"loss": []})


def test_muting_what_is_no_finding_is_refused():
    with pytest.raises(ValueError, match="did you mean 'overfitting'"):
        diagnose({"loss": [2.0, 1.0]}, mute=["overfiting"])


def test_losses_of_regression_are_losses_where_no_other_is():
    run = History.from_dict({"mse": [3.0, 2.0, 1.0], "val_mse": [3.0, 2.5, 2.0], "mae": [1, 1, 1]})
    assert (run.mapping["train_loss"], run.mapping["val_loss"]) == ("mse", "val_mse")
    beside = History.from_dict({"loss": [3.0, 2.0, 1.0], "mse": [9.0, 4.0, 1.0]})
    assert beside.mapping["train_loss"] == "loss"


def test_two_epochs_are_not_called_right():
    told = str(diagnose({"loss": [2.0, 1.0], "val_loss": [2.0, 1.5]}))
    assert told.startswith("Cannot tell yet")
    assert "Nothing wrong found" not in told


def test_a_dictionary_is_drawn_as_it_is():
    assert plot_history({"loss": [2.0, 1.0, 0.5]}).axes
