"""The picture of a run: loss above, accuracy below, findings drawn where they happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.history import History, as_history
from diagnostics.table import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours of Okabe and Ito (2008), told apart by the colour-blind; lines differ in grey as well.
BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#5c5c5c"
STYLES: dict[str, dict[str, Any]] = {
    "train": {"color": BLUE, "linestyle": "--", "marker": "o", "markerfacecolor": "white"},
    "val": {"color": VERMILLION, "linestyle": "-", "marker": "s"},
}
NAMES = {"train": "training", "val": "validation"}
PANELS = {"loss": "loss", "accuracy": "accuracy"}
# A logarithmic axis pays from this ratio of the largest to the smallest value on.
LOG_RATIO = 20.0
# A smaller loss is zero for all purposes, and would leave the others no room.
SMALLEST_ON_LOG_AXIS = 1e-30
# More points than this do not show on any screen.
MOST_POINTS = 4000
# Markers become a blur beyond this many points; fewer are drawn then.
MOST_MARKERS = 25
WIDTH, HEIGHT = 7.0, 5.2  # inches: column width of a page


def plot_history(
    history: History | str | Path | Mapping[str, Any] | Iterable[Mapping[str, Any]],
    findings: Sequence[Finding] | None = None,
    *,
    axes: Sequence[Axes] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the curves of a run with its findings.

    Parameters
    ----------
    history
        The run: a `History`, or what `diagnose` takes for one.
    findings
        What `diagnose` found; the most important one that has a place is shaded and labelled.
    axes
        Axes to draw into, one for each of loss and accuracy that the history has; by default a
        new figure.
    title
        Heading; by default the code of the first finding.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; save it with ``figure.savefig("run.png")``.
    """
    from matplotlib.figure import Figure

    history = as_history(history)
    panels = _panels(history)
    if axes is None:
        figure = Figure(figsize=(WIDTH, HEIGHT if len(panels) > 1 else 0.6 * HEIGHT))
        figure.set_layout_engine("constrained")
        axes = np.atleast_1d(figure.subplots(len(panels), 1, sharex=True)).tolist()
    elif len(axes) < len(panels):
        raise ValueError(f"axes: {len(axes)} given, {len(panels)} needed for {', '.join(panels)}")
    findings = list(findings or [])
    for axis, panel in zip(axes, panels, strict=False):
        _draw_panel(axis, history, panel)
        _shade(axis, history, findings)
    _draw_chance(axes[0], history)
    axes[len(panels) - 1].set_xlabel(history.axis)
    heading = title if title is not None else _heading(history, findings)
    axes[0].set_title(heading, loc="left", fontsize="medium")
    _legend(axes[0])
    return axes[0].get_figure(root=True)  # type: ignore[return-value]


def compare_histories(
    histories: Mapping[str, History],
    findings: Mapping[str, Sequence[Finding]] | None = None,
) -> Figure:
    """Draw runs side by side, with a common scale for each row of panels.

    Parameters
    ----------
    histories
        The runs by their names, as in ``{"as asked": broken, "mended": mended}``.
    findings
        The findings of each run by the same names.

    Returns
    -------
    matplotlib.figure.Figure
        One column for each run.
    """
    from matplotlib.figure import Figure

    if not histories:
        raise ValueError("histories: give at least one run")
    panels = [p for p in PANELS if all(p in _panels(h) for h in histories.values())]
    if not panels:
        raise ValueError("histories: the runs have neither losses nor accuracies in common")
    figure = Figure(figsize=(4.2 * len(histories), HEIGHT))
    figure.set_layout_engine("constrained")
    grid = figure.subplots(len(panels), len(histories), sharex="col", sharey="row", squeeze=False)
    for column, (name, history) in enumerate(histories.items()):
        of_run = list((findings or {}).get(name, ()))
        for axis, panel in zip(grid[:, column], panels, strict=True):
            _draw_panel(axis, history, panel)
            _shade(axis, history, of_run)
        _draw_chance(grid[0, column], history)
        heading = f"{name}\n{_heading(history, of_run)}".rstrip()
        grid[0, column].set_title(heading, loc="left", fontsize="medium")
        grid[-1, column].set_xlabel(history.axis)
    _legend(grid[0, 0])
    for axis in grid[:, 1:].flat:
        axis.set_ylabel("")
    return figure


def _panels(history: History) -> list[str]:
    """Which of loss and accuracy the history has."""
    return [
        panel
        for panel in PANELS
        if any(history.curve(f"{split}_{panel}") is not None for split in STYLES)
    ]


