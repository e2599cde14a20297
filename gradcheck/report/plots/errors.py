"""The relative error of every tensor, beside the error bound and the resolution."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradcheck.report.data import TensorReport, Verdict
from gradcheck.report.plots.panels import BLUE, VERMILLION
from gradcheck.report.wording import elide

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Rows that can still be read on a page; of more tensors, those with the worst resolution.
MOST_ROWS = 40

FILLS: Mapping[Verdict, Mapping[str, Any]] = {
    Verdict.PASS: {"color": BLUE},
    Verdict.UNDECIDED: {"facecolor": "0.75", "edgecolor": "0.3", "hatch": "...."},
    Verdict.FAIL: {"facecolor": VERMILLION, "edgecolor": "black", "hatch": "////"},
}
BOUND: Mapping[str, Any] = {
    "marker": "|",
    "markersize": 11,
    "linestyle": "",
    "label": "error bound of the numerical gradient",
}
RESOLUTION: Mapping[str, Any] = {
    "marker": "D",
    "markersize": 5,
    "linestyle": "",
    "label": "resolution: a relative error above it would have been detected",
}


def draw_summary(ax: Axes, tensors: Sequence[tuple[str, TensorReport]]) -> None:
    """Draw one row for each tensor on a logarithmic scale of relative error."""
    shown = list(tensors)
    if len(tensors) > MOST_ROWS:
        shown = sorted(tensors, key=lambda item: -item[1].resolution)[:MOST_ROWS]
        ax.set_title(f"{MOST_ROWS} of {len(tensors)} tensors, least resolved first", fontsize=9)
    limits = _limits([tensor for _, tensor in shown])
    ax.set_xscale("log")
    ax.set_xlim(*limits)
    _draw_errors(ax, [tensor for _, tensor in shown], limits)
    _draw_marks(ax, [tensor.error_bound for _, tensor in shown], BOUND)
    _draw_marks(ax, [tensor.resolution for _, tensor in shown], RESOLUTION)
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
        errors = [min(max(tensors[row].relative_error, floor), ceiling) for row in rows]
        widths = [error - floor for error in errors]
        ax.barh(rows, widths, 0.55, floor, label=f"relative error, {verdict}", **fill)
    for row, tensor in enumerate(tensors):
        if tensor.relative_error == 0:
            ax.text(floor, row, " 0", fontsize=8, va="center")


def _draw_marks(ax: Axes, values: Sequence[float], style: Mapping[str, Any]) -> None:
    # a logarithmic axis has no place for zero and infinity
    drawn = [value if math.isfinite(value) and value > 0 else math.nan for value in values]
    ax.plot(drawn, range(len(drawn)), color="black", fillstyle="none", mew=1.6, **style)


def _limits(tensors: Sequence[TensorReport]) -> tuple[float, float]:
    """Return powers of ten around all that is drawn; an error of zero begins at the lower one."""
    numbers = [n for t in tensors for n in (t.relative_error, t.error_bound, t.resolution)]
    drawn = [math.log10(n) for n in numbers if math.isfinite(n) and n > 0] or [-16.0, 0.0]
    return 10.0 ** (math.floor(min(drawn)) - 1), 10.0 ** (math.ceil(max(drawn)) + 1)
