"""The picture of the experiment that decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.plots import answers, data, losses

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Panel = Callable[["Axes", Subject], None]

WIDTH, HEIGHT = 9.0, 4.2  # inches: two panels side by side on a page

# What decided, and what else shows it.
DECIDED: dict[str, tuple[Panel, Panel]] = {
    "evaluation_bug": (answers.row_sums, answers.batch_against_single),
    "input_mutated": (data.argument, losses.loss_by_sample),
    "nondeterministic_prediction": (answers.repeated, losses.loss_by_sample),
    "softmax_twice": (answers.surest_answers, answers.reliability_diagram),
    "rounded_probabilities": (answers.row_sums, losses.true_probabilities),
    "biased_average": (losses.means_over_batches, losses.loss_by_sample),
    "loss_scale_mismatch": (losses.which_number, losses.loss_by_sample),
    "other_loss_trained": (losses.which_training_loss, answers.reliability_diagram),
    "exploding_or_nan": (losses.true_probabilities, losses.loss_by_sample),
    "shuffled_labels": (answers.confusion, losses.loss_by_sample),
    "not_learning": (answers.confusion, losses.loss_by_sample),
    "class_collapse": (answers.confusion, losses.loss_by_sample),
    "train_validation_overlap": (data.copies, losses.loss_by_sample),
    "distribution_shift": (data.features, answers.confusion),
    "label_noise": (data.contradicted, losses.loss_by_sample),
    "dead_units": (answers.layers, answers.confusion),
}
REGRESSION = (answers.answers_against_targets, answers.errors_by_size)
OTHERWISE = (answers.reliability_diagram, losses.loss_by_sample)


def draw(subject: Subject, code: str | None, title: str = "") -> Figure:
    """Draw the experiment behind a finding; where there is none, confidence and losses."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT))
    figure.set_layout_engine("constrained")
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize="medium", fontweight="bold")
    axes = figure.subplots(1, 2)
    panels = REGRESSION if subject.numeric else DECIDED.get(code or "", OTHERWISE)
    for axis, panel in zip(axes, panels, strict=True):
        panel(axis, subject)
    return figure
