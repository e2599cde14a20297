"""The report as a figure, by its artists and labels."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.text import Text

from gradcheck.report.data import Entry, Verdict
from gradcheck.report.plots.figure import to_figure, to_image
from gradcheck.report.plots.matrices import largest_of_blocks, panels
from tests.support import reports as r


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def images(figure):
    return [ax.images[0] for ax in figure.axes if ax.images]


def matrix_report(analytic, numerical):
    return r.failing_with(r.wrong_tensor("W", analytic, numerical))


@pytest.mark.parametrize("name", r.every())
def test_every_report_can_be_drawn(name):
    report = r.every()[name]

    figure = to_figure(report)

    figure.draw_without_rendering()
    assert f"{report.verdict}  {report.target}" in figure.get_suptitle()


def test_matrices_share_a_symmetric_scale_and_the_difference_has_its_own():
    figure = to_figure(matrix_report([[1.0, -5.0]] * 2, [[1.0, 2.0]] * 2))

    limits = [image.get_clim() for image in images(figure)]

    assert limits == [(-5, 5), (-5, 5), (-7, 7)]
    assert {"analytic", "numerical", "analytic − numerical"} <= set(texts(figure))


def test_wrong_entries_are_outlined():
    numerical = np.zeros((3, 4))
    analytic = numerical.copy()
    analytic[1, 2] = 1.0

    ax = to_figure(matrix_report(analytic, numerical)).axes[0]

    (outline,) = (c for c in ax.collections if isinstance(c, LineCollection))
    corners = np.concatenate(outline.get_segments())
    assert len(outline.get_segments()) == 4
    assert corners.min(axis=0).tolist() == [1.5, 0.5]
    assert corners.max(axis=0).tolist() == [2.5, 1.5]


def test_numbers_are_printed_into_small_matrices_only():
    small = texts(to_figure(matrix_report([[1.25, 2.0]] * 2, [[1.25, 3.0]] * 2)))
    larger = to_figure(matrix_report(np.full((9, 9), 1.25), np.zeros((9, 9))))

    assert "1.2" in small
    assert not any(ax.texts for ax in larger.axes)


def test_not_finite_entries_are_masked_and_named():
    analytic, numerical = np.ones((2, 2)), np.ones((2, 2))
    analytic[0, 1] = np.nan

    figure = to_figure(matrix_report(analytic, numerical))

    assert images(figure)[0].get_array().mask.tolist() == [[False, True], [False, False]]
    assert figure.axes[0].patch.get_hatch()
    assert "nan" in texts(figure)


def test_large_matrices_are_pooled_and_say_so():
    numerical = np.zeros((200, 130))
    analytic = numerical.copy()
    analytic[150, 100] = -3.0
    figure = to_figure(matrix_report(analytic, numerical))

    drawn = images(figure)[0].get_array()

    assert max(drawn.shape) <= 64
    assert drawn.min() == -3.0
    assert np.count_nonzero(drawn) == 1
    assert any("each cell shows the largest of 4x3 entries" in text for text in texts(figure))


def test_pooling_keeps_sign_size_and_nan():
    values = np.array([[1.0, -4.0, 2.0], [3.0, 0.0, np.inf], [-1.0, 0.5, 0.0]])

    pooled = largest_of_blocks(values, (2, 2))

    np.testing.assert_array_equal(pooled, [[-4.0, np.nan], [-1.0, 0.0]])


def test_kernels_are_drawn_with_the_first_axis_as_rows():
    figure = to_figure(r.every()["kernel"])

    assert images(figure)[0].get_array().shape == (2, 27)
    assert any("2x3x3x3 drawn as 2x27" in text for text in texts(figure))


def test_vectors_are_bars_on_a_shared_scale():
    analytic, numerical, difference = to_figure(r.failing()).axes

    assert [bar.get_height() for bar in numerical.patches] == r.BIAS.tolist()
    assert analytic.get_ylim() == numerical.get_ylim() != difference.get_ylim()
    assert analytic.get_ylim()[1] > r.BIAS.sum()


def test_gap_in_a_vector_is_marked_not_drawn_as_zero():
    report = r.failing_with(r.wrong_tensor("b", [1.0, np.nan], [1.0, 2.0]))

    analytic, *_ = to_figure(report).axes

    (gap,) = (patch for patch in analytic.patches if patch.get_hatch())
    assert gap.get_x() < 1 < gap.get_x() + gap.get_width()


def test_unmeasured_tensor_shows_its_worst_entries_with_error_bars():
    entries = (Entry((3, 4), 2.0, 1.0, 0.25), Entry((5, 6), float("nan"), 1.0, 0.25))
    tensor = r.right_tensor("W", (784, 300), verdict=Verdict.FAIL, worst=entries)

    (ax,) = to_figure(r.failing_with(tensor)).axes

    assert [label.get_text() for label in ax.get_yticklabels()] == ["[3, 4]", "[5, 6] analytic nan"]
    (bar,) = ax.containers
    segments = bar.lines[2][0].get_segments()
    assert segments[0][:, 0].tolist() == [0.75, 1.25]


def test_tensor_without_entries_shows_the_reason():
    assert "shape (4,)" in texts(to_figure(r.every()["not localised"]))


def test_claim_in_another_shape_is_not_drawn_as_if_it_fitted():
    tensor = replace(r.wrong_tensor("b", [1.0, 2.0], [0.0, 0.0]), analytic=np.zeros((5, 2)))

    assert panels(tensor) is None
    assert any("worst entries" in text for text in texts(to_figure(r.failing_with(tensor))))


def test_tensors_left_out_are_counted():
    tensors = [r.wrong_tensor(f"W{i}", np.ones((2, 2)), np.zeros((2, 2))) for i in range(9)]

    figure = to_figure(r.failing_with(*tensors))

    assert len(images(figure)) == 3 * 6
    assert "6 of 9 wrong tensors shown, 3 left out" in figure.get_suptitle()


def test_explained_tensors_are_drawn_before_the_unexplained():
    tensors = [r.wrong_tensor(name, np.ones((2, 2)), np.zeros((2, 2))) for name in "Wb"]
    report = replace(r.failing_with(*tensors), explanations=(r.SUMMED,))

    titles = [text for text in texts(to_figure(report)) if ", shape" in text]

    assert [title[0] for title in titles] == ["b", "W"]


def test_guilty_layer_of_a_network_is_drawn():
    assert any(text.startswith("layers[1].b") for text in texts(to_figure(r.network())))


def test_summary_shows_error_bound_and_resolution_of_every_tensor():
    (ax,) = to_figure(r.passing()).axes

    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x  PASS", "W  PASS"]
    bound, resolution = (line.get_xdata() for line in ax.lines)
    assert list(bound) == [2e-11, 2e-11]
    assert list(resolution) == [3e-11, 3e-11]
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    assert ends == pytest.approx([1e-13, 1e-13], rel=1e-9)


def test_error_of_zero_is_written_where_a_logarithm_has_no_place():
    report = r.failing_with(r.right_tensor("W", relative_error=0.0))

    (ax,) = to_figure(report).axes

    assert [text.get_text().strip() for text in ax.texts] == ["0"]


def test_summary_of_many_tensors_shows_the_least_resolved():
    tensors = [r.right_tensor(f"W{i}", resolution=1e-12 * (i + 1)) for i in range(60)]

    (ax,) = to_figure(r.failing_with(*tensors)).axes

    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == 40
    assert labels[0] == "W59  PASS"
    assert ax.get_title().startswith("40 of 60")


@pytest.mark.parametrize("name", ["$x_$", "a$b", "重み", r"\frac"])
def test_any_name_can_be_drawn(name):
    wrong = r.failing_with(r.wrong_tensor(name, np.ones((2, 2)), np.zeros((2, 2))))

    assert to_image(replace(wrong, target=name), "png")
    assert to_image(r.failing_with(r.right_tensor(name)), "png")


def test_drawing_leaves_pyplot_and_settings_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)

    to_image(r.failing(), "svg")

    assert dict(mpl.rcParams) == before
