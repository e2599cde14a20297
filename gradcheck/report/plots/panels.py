"""Drawings of one wrong gradient: matrices, bars, or its worst entries."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection

from gradcheck.report.data import Entry, FloatArray
from gradcheck.report.entries import BoolArray
from gradcheck.report.plots.matrices import Panels
from gradcheck.report.wording import index_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure
    from matplotlib.image import AxesImage

# Purple to orange over white: apart for all kinds of colour blindness, dark at both ends in grey.
COLOURS = "PuOr"
# Okabe and Ito, "Color Universal Design" (2008).
BLUE, VERMILLION = "#0072B2", "#D55E00"
BAR_COLOURS = (VERMILLION, BLUE, "0.4")
MISSING = {"facecolor": "0.8", "hatch": "////", "edgecolor": "0.5"}

TITLES = ("analytic", "numerical", "analytic − numerical")
# Numbers are printed into matrices of up to this many rows and columns.
MOST_PRINTED = 8
# Of the colour scale: beyond it white letters are easier to read than black ones.
DARK = 0.6


def draw_matrices(figure: SubFigure, drawn: Panels) -> None:
    """Draw analytic and numerical on one symmetric scale, and their difference on its own."""
    axes = figure.subplots(1, 3)
    shared = _largest(drawn.analytic, drawn.numerical)
    limits = (shared, shared, _largest(drawn.difference))
    images = []
    for ax, values, limit, title in zip(axes, drawn.sides, limits, TITLES, strict=True):
        images.append(_draw_matrix(ax, values, limit, drawn))
        ax.set_title(title, fontsize=9)
    for image, beside, label in (
        (images[0], axes[:2], "gradient"),
        (images[2], axes[2:], "difference"),
    ):
        bar = figure.colorbar(image, ax=beside, pad=0.02)
        bar.set_label(label, fontsize=8)
        bar.ax.tick_params(labelsize=8)


def _draw_matrix(ax: Axes, values: FloatArray, limit: float, drawn: Panels) -> AxesImage:
    height, width = (n * step for n, step in zip(values.shape, drawn.block, strict=True))
    ax.patch.set(**MISSING)
    image = ax.imshow(
        np.ma.masked_invalid(values),
        cmap=COLOURS,
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
    )
    ax.add_collection(
        LineCollection(_outline(drawn.wrong, drawn.block), colors="black", linewidths=1.6)
    )
    ax.locator_params(integer=True)
    ax.tick_params(labelsize=8)
    if max(values.shape) <= MOST_PRINTED:
        _print_numbers(ax, values, limit)
    return image


def _print_numbers(ax: Axes, values: FloatArray, limit: float) -> None:
    for (row, column), number in np.ndenumerate(values):
        value = float(number)
        text = ax.text(column, row, _short(value), fontsize=7, ha="center", va="center")
        if np.isnan(value):
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
        elif abs(value) > DARK * limit:
            text.set_color("white")


def _short(value: float) -> str:
    """Write a number so that it fits a cell: two digits, one where there is an exponent."""
    return f"{value:.1g}" if len(f"{value:.2g}") > 6 else f"{value:.2g}"


def _outline(wrong: BoolArray, block: tuple[int, int]) -> list[FloatArray]:
    """Return the line segments between wrong cells and others, in entries of the gradient."""
    framed = np.pad(wrong, 1)
    scale = np.array(block[::-1], dtype=np.float64)
    across = np.argwhere(framed[1:, 1:-1] != framed[:-1, 1:-1])
    down = np.argwhere(framed[1:-1, 1:] != framed[1:-1, :-1])
    starts = np.concatenate([across, down])[:, ::-1]  # (segments, x and y)
    steps = np.repeat([[1, 0], [0, 1]], [len(across), len(down)], axis=0)
    return list(np.stack([starts, starts + steps], axis=1) * scale - 0.5)


def draw_bars(figure: SubFigure, drawn: Panels) -> None:
    """Draw a vector as bars: analytic and numerical on one scale, and their difference."""
    axes = figure.subplots(1, 3)
    wrong, step = drawn.wrong[0], drawn.block[1]
    positions = step * np.arange(wrong.size) + (step - 1) / 2
    for ax, (values,), colour, title in zip(axes, drawn.sides, BAR_COLOURS, TITLES, strict=True):
        bars = ax.bar(positions, np.nan_to_num(values), 0.8 * step, color=colour)
        for bar in np.array(bars.patches)[wrong]:
            bar.set(edgecolor="black", linewidth=1.2)
        for position in positions[np.isnan(values)]:
            ax.axvspan(position - 0.4 * step, position + 0.4 * step, **MISSING)
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_xlim(-0.5, step * wrong.size - 0.5)
        ax.set_title(title, fontsize=9)
        ax.locator_params(axis="x", integer=True, min_n_ticks=1)
        ax.tick_params(labelsize=8)
    axes[1].sharey(axes[0])
    axes[0].autoscale_view()


def draw_entries(ax: Axes, entries: Sequence[Entry]) -> None:
    """Draw analytic against numerical for each entry, with the bound of the numerical one."""
    rows = np.arange(len(entries))
    numerical = [entry.numerical for entry in entries]
    bounds = [entry.bound if np.isfinite(entry.bound) else 0.0 for entry in entries]
    analytic = [entry.analytic for entry in entries]
    ax.errorbar(
        numerical, rows, xerr=bounds, fmt="o", color=BLUE, capsize=4, label="numerical ± bound"
    )
    ax.plot(analytic, rows, "D", color=VERMILLION, fillstyle="none", mew=1.5, label="analytic")
    for a, b, row in zip(analytic, numerical, rows, strict=True):
        ax.plot([a, b], [row, row], color="0.6", linewidth=1, zorder=0)
    infinite = ["" if np.isfinite(value) else f" analytic {value}" for value in analytic]
    ax.set_yticks(rows, [index_words(e.index) + n for e, n in zip(entries, infinite, strict=True)])
    ax.set_ylim(len(entries) - 0.5, -0.5)
    ax.axvline(0, color="black", linewidth=0.8, zorder=0)
    ax.set_xlabel("gradient", fontsize=9)
    ax.tick_params(labelsize=8)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8, frameon=False)


def draw_reason(ax: Axes, reason: str) -> None:
    """Write the reason where there are no numbers to draw."""
    ax.set_axis_off()
    text = textwrap.fill(reason or "nothing was measured", 80)
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, parse_math=False)


def _largest(*matrices: FloatArray) -> float:
    """Return the largest finite magnitude, 1 where there is none but zero."""
    largest = max(float(np.max(np.abs(m[np.isfinite(m)]), initial=0.0)) for m in matrices)
    return largest or 1.0
