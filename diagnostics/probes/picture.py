"""The picture of the experiment that decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from diagnostics.probes import panels
from diagnostics.probes.subject import Subject

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Panel = Callable[["Axes", Subject], None]

WIDTH, HEIGHT = 9.0, 4.2  # inches: two panels side by side on a page

# What decided, and what else shows it.
DECIDED: dict[str, tuple[Panel, Panel]] = {
    "evaluation_bug": (panels.row_sums, panels.batch_against_single),
    "nondeterministic_prediction": (panels.repeated, panels.loss_by_sample),
    "rounded_probabilities": (panels.row_sums, panels.loss_by_sample),
    "biased_average": (panels.reported_loss, panels.loss_by_sample),
    "loss_scale_mismatch": (panels.reported_loss, panels.loss_by_sample),
    "shuffled_labels": (panels.confusion, panels.loss_by_sample),
    "not_learning": (panels.confusion, panels.loss_by_sample),
    "class_collapse": (panels.confusion, panels.loss_by_sample),
    "train_validation_overlap": (panels.copies, panels.loss_by_sample),
    "distribution_shift": (panels.features, panels.confusion),
    "dead_units": (panels.layers, panels.confusion),
}
OTHERWISE = (panels.reliability_diagram, panels.loss_by_sample)


def draw(subject: Subject, code: str | None, title: str = "") -> Figure:
    """Draw the experiment behind a finding.

    Parameters
    ----------
    subject
        The model and its samples.
    code
        Of the finding, None where nothing was found: then confidence and losses are drawn.
    title
        Heading.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT))
    figure.set_layout_engine("constrained")
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize="medium", fontweight="bold")
    axes = figure.subplots(1, 2)
    for axis, panel in zip(axes, DECIDED.get(code or "", OTHERWISE), strict=True):
        panel(axis, subject)
    return figure
