"""A report as a Matplotlib figure: the wrong gradients beside the right ones."""

from __future__ import annotations

import io
import textwrap
import warnings
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from gradcheck.report.data import TensorReport, Verdict
from gradcheck.report.entries import extent
from gradcheck.report.headline import summarize, tensors_not_passed, walk
from gradcheck.report.plots.errors import MOST_ROWS, draw_summary
from gradcheck.report.plots.matrices import Panels, panels
from gradcheck.report.plots.panels import draw_bars, draw_entries, draw_matrices, draw_reason
from gradcheck.report.wording import confidence_words, elide, joined

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

    from gradcheck.report.outcome import Outcome

# A page holds this many rows that can still be read.
MOST_TENSORS = 6

PIXELS_PER_INCH = 144
WIDTH = 10.0
MATRIX_HEIGHT, BAR_HEIGHT, ENTRY_HEIGHT, REASON_HEIGHT = 3.0, 2.3, 2.6, 0.8
TITLE_HEIGHT, SUMMARY_ROW = 0.6, 0.32
# Characters of the title that fit the width.
TITLE_WIDTH = 92


def to_figure(report: Outcome) -> Figure:
    """Draw the report.

    Of a report that fails, each wrong gradient: analytic and numerical on one scale, and their
    difference on its own, wrong entries outlined. Where the gradient was not measured entry by
    entry, its worst entries. Of any other report, the error of each tensor beside its bound.
    """
    summary = summarize(report)
    title = textwrap.fill(f"{summary.verdict}  {summary.title}", TITLE_WIDTH)
    wrong = [
        (joined(path, tensor.name), tensor)
        for path, tensor in tensors_not_passed(report)
        if tensor.verdict is Verdict.FAIL
    ]
    figure = _gradients(wrong) if report.verdict is Verdict.FAIL and wrong else _summary(report)
    left_out = len(wrong) - MOST_TENSORS
    if left_out > 0:
        title += f"\n{MOST_TENSORS} of {len(wrong)} wrong tensors shown, {left_out} left out"
    figure.suptitle(title, fontweight="bold", fontsize=11, parse_math=False)
    return figure


def to_image(report: Outcome, file_format: str) -> bytes:
    """Return the figure as a file; the same report gives the same bytes.

    Parameters
    ----------
    report
        What to draw.
    file_format
        ``"png"`` or ``"svg"``.
    """
    buffer = io.BytesIO()
    metadata = {"Date": None} if file_format == "svg" else None
    with warnings.catch_warnings(), mpl.rc_context({"svg.hashsalt": "gradcheck"}):
        # names of tensors may hold any letters; those without a glyph are drawn as boxes
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure = to_figure(report)
        figure.savefig(buffer, format=file_format, dpi=PIXELS_PER_INCH, metadata=metadata)
    return buffer.getvalue()


def _gradients(wrong: list[tuple[str, TensorReport]]) -> Figure:
    shown = [(name, tensor, panels(tensor)) for name, tensor in wrong[:MOST_TENSORS]]
    heights = [_height(tensor, drawn) for _, tensor, drawn in shown]
    figure = Figure(figsize=(WIDTH, sum(heights) + TITLE_HEIGHT), layout="constrained")
    rows = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for row, (name, tensor, drawn) in zip(rows, shown, strict=True):
        title = f"{_row_title(name, tensor)}\n{_row_description(tensor, drawn)}"
        row.suptitle(title.rstrip(), fontsize=9.5, parse_math=False)
        _draw(row, tensor, drawn)
    return figure


def _height(tensor: TensorReport, drawn: Panels | None) -> float:
    if drawn is None:
        return ENTRY_HEIGHT if tensor.worst else REASON_HEIGHT
    return BAR_HEIGHT if drawn.is_row else MATRIX_HEIGHT


def _row_title(name: str, tensor: TensorReport) -> str:
    title = f"{elide(name, 48)}, shape {tensor.shape}"
    if not tensor.explanations:
        return title
    first = tensor.explanations[0]
    return f"{title}: {first.code} ({confidence_words(first.confidence)})"


def _row_description(tensor: TensorReport, drawn: Panels | None) -> str:
    if drawn is None:
        return "not measured entry by entry: its worst entries" if tensor.worst else ""
    wrong = f"wrong and outlined: {extent(tensor)}" if tensor.worst else ""
    return "; ".join(part for part in (wrong, drawn.how) if part)


def _draw(row: SubFigure, tensor: TensorReport, drawn: Panels | None) -> None:
    if drawn is not None:
        draw = draw_bars if drawn.is_row else draw_matrices
        draw(row, drawn)
    elif tensor.worst:
        draw_entries(row.subplots(), tensor.worst)
    else:
        draw_reason(row.subplots(), tensor.reason)


def _summary(report: Outcome) -> Figure:
    tensors = [
        (joined(path, tensor.name), tensor)
        for path, part in walk(report)
        for tensor in part.tensors.values()
    ]
    rows = max(3, min(len(tensors), MOST_ROWS))
    figure = Figure(figsize=(WIDTH, 1.6 + SUMMARY_ROW * rows), layout="constrained")
    axes = figure.subplots()
    if tensors:
        draw_summary(axes, tensors)
    else:
        draw_reason(axes, "no gradient was checked")
    return figure
