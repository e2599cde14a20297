"""A report as a Matplotlib figure: wrong gradients beside right ones, or the errors of all."""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from gradcheck.report.causes import tensors_not_passed, walk
from gradcheck.report.data import TensorReport, Verdict
from gradcheck.report.entries import extent, worst_entries
from gradcheck.report.headline import summarize
from gradcheck.report.plots.matrices import panels
from gradcheck.report.plots.panels import (
    BLUE,
    VERMILLION,
    draw_bars,
    draw_entries,
    draw_matrices,
    draw_reason,
)
from gradcheck.report.wording import confidence_words, elide, joined

if TYPE_CHECKING:
    from matplotlib.axes import Axes
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

# Rows that can still be read on a page; of more tensors, those with the worst resolution.
MOST_ROWS = 40

FILLS: Mapping[Verdict, Mapping[str, Any]] = {
    Verdict.PASS: {"color": BLUE},
    Verdict.UNDECIDED: {"facecolor": "0.75", "edgecolor": "0.3", "hatch": "...."},
    Verdict.FAIL: {"facecolor": VERMILLION, "edgecolor": "black", "hatch": "////"},
}
# What is marked beside the errors, with which marker of which size.
MARK: Mapping[str, Any] = {"color": "black", "fillstyle": "none", "mew": 1.6}
MARKS = (
    ("error_bound", "|", 11, "error bound of the numerical gradient"),
    ("resolution", "D", 5, "resolution: a relative error above it would have been detected"),
)


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
    shown = [(name, tensor, *_row(tensor)) for name, tensor in wrong[:MOST_TENSORS]]
    heights = [height for _, _, height, _, _ in shown]
    figure = Figure(figsize=(WIDTH, sum(heights) + TITLE_HEIGHT), layout="constrained")
    rows = figure.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for row, (name, tensor, _, description, draw) in zip(rows, shown, strict=True):
        title = f"{elide(name, 48)}, shape {tensor.shape}"
        for first in tensor.explanations[:1]:
            title += f": {first.code} ({confidence_words(first.confidence)})"
        row.suptitle(f"{title}\n{description}".rstrip(), fontsize=9.5, parse_math=False)
        draw(row)
    return figure


def _row(tensor: TensorReport) -> tuple[float, str, Callable[[SubFigure], None]]:
    """Return the height of a tensor's row, what is said above it, and what draws it."""
    drawn = panels(tensor)
    if drawn is not None:
        wrong = f"wrong and outlined: {extent(tensor)}" if worst_entries(tensor) else ""
        description = "; ".join(part for part in (wrong, drawn.how) if part)
        height, draw = (BAR_HEIGHT, draw_bars) if drawn.is_row else (MATRIX_HEIGHT, draw_matrices)
        return height, description, lambda row: draw(row, drawn)
    if tensor.worst:
        description = "not measured entry by entry: its worst entries"
        return ENTRY_HEIGHT, description, lambda row: draw_entries(row.subplots(), tensor.worst)
    return REASON_HEIGHT, "", lambda row: draw_reason(row.subplots(), tensor.reason)


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
        _draw_summary(axes, tensors)
    else:
        draw_reason(axes, "no gradient was checked")
    return figure


def _draw_summary(ax: Axes, tensors: Sequence[tuple[str, TensorReport]]) -> None:
    """Draw one row for each tensor on a logarithmic scale of relative error."""
    shown = list(tensors)
    if len(tensors) > MOST_ROWS:
        shown = sorted(tensors, key=lambda item: -item[1].resolution)[:MOST_ROWS]
        ax.set_title(f"{MOST_ROWS} of {len(tensors)} tensors, least resolved first", fontsize=9)
    limits = _limits([tensor for _, tensor in shown])
    ax.set_xscale("log")
    ax.set_xlim(*limits)
    _draw_errors(ax, [tensor for _, tensor in shown], limits)
    for name, marker, size, label in MARKS:
        # a logarithmic axis has no place for zero and infinity
        values = np.array([getattr(tensor, name) for _, tensor in shown], dtype=np.float64)
        values[~np.isfinite(values) | (values <= 0)] = np.nan
        ax.plot(values, range(len(shown)), marker, markersize=size, label=label, **MARK)
    ax.set_ylim(len(shown) - 0.5, -0.5)
    labels = [f"{elide(name, 32)}  {tensor.verdict}" for name, tensor in shown]
    ax.set_yticks(range(len(shown)), labels, parse_math=False)
    ax.set_xlabel("relative error", fontsize=9)
    ax.tick_params(labelsize=8)
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)
    ax.figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)


def _draw_errors(ax: Axes, tensors: Sequence[TensorReport], limits: tuple[float, float]) -> None:
    """Draw the errors as bars, filled by verdict; an error of zero is written."""
    floor, ceiling = limits
    for verdict, fill in FILLS.items():
        rows = [row for row, tensor in enumerate(tensors) if tensor.verdict is verdict]
        if not rows:
            continue
        errors = np.clip([tensors[row].relative_error for row in rows], floor, ceiling)
        ax.barh(rows, errors - floor, 0.55, floor, label=f"relative error, {verdict}", **fill)
    for row, tensor in enumerate(tensors):
        if tensor.relative_error == 0:
            ax.text(floor, row, " 0", fontsize=8, va="center")


def _limits(tensors: Sequence[TensorReport]) -> tuple[float, float]:
    """Return powers of ten around all that is drawn; an error of zero begins at the lower one."""
    numbers = [n for t in tensors for n in (t.relative_error, t.error_bound, t.resolution)]
    drawn = [math.log10(n) for n in numbers if math.isfinite(n) and n > 0] or [-16.0, 0.0]
    return 10.0 ** (math.floor(min(drawn)) - 1), 10.0 ** (math.ceil(max(drawn)) + 1)
