"""The panels of a picture: losses, accuracies, and what else was logged of the insides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from diagnostics.history.column_roles import words
from diagnostics.history.history import History
from diagnostics.history.table import Floats
from diagnostics.report import curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPLITS = {"train": "training", "val": "validation"}
METRICS = ("loss", "accuracy")
# Beside these, so many columns of gradient norms or shares of dead units are drawn.
MOST_INTERNALS = 4
# A curve over less than this share of its panel is a flat line to the eye: a sixth of the 2 inches
# of a panel is six times the size of a marker.
LEAST_SHARE = 1 / 6
# Of a run that changes by less than this share of its level, the level is what is compared.
LEAST_CHANGE = 0.25
# A loss whose lowest value lies further above ln N has nothing to do with it.
FLOOR_REACH = 2.0


def metrics_of(history: History) -> list[str]:
    """Return which of loss and accuracy the history has."""
    return [
        metric
        for metric in METRICS
        if any(history.curve(f"{split}_{metric}") is not None for split in SPLITS)
    ]


def values_of(history: History, metric: str) -> Floats:
    """Return all finite values of a metric, training and validation."""
    found = (history.curve(f"{split}_{metric}") for split in SPLITS)
    values: Floats = np.concatenate([curve for curve in found if curve is not None])
    return values[np.isfinite(values)]


def shows_every_run(histories: Iterable[History], metric: str) -> bool:
    """Whether every run that changes can be seen to change on one axis for all of them.

    A run that stays where it is (less than `LEAST_CHANGE` of its level) is rightly a flat line.
    """
    found = [values for run in histories if len(values := values_of(run, metric))]
    if not found:
        return True
    together = np.concatenate(found)
    scale = np.log if curves.spans_decades(together) else np.asarray
    height = float(np.ptp(scale(together)))
    return all(
        np.ptp(scale(values)) >= LEAST_SHARE * height
        for values in found
        if np.ptp(values) > LEAST_CHANGE * np.abs(values).max()
    )


def internals_of(history: History) -> dict[str, list[str]]:
    """Return the columns of gradient norms and of dead units, by what they are."""
    found: dict[str, list[str]] = {"gradient norm": [], "dead units": []}
    for name, values in history.columns.items():
        if np.isfinite(values).sum() > 1:
            if "grad" in words(name):
                found["gradient norm"].append(name)
            elif "dead" in words(name):
                found["dead units"].append(name)
    return {title: names[:MOST_INTERNALS] for title, names in found.items() if names}


def draw_metrics(
    axes: Sequence[Axes], history: History, panels: list[str], *, numbers: bool = True
) -> None:
    """Draw losses and accuracies, each into its own axes; with the run's numbers in the legend."""
    from matplotlib.ticker import MaxNLocator

    if (history.epochs == np.round(history.epochs)).all():
        axes[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    for axis, panel in zip(axes, panels, strict=False):
        _draw_metric(axis, history, panel, numbers=numbers)
    _draw_levels(axes[0], history, numbers=numbers)


def _draw_metric(axis: Axes, history: History, metric: str, *, numbers: bool) -> None:
    """All curves of one metric, the best value marked."""
    shown = []
    last = None
    for (split, name), style in zip(SPLITS.items(), curves.STYLES, strict=False):
        values = history.curve(f"{split}_{metric}")
        if values is None:
            continue
        finite = np.isfinite(values)
        last = name, history.epochs[finite], values[finite]
        shown.append(values[finite])
        curves.draw_curve(axis, *last[1:], name, style, shift=split == "train")
        bad = history.epochs[history.not_finite(f"{split}_{metric}")]
        curves.draw_crosses(axis, bad, name, style["color"], 0.97 if split == "val" else 0.9)
    if metric == "loss":
        curves.choose_scale(axis, np.concatenate(shown))
    if not any(len(values) for values in shown):
        axis.set_yticks([])
    if last is not None:
        name = f"{last[0]} {metric}" if numbers else ""
        curves.draw_best(axis, *last[1:], name, lowest=metric == "loss")
    curves.dress(axis, metric)
    axis.margins(x=0.02, y=0.12)


def draw_internals(axis: Axes, history: History, name: str, columns: list[str]) -> None:
    """Draw gradient norms or shares of dead units, each column by its own name."""
    shown = []
    for column, style in zip(columns, curves.STYLES, strict=False):
        finite = np.isfinite(history.columns[column])
        shown.append(history.columns[column][finite])
        curves.draw_curve(axis, history.epochs[finite], shown[-1], column, style, shift=False)
    curves.choose_scale(axis, np.concatenate(shown))
    curves.dress(axis, name)
    axis.margins(x=0.02, y=0.12)


def _draw_levels(axis: Axes, history: History, *, numbers: bool) -> None:
    """Lines at ln C, and at ln N under a loss that never falls below it, where these show."""
    from diagnostics.rules import Run

    run = Run(history)
    levels = {}
    if run.classes is not None:
        guess = f"guessing among {run.classes}: ln {run.classes}" if numbers else "_guess"
        levels[guess] = float(np.log(run.classes))
    if run.samples and run.val_loss is not None:
        floor = float(np.log(run.samples))
        if floor <= run.val_loss.values.min() < FLOOR_REACH * floor:
            levels[f"ln N, N = {run.samples} samples"] = floor
    low, high = axis.get_ylim()
    dashes = ((0, (1, 2)), (0, (6, 2)))
    for (label, level), dash in zip(levels.items(), dashes, strict=False):
        if low < level < high:
            axis.axhline(level, color=curves.GREY, linewidth=0.9, linestyle=dash, label=label)
