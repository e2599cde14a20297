"""Findings above a picture: each in a lane of its own, over the epochs that it concerns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diagnostics.finding import Finding, Severity
from diagnostics.history.history import History
from diagnostics.report.curves import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LANES = 3
# In points: the height of a lane, of its bar above the axis, and of the letters.
LANE, BAR, LETTERS = 15.0, 4.0, 8.0
# Width of a letter as a share of its height, in the fonts that Matplotlib comes with.
LETTER_WIDTH = 0.58
# Bars that begin left of the first share of the panel have their label on the left, those right
# of the second on the right.
LEFT_RIGHT = (0.2, 0.55)


def draw_lanes(axes: Sequence[Axes], history: History, findings: Sequence[Finding]) -> int:
    """Draw the findings that have a place above the first axis, shade one; return how many.

    The shaded one is that with an onset within the run, else the symptom, else the first.
    """
    lanes = _placed(findings)[:MOST_LANES]
    for number, finding in enumerate(reversed(lanes)):
        _draw_lane(axes[0], history, finding, BAR + number * LANE)
    shaded = shaded_finding(history, findings)
    if shaded is not None and shaded.epochs is not None:
        first, last = shaded.epochs
        for axis in axes:
            axis.axvspan(first, last, color=GREY, alpha=0.12, linewidth=0)
            axis.axvline(first, color=GREY, linewidth=1, linestyle=":")
    return len(lanes)


def heading_of(axis: Axes, text: str, lanes: int) -> None:
    """Set the title above the lanes, in as many lines as it takes."""
    figure = axis.get_figure(root=True)
    points = 72 * (figure.get_figwidth() if figure is not None else 7.0)
    columns = axis.get_subplotspec()
    share = 1 if columns is None else columns.get_gridspec().ncols
    letters = max(20, int(0.85 * points / share / (1.2 * LETTERS * LETTER_WIDTH)))
    lines = [textwrap.fill(line, letters, break_long_words=True) for line in text.splitlines()]
    axis.set_title("\n".join(lines), loc="left", fontsize=1.2 * LETTERS, pad=6 + lanes * LANE)


def _draw_lane(axis: Axes, history: History, finding: Finding, height: float) -> None:
    """A bar over the epochs of a finding, and its code at that end where there is room."""
    from matplotlib.transforms import ScaledTranslation

    if finding.epochs is None:
        return
    first, last = finding.epochs
    figure = axis.get_figure(root=True)
    if figure is None:
        return
    above = ScaledTranslation(0, height / 72, figure.dpi_scale_trans)
    transform = axis.get_xaxis_transform() + above
    axis.plot(
        [first, last], [1, 1], transform=transform, clip_on=False, color="black", linewidth=1.5,
        marker="|", markersize=5, label="_lane", scalex=False, scaley=False,
    )  # fmt: skip
    anchor, side = _anchor(history, first, last)
    axis.annotate(
        f"{finding.code} from {history.axis} {first:g}",
        (anchor, 1),
        xycoords=axis.get_xaxis_transform(),
        xytext=(0, height + 2),
        textcoords="offset points",
        ha=side,
        va="bottom",
        fontsize=LETTERS,
        annotation_clip=False,
    )


def _anchor(history: History, first: float, last: float) -> tuple[float, str]:
    """Where a label of most of the panel's width stands beside its bar and within the figure."""
    begin, end = history.epochs[0], history.epochs[-1]
    share = (first - begin) / max(end - begin, 1e-300)
    if share < LEFT_RIGHT[0]:
        return first, "left"
    return (last, "right") if share > LEFT_RIGHT[1] else ((begin + end) / 2, "center")


def shaded_finding(history: History, findings: Sequence[Finding]) -> Finding | None:
    """Return the finding whose epochs are shaded in the picture of the run, None without one."""
    placed = _placed(findings)
    later = [f for f in placed if f.epochs and f.epochs[0] > history.epochs[0]]
    symptom = [f for f in placed if f.code == "loss_accuracy_divergence"]
    return next(iter(later or symptom or placed), None)


def _placed(findings: Sequence[Finding]) -> list[Finding]:
    return [f for f in findings if f.epochs is not None and f.severity is not Severity.INFO]
