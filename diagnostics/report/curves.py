"""One curve on one axis: every peak kept, noise smoothed over, what is not finite at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnostics.history.table import Floats
from diagnostics.statistics.robust import condense, noise, running_median

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

# Colours of Okabe and Ito (2008), told apart by the colour-blind; lines differ in grey as well.
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY = "#5c5c5c"
STYLES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "--", "marker": "o", "markerfacecolor": "white"},
    {"color": VERMILLION, "linestyle": "-", "marker": "s"},
    {"color": GREEN, "linestyle": "-.", "marker": "^", "markerfacecolor": "white"},
    {"color": PURPLE, "linestyle": ":", "marker": "D"},
)
# A logarithmic axis pays from this ratio of the largest to the smallest value on.
LOG_RATIO = 20.0
# A smaller loss is zero for all purposes, and would leave the others no room.
SMALLEST_ON_LOG_AXIS = 1e-30
# More points than this do not show on any screen.
MOST_POINTS = 4000
# Markers become a blur beyond this many points; fewer are drawn then.
MOST_MARKERS = 25
# Longer curves are smoothed: always, or if their noise is more than this share of their range.
LONGEST_PLAIN = 1000
LONGEST_RAW, NOISY = 100, 0.02
# Points of the smooth curve, and the share of them under the running median.
SMOOTH_POINTS, WINDOW = 400, 0.05


def draw_curve(
    axis: Axes, x: Floats, y: Floats, name: str, style: Mapping[str, Any], *, shift: bool
) -> None:
    """Draw one curve of finite values; noise stays visible behind its running median."""
    if len(y) > LONGEST_PLAIN or (len(y) > LONGEST_RAW and _is_noisy(y)):
        raw_x, raw_y = decimate(x, y)
        axis.plot(raw_x, raw_y, color=style["color"], linewidth=0.5, alpha=0.35, label="_raw")
        x, y = smooth(x, y)
    else:
        x, y = decimate(x, y)
    every = -(-len(x) // MOST_MARKERS)
    offset = every // 2 if shift else 0  # markers of two equal curves stay visible
    axis.plot(x, y, label=name, linewidth=1.4, markersize=4, markevery=(offset, every), **style)


def _is_noisy(values: Floats) -> bool:
    """Whether noise hides the course, on the scale on which it will be drawn."""
    shown = np.log(values) if spans_decades(values) else values
    return noise(shown) > NOISY * float(np.ptp(shown))


def smooth(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the centred running median of block medians: no lag, no pull from outliers."""
    medians, middles = condense(y, SMOOTH_POINTS)
    width = 2 * int(WINDOW * len(medians) / 2) + 1
    return np.interp(middles, np.arange(len(x)), x), running_median(medians, width)


def decimate(x: Floats, y: Floats, points: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """Return the smallest and largest value of each block, in order: no peak is lost."""
    if len(x) <= points:
        return x, y
    block = -(-len(x) // (points // 2))
    starts = np.arange(0, len(x), block)
    pad = np.full(len(starts) * block - len(y), y[-1])
    blocks = np.concatenate([y, pad]).reshape(len(starts), block)
    extremes = np.stack([blocks.argmin(axis=1), blocks.argmax(axis=1)], axis=1)
    index = np.minimum((np.sort(extremes, axis=1) + starts[:, None]).ravel(), len(x) - 1)
    return x[index], y[index]


def draw_crosses(axis: Axes, x: Floats, name: str, color: str, height: float) -> None:
    """Mark values that are not finite by crosses near the upper edge."""
    if len(x) == 0:
        return
    x = x[:: max(1, len(x) // MOST_MARKERS)]
    axis.plot(
        x, np.full(len(x), height), linestyle="", marker="x", markersize=6, color=color,
        transform=axis.get_xaxis_transform(), label=f"{name}: NaN or infinite", clip_on=False,
    )  # fmt: skip


def draw_best(axis: Axes, x: Floats, y: Floats, name: str, *, lowest: bool) -> list[Artist]:
    """Draw a ring around the best value; its epoch and size are in the legend."""
    if len(y) == 0:
        return []
    best = int(np.argmin(y) if lowest else np.argmax(y))
    return list(axis.plot(
        x[best], y[best], marker="o", markersize=10, markerfacecolor="none", color="black",
        linestyle="", clip_on=False, label=f"best {name} {y[best]:.3g} at {x[best]:g}",
    ))  # fmt: skip


def dress(axis: Axes, label: str) -> None:
    """Give an axis its label, a faint grid and no frame."""
    axis.set_ylabel(label)
    axis.grid(alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def choose_scale(axis: Axes, values: Floats) -> None:
    """Make the axis logarithmic where the values span orders of magnitude."""
    axis.set_yscale("log" if spans_decades(values) else "linear")


def spans_decades(values: Floats) -> bool:
    """Whether the values are positive and span orders of magnitude."""
    if len(values) == 0 or values.min() <= SMALLEST_ON_LOG_AXIS:
        return False
    return bool(values.max() > LOG_RATIO * values.min())
