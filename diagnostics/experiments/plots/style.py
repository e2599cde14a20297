"""What all pictures of experiments share: markers, axes and legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diagnostics.experiments.model.samples import spread_out
from diagnostics.report.curves import BLUE, VERMILLION, dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Markers differ in grey as well.
RIGHT: dict[str, Any] = {"color": BLUE, "marker": "o", "markerfacecolor": "none"}
WRONG: dict[str, Any] = {"color": VERMILLION, "marker": "x"}
POINTS: dict[str, Any] = {"linestyle": "", "markersize": 4}
# Samples drawn one by one; more would be a blot.
MOST_POINTS = 600


def some(count: int) -> NDArray[np.intp]:
    """Return evenly spread indices, at most as many as can be drawn."""
    return spread_out(count, MOST_POINTS)


def clean(axis: Axes, title: str, x: str, y: str) -> None:
    """Give a panel its question, the looks that all share, and a legend below it."""
    axis.set_title(title, loc="left", fontsize="medium")
    axis.set_xlabel(x)
    dress(axis, y)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(
            frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(-0.02, -0.2),
            ncols=2, borderpad=0, columnspacing=1.2,
        )  # fmt: skip


def bars(axis: Axes, names: list[str], shares: list[float]) -> None:
    """Draw shares between 0 and 1 as bars across, one below the other, each with its number."""
    drawn = axis.barh(range(len(names)), shares, color=BLUE, height=0.6)
    axis.bar_label(drawn, [f" {share:.0%}" for share in shares], fontsize="small")
    axis.set_yticks(range(len(names)), names, fontsize="small")
    axis.set_ylim(max(len(names), 4) - 0.5, -0.5)
    axis.set_xlim(0, 1.18)
