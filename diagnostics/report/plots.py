"""The picture of a run: loss above, accuracy below, findings drawn where they happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnostics.finding import Finding
from diagnostics.history.history import History, as_history
from diagnostics.report import panels
from diagnostics.report.annotations import draw_lanes, heading_of
from diagnostics.report.curves import choose_scale
from gradcheck_arguments import Positive, checked

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, PANEL, MARGIN = 7.0, 2.0, 1.4  # inches
# Width of one of several runs side by side: its heading and the epochs below it can be read.
COLUMN = 3.6
# A figure narrower than this has its legend in one column.
NARROW = 5.0
MOST_SIDE_BY_SIDE = 4

# What `as_history` takes, and refuses by itself: objects of many libraries hold one.
AnyHistory = Any


@checked
def plot_history(
    history: AnyHistory,
    findings: Sequence[Finding] | None = None,
    *,
    axes: Sequence[Axes] | None = None,
    title: str | None = None,
    width: Positive = WIDTH,
) -> Figure:
    """Draw the curves of a run with its findings.

    Parameters
    ----------
    history
        The run: a `History`, or what `diagnose` takes for one.
    findings
        What `diagnose` found: drawn in lanes above the curves, over the epochs concerned.
    axes
        Axes to draw into, one for each of loss and accuracy that the history has; by default a
        new figure, which also shows gradient norms and dead units where they were logged.
    title
        Heading; by default the code of the first finding.
    width
        Of a new figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
        The figure; save it with ``figure.savefig("run.png")``.
    """
    display = HistoryDisplay.from_history(history, findings)
    return display.plot(axes, title=title, width=width).figure_


@checked
@dataclass
class HistoryDisplay:
    """A run ready to be drawn, in the manner of scikit-learn's displays.

    Parameters
    ----------
    history
        The run.
    findings
        What `diagnose` found in it.

    Attributes
    ----------
    figure_
        The figure, once drawn.
    axes_
        Its axes, loss first.
    """

    history: History
    findings: tuple[Finding, ...] = ()
    figure_: Figure = field(init=False)
    axes_: list[Axes] = field(init=False)

    @classmethod
    @checked
    def from_history(
        cls, history: AnyHistory, findings: Sequence[Finding] | None = None
    ) -> HistoryDisplay:
        """Take a run in any form that `diagnose` takes."""
        return cls(as_history(history), tuple(findings or ()))

    @checked
    def plot(
        self,
        axes: Sequence[Axes] | None = None,
        *,
        title: str | None = None,
        width: Positive = WIDTH,
    ) -> HistoryDisplay:
        """Draw into ``axes``, else into a new figure; see `plot_history`."""
        from matplotlib.figure import Figure

        metrics = panels.metrics_of(self.history)
        internals = {} if axes is not None else panels.internals_of(self.history)
        own = axes is None
        if axes is None:
            count = len(metrics) + len(internals)
            figure = Figure(figsize=(width, PANEL * count + MARGIN), layout="constrained")
            axes = list(np.atleast_1d(figure.subplots(count, 1, sharex=True)))
        elif len(axes) < len(metrics):
            needed = f"{len(metrics)} needed for {', '.join(metrics)}"
            raise ValueError(f"axes: {len(axes)} given, {needed}")
        panels.draw_metrics(axes, self.history, metrics)
        self.axes_ = list(axes)[: len(metrics) + len(internals)]
        below = zip(self.axes_[len(metrics) :], internals.items(), strict=True)
        for axis, (name, columns) in below:
            panels.draw_internals(axis, self.history, name, columns)
        self.axes_[-1].set_xlabel(self.history.axis)
        lanes = draw_lanes(self.axes_[: len(metrics)], self.history, self.findings)
        heading_of(axes[0], _heading(self.findings) if title is None else title, lanes)
        self.figure_ = axes[0].get_figure(root=True)  # type: ignore[assignment]
        if own:
            _legend_below(self.figure_)
        else:
            axes[0].legend(frameon=True, framealpha=0.85, fontsize="small", loc="best")
        return self


@checked
def compare_histories(
    histories: Mapping[str, History],
    findings: Mapping[str, Sequence[Finding]] | None = None,
    *,
    width: Positive | None = None,
) -> Figure:
    """Draw runs side by side: on a common scale for each metric where that shows every run.

    Where a run would be a flat line on the common scale of a metric though its values change, each
    run has a scale of its own there, and the axes say so.

    Parameters
    ----------
    histories
        The runs by their names, as in ``{"as asked": broken, "corrected": corrected}``.
    findings
        The findings of each run by the same names.
    width
        Of the figure, in inches; by default as wide as the runs need.

    Returns
    -------
    matplotlib.figure.Figure
        One column for each run, four to a row, fewer where ``width`` has no room for them.

    Raises
    ------
    ValueError
        There are no runs, or they have neither losses nor accuracies in common.
    """
    from matplotlib.figure import Figure

    if not histories:
        raise ValueError("histories: give at least one run")
    metrics = [
        m for m in panels.METRICS if all(m in panels.metrics_of(run) for run in histories.values())
    ]
    if not metrics:
        raise ValueError("histories: the runs have neither losses nor accuracies in common")
    fitting = MOST_SIDE_BY_SIDE if width is None else max(1, int(width / COLUMN))
    columns = min(len(histories), MOST_SIDE_BY_SIDE, fitting)
    stacks = -(-len(histories) // columns)
    size = (width or max(WIDTH, COLUMN * columns), stacks * (PANEL * len(metrics) + MARGIN))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(stacks * len(metrics), columns, squeeze=False)
    common = {metric for metric in metrics if panels.shows_every_run(histories.values(), metric)}
    own: list[Artist] = []
    for number, (name, history) in enumerate(histories.items()):
        stack, column = divmod(number, columns)
        axes = grid[stack * len(metrics) : (stack + 1) * len(metrics), column].tolist()
        for axis, first, metric in zip(axes, grid[:, 0], metrics, strict=False):
            if metric in common and axis is not first:
                axis.sharey(first)
        own += _draw_column(axes, metrics, name, history, list((findings or {}).get(name, ())))
        for axis, metric in zip(axes, metrics, strict=True):
            alone = metric not in common
            axis.set_ylabel(f"{metric} (own scale)" if alone else "" if column else metric)
    for first, metric in zip(grid[:, 0], metrics, strict=False):
        if metric in common:
            choose_scale(
                first, np.concatenate([panels.values_of(h, metric) for h in histories.values()])
            )
    for axis in grid[-len(metrics) :, (len(histories) - 1) % columns + 1 :].flat:
        axis.remove()
    _legend_below(figure, leave_out=own)
    return figure


def _draw_column(
    axes: Sequence[Axes],
    metrics: list[str],
    name: str,
    history: History,
    findings: Sequence[Finding],
) -> list[Artist]:
    """Draw one of several runs, its metrics below one another; return what it alone has."""
    for axis in axes[1:]:
        axis.sharex(axes[0])
    own = panels.draw_metrics(axes, history, metrics)
    lanes = draw_lanes(axes, history, findings)
    heading_of(axes[0], f"{name}\n{_heading(findings)}".rstrip(), lanes)
    axes[-1].set_xlabel(history.axis)
    for axis in axes[:-1]:
        axis.tick_params(labelbottom=False)
    return own


def _heading(findings: Sequence[Finding]) -> str:
    """The first finding in a line."""
    if not findings:
        return ""
    first = findings[0]
    return f"{first.code} ({first.severity}, confidence {first.confidence:.0%})"


def _legend_below(figure: Figure, leave_out: Sequence[Artist] = ()) -> None:
    """One legend for all panels, where it hides nothing."""
    labelled: dict[str, Any] = {}
    for axis in figure.axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            if handle not in leave_out:
                labelled.setdefault(label, handle)
    figure.legend(
        list(labelled.values()),
        list(labelled),
        loc="outside lower left",
        ncols=1 if figure.get_figwidth() < NARROW else 2,
        fontsize="small",
        frameon=False,
    )
