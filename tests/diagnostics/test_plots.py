"""Pictures show what the run holds: every curve, the best values, the span of the finding."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from diagnostics import History, compare_histories, diagnose, plot_history
from diagnostics.plots import decimate


def labels(axis):
    return [line.get_label() for line in axis.lines]


def test_both_panels_share_the_epochs_and_differ_without_colour(healthy):
    history = History.from_dict(healthy[0])

    figure = plot_history(history)

    loss, accuracy = figure.axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert loss.get_xlim() == accuracy.get_xlim()
    train, val = (
        next(line for line in loss.lines if line.get_label() == n)
        for n in ("training", "validation")
    )
    assert train.get_linestyle() != val.get_linestyle()
    assert train.get_marker() != val.get_marker()
    np.testing.assert_array_equal(val.get_ydata(), history.val_loss)


def test_best_value_is_labelled():
    figure = plot_history(History.from_dict({"val_loss": [3.0, 1.25, 2.0]}))

    assert [text.get_text() for text in figure.axes[0].texts] == ["best 1.25 at 1"]


def test_span_of_the_finding_is_shaded_and_named(flagship):
    report = diagnose(flagship[0])

    figure = plot_history(report.history, report.findings)

    assert all(axis.patches for axis in figure.axes)
    onset = report["loss_accuracy_divergence"].epochs[0]
    assert f"loss_accuracy_divergence from epoch {onset:g}" in figure.axes[0].get_title(loc="left")


def test_values_not_finite_are_crosses_at_the_edge():
    figure = plot_history(History.from_dict({"loss": [1.0, 0.5, float("nan"), float("nan")]}))

    crosses = next(line for line in figure.axes[0].lines if "NaN" in str(line.get_label()))
    assert list(crosses.get_xdata()) == [2.0, 3.0]


@pytest.mark.parametrize(("last", "scale"), [(0.5, "linear"), (0.01, "log")])
def test_axis_is_logarithmic_only_for_a_wide_range(last, scale):
    figure = plot_history(History.from_dict({"loss": [2.0, 1.0, last]}))

    assert figure.axes[0].get_yscale() == scale


def test_chance_is_drawn_where_the_run_starts_there():
    history = History.from_dict({"loss": [2.31, 1.2, 0.8], "accuracy": [0.1, 0.5, 0.8]})

    texts = [text.get_text() for text in plot_history(history).axes[0].texts]

    assert "guessing among 10: ln 10" in texts


def test_long_curves_keep_their_peaks():
    y = np.zeros(100_000)
    y[12_345], y[77_777] = 5.0, -3.0

    x, short = decimate(np.arange(100_000.0), y, 1000)

    assert len(short) <= 1000
    assert (short.max(), short.min()) == (5.0, -3.0)
    assert (np.diff(x) >= 0).all()
    np.testing.assert_array_equal(short, y[x.astype(int)])


def test_given_axes_are_drawn_into():
    figure = Figure()
    axes = figure.subplots(2, 1)
    history = History.from_dict({"loss": [2.0, 1.0], "accuracy": [0.1, 0.5]})

    assert plot_history(history, axes=axes) is figure
    with pytest.raises(ValueError, match="1 given, 2 needed"):
        plot_history(history, axes=axes[:1])


def test_runs_side_by_side_share_their_scales(flagship, healthy):
    runs = {"as asked": History.from_dict(flagship[0]), "mended": History.from_dict(healthy[0])}

    figure = compare_histories(runs, {"as asked": diagnose(runs["as asked"]).findings})

    top_left, top_right, bottom_left, bottom_right = figure.axes
    assert top_left.get_ylim() == top_right.get_ylim()
    assert bottom_left.get_ylim() == bottom_right.get_ylim()
    assert "as asked" in top_left.get_title(loc="left")
    assert top_left.patches
    assert not top_right.patches
