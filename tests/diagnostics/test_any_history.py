"""Whatever the numbers are, a history gives a report and a picture."""

import json
import math

import hypothesis.extra.numpy as hnp
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics import History, diagnose, plot_history

ODD = st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf, 1e-300, 1e100])
VALUES = st.one_of(st.floats(0, 3), ODD)
NAMES = st.sampled_from(["loss", "val_loss", "accuracy", "val_accuracy", "lr", "grad_norm"])


@st.composite
def curves(draw):
    """A loss and some other columns, of one length."""
    length = draw(st.integers(1, 40))
    names = draw(st.sets(NAMES)) | {"loss"}
    return {name: draw(hnp.arrays(float, length, elements=VALUES)) for name in sorted(names)}


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