def _draw_panel(axis: Axes, history: History, panel: str) -> None:
    """All curves of one kind, their best values marked."""
    shown = []
    for split, style in STYLES.items():
        values = history.curve(f"{split}_{panel}")
        if values is None:
            continue
        finite = np.isfinite(values)
        shown.append(values[finite])
        _draw_curve(axis, history.epochs[finite], values[finite], NAMES[split], style)
        bad = history.logged(f"{split}_{panel}") & ~finite
        _draw_crosses(axis, history.epochs[bad], style["color"], NAMES[split])
    together = np.concatenate(shown)
    if panel == "loss" and len(together) and together.min() > SMALLEST_ON_LOG_AXIS:
        wide = together.max() > LOG_RATIO * together.min()
        axis.set_yscale("log" if wide else "linear")
    _mark_best(axis, history, panel)
    axis.set_ylabel(PANELS[panel])
    axis.grid(alpha=0.25, linewidth=0.6)
    axis.margins(x=0.02, y=0.12)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _draw_curve(
    axis: Axes, epochs: Floats, values: Floats, name: str, style: Mapping[str, Any]
) -> None:
    x, y = decimate(epochs, values)
    every = max(1, len(x) // MOST_MARKERS)
    offset = every // 2 if name == "training" else 0  # markers of two equal curves stay visible
    axis.plot(x, y, label=name, linewidth=1.4, markersize=4, markevery=(offset, every), **style)


def decimate(x: Floats, y: Floats, points: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """Return the smallest and largest value of each block, in order: no peak is lost.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        The curve.
    points
        The most points to return; shorter curves are returned as they are.
    """
    if len(x) <= points:
        return x, y
    block = -(-len(x) // (points // 2))
    starts = np.arange(0, len(x), block)
    pad = np.full(len(starts) * block - len(y), y[-1])
    blocks = np.concatenate([y, pad]).reshape(len(starts), block)
    extremes = np.stack([blocks.argmin(axis=1), blocks.argmax(axis=1)], axis=1)
    index = np.minimum((np.sort(extremes, axis=1) + starts[:, None]).ravel(), len(x) - 1)
    return x[index], y[index]


def _draw_crosses(axis: Axes, epochs: Floats, color: str, name: str) -> None:
    """Values that are not finite, at the upper edge."""
    if len(epochs) == 0:
        return
    epochs = epochs[:: max(1, len(epochs) // MOST_MARKERS)]
    axis.plot(
        epochs, np.full(len(epochs), 0.97), linestyle="", marker="x", markersize=6, color=color,
        transform=axis.get_xaxis_transform(), label=f"{name}, NaN or infinite", clip_on=False,
    )  # fmt: skip


def _mark_best(axis: Axes, history: History, panel: str) -> None:
    """A ring around the best value of the validation curve, with epoch and value beside it."""
    role, other = f"val_{panel}", f"train_{panel}"
    values, beside = history.curve(role), history.curve(other)
    if values is None:
        values, beside = beside, None
    if values is None or not np.isfinite(values).any():
        return
    best = int(np.nanargmin(values) if panel == "loss" else np.nanargmax(values))
    x, y = history.epochs[best], values[best]
    axis.plot(x, y, marker="o", markersize=10, markerfacecolor="none", color="black", linestyle="")
    late = best > 0.6 * len(values)
    # On the side of the curve where the other one is not.
    above = panel == "loss" and beside is not None and not beside[best] > y
    axis.annotate(
        f"best {y:.3g} at {x:g}",
        (x, y),
        xytext=(-8 if late else 8, 9 if above else -9),
        textcoords="offset points",
        ha="right" if late else "left",
        va="bottom" if above else "top",
        fontsize="small",
        bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8},
    )


def _placed(history: History, findings: Sequence[Finding]) -> Finding | None:
    """The finding to shade: one with an onset within the run, else the symptom, else the first."""
    spans = [f for f in findings if f.epochs is not None and f.severity is not Severity.INFO]
    later = [f for f in spans if f.epochs and f.epochs[0] > history.epochs[0]]
    symptom = [f for f in spans if f.code == "loss_accuracy_divergence"]
    return next(iter(later or symptom or spans), None)


def _shade(axis: Axes, history: History, findings: Sequence[Finding]) -> None:
    """The epochs that a finding concerns, and a line where it begins."""
    finding = _placed(history, findings)
    if finding is None or finding.epochs is None:
        return
    first, last = finding.epochs
    axis.axvspan(first, last, color=GREY, alpha=0.12, linewidth=0)
    axis.axvline(first, color=GREY, linewidth=1, linestyle=":")


def _draw_chance(axis: Axes, history: History) -> None:
    """A line at ln C where the number of classes shows in the curves."""
    from diagnostics.rules import Run

    classes = Run(history).classes
    if classes is None:
        return
    low, high = axis.get_ylim()
    level = float(np.log(classes))
    if low < level < high:
        axis.axhline(level, color=GREY, linewidth=0.9, linestyle=(0, (1, 2)))
        axis.annotate(
            f"guessing among {classes}: ln {classes}",
            (1, level),
            xycoords=axis.get_yaxis_transform(),
            ha="right", va="bottom", fontsize="x-small", color=GREY,
        )  # fmt: skip


def _heading(history: History, findings: Sequence[Finding]) -> str:
    """The first finding, and the one that is shaded, in a line each."""
    if not findings:
        return ""
    first, shaded = findings[0], _placed(history, findings)
    lines = [f"{first.code} ({first.severity}, confidence {first.confidence:.0%})"]
    if shaded is not None and shaded.epochs is not None:
        lines.append(f"shaded: {shaded.code} from {history.axis} {shaded.epochs[0]:g}")
    return "\n".join(lines)


def _legend(axis: Axes) -> None:
    axis.legend(frameon=True, framealpha=0.85, fontsize="small", loc="best")
