"""Pictures show what the run holds: every curve, the best values, the span of the finding."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from diagnostics import (
    Finding,
    History,
    HistoryDisplay,
    Severity,
    compare_histories,
    diagnose,
    plot_history,
)
from diagnostics.report.curves import decimate


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


def legend_texts(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_best_value_is_labelled():
    figure = plot_history(History.from_dict({"val_loss": [3.0, 1.25, 2.0]}))

    assert "best validation loss 1.25 at 1" in legend_texts(figure)


def test_span_of_the_finding_is_shaded_and_named(flagship):
    report = diagnose(flagship[0])

    figure = plot_history(report.history, report.findings)

    assert all(axis.patches for axis in figure.axes)
    onset = report["loss_accuracy_divergence"].epochs[0]
    named = [text.get_text() for text in figure.axes[0].texts]
    assert f"loss_accuracy_divergence from epoch {onset:g}" in named
    assert report.primary.code in figure.axes[0].get_title(loc="left")


def finding(code, first, last):
    return Finding(code=code, severity=Severity.WARNING, message="", epochs=(first, last))


@pytest.mark.parametrize("width", [3.3, 7.0])
def test_no_text_overlaps_another_or_leaves_the_figure(width):
    history = History.from_dict(
        {"loss": np.exp(-np.arange(30) / 3), "accuracy": 1 - np.exp(-np.arange(30) / 3)}
    )
    findings = [
        finding("loss_accuracy_divergence", 2, 29),
        finding("train_validation_overlap", 20, 29),
        finding("overconfidence", 14, 20),
    ]

    figure = plot_history(history, findings, width=width, title="a long title of a run " * 6)
    figure.draw_without_rendering()

    top = figure.axes[0]
    texts = [top.texts[0], top.texts[1], top.texts[2], top._left_title]
    texts += figure.legends[0].get_texts()
    boxes = [text.get_window_extent() for text in texts]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1 for box in boxes)


def test_noise_of_a_long_curve_stays_behind_its_smooth_course():
    rng = np.random.default_rng(0)
    course = np.exp(-np.arange(5000) / 1000)
    history = History.from_dict({"loss": course + 0.1 * rng.standard_normal(5000)})

    raw, smooth = plot_history(history).axes[0].lines[:2]

    assert raw.get_alpha() < 1
    x, y = smooth.get_xdata()[20:-20], smooth.get_ydata()[20:-20]
    np.testing.assert_allclose(y, np.interp(x, np.arange(5000), course), atol=0.05)


def test_gradient_norms_and_dead_units_have_panels_of_their_own():
    history = History.from_dict(
        {"loss": [2.0, 1.0], "grad_norm": [5.0, 4.0], "dead_units": [0.0, 0.5]}
    )

    labels_y = [axis.get_ylabel() for axis in plot_history(history).axes]

    assert labels_y == ["loss", "gradient norm", "dead units"]


def test_display_keeps_what_it_drew(healthy):
    display = HistoryDisplay.from_history(healthy[0]).plot(title="a run")

    assert display.figure_.axes == display.axes_
    assert display.axes_[0].get_title(loc="left") == "a run"


def test_values_not_finite_are_crosses_at_the_edge():
    figure = plot_history(History.from_dict({"loss": [1.0, 0.5, float("nan"), float("nan")]}))

    crosses = next(line for line in figure.axes[0].lines if "NaN" in str(line.get_label()))
    assert list(crosses.get_xdata()) == [2.0, 3.0]
    assert crosses.get_marker() == "x"
    assert "training: NaN or infinite" in legend_texts(figure)


@pytest.mark.parametrize(("last", "scale"), [(0.5, "linear"), (0.01, "log")])
def test_axis_is_logarithmic_only_for_a_wide_range(last, scale):
    figure = plot_history(History.from_dict({"loss": [2.0, 1.0, last]}))

    assert figure.axes[0].get_yscale() == scale


def test_chance_is_drawn_where_the_run_starts_there():
    history = History.from_dict({"loss": [2.31, 1.2, 0.8], "accuracy": [0.1, 0.5, 0.8]})

    assert "guessing among 10: ln 10" in legend_texts(plot_history(history))


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


def run_of(loss):
    return History.from_dict({"loss": loss, "accuracy": np.linspace(0.3, 0.8, len(loss))})


def heights(figure, panel):
    """The share of its panel that the curves of each run take."""
    taken = []
    for axis in figure.axes[2 * panel : 2 * panel + 2]:
        points = np.concatenate(
            [line.get_xydata() for line in axis.lines if line.get_label() == "training"]
        )
        inside = axis.transAxes.inverted().transform(axis.transData.transform(points))
        taken.append(np.ptp(inside[:, 1]))
    return taken


def test_runs_side_by_side_share_their_scales():
    runs = {"a": run_of([2.3, 1.5, 0.9, 0.7]), "b": run_of([2.2, 2.0, 1.9, 1.6])}

    figure = compare_histories(runs)

    top_left, top_right, bottom_left, bottom_right = figure.axes
    assert top_left.get_ylim() == top_right.get_ylim()
    assert bottom_left.get_ylim() == bottom_right.get_ylim()
    assert (top_left.get_ylabel(), top_right.get_ylabel()) == ("loss", "")


def test_a_run_that_stays_where_it_is_keeps_the_common_scale():
    runs = {"learns": run_of([2.3, 1.5, 0.9, 0.7]), "stuck": run_of([2.301, 2.303, 2.302, 2.3])}

    top_left, top_right, *_ = compare_histories(runs).axes

    assert top_left.get_ylim() == top_right.get_ylim()


@pytest.mark.parametrize("factor", [1.0, 3.0, 20.0, 100.0, 1e4, 1e9])
def test_every_run_that_changes_is_seen_to_change(factor):
    runs = {
        "falls": run_of([0.7, 0.5, 0.45, 0.4]),
        "rises": run_of(factor * np.array([0.5, 0.6, 0.8, 0.9])),
    }

    figure = compare_histories(runs)

    assert min(heights(figure, 0)) > 0.1
    own = [axis.get_ylabel() for axis in figure.axes[:2]]
    same = figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert own == (["loss", ""] if same else ["loss (own scale)"] * 2)


def test_a_common_scale_is_the_same_whichever_run_comes_first():
    falls, steady = run_of([3.0, 1.0, 0.3, 0.05]), run_of([2.0, 1.0, 0.6, 0.4])
    one = compare_histories({"a": falls, "b": steady})
    other = compare_histories({"b": steady, "a": falls})

    assert {axis.get_yscale() for figure in (one, other) for axis in figure.axes[:2]} == {"log"}
    assert one.axes[0].get_ylim() == pytest.approx(other.axes[0].get_ylim())


def test_findings_are_drawn_in_the_column_of_their_run(flagship, healthy):
    runs = {"as asked": History.from_dict(flagship[0]), "corrected": History.from_dict(healthy[0])}

    figure = compare_histories(runs, {"as asked": diagnose(runs["as asked"]).findings})

    top_left, top_right, *_ = figure.axes
    assert "as asked" in top_left.get_title(loc="left")
    assert top_left.patches
    assert not top_right.patches


def test_a_narrow_figure_has_fewer_runs_side_by_side():
    runs = {str(number): run_of([2.0, 1.0]) for number in range(3)}

    narrow, wide = (compare_histories(runs, width=width) for width in (3.5, 20))

    assert narrow.get_figwidth() == 3.5
    assert narrow.axes[0].get_gridspec().ncols == 1
    assert wide.axes[0].get_gridspec().ncols == 3


def test_many_runs_are_stacked_four_to_a_row():
    runs = {
        str(number): History.from_dict({"loss": [2.0, 1.0 / (1 + number)]}) for number in range(6)
    }

    figure = compare_histories(runs)

    assert len(figure.axes) == 6
    assert len({axis.get_ylim() for axis in figure.axes}) == 1
    assert figure.get_figwidth() < 20
