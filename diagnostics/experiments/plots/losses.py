"""Pictures of the loss: which samples make it, and which number was reported."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from diagnostics.experiments.checks.batch_averaging import SCALED, SIZES, averages, batch_means
from diagnostics.experiments.checks.trained_loss import candidates
from diagnostics.experiments.measures.loss_variants import variants
from diagnostics.experiments.model.predictions import cross_entropy
from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.plots import style
from diagnostics.report.curves import VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Losses smaller than this are zero on a picture.
SMALLEST = 1e-6
# Recomputed numbers that differ by less are the one reported.
SAME = 1e-4
# Probabilities smaller than this are drawn here, and zero below.
SMALLEST_PROBABILITY, BELOW = 1e-15, 1e-17


def loss_by_sample(axis: Axes, subject: Subject) -> None:
    """The loss of each sample, the largest first: who makes the mean."""
    order = np.argsort(subject.sample_losses)[::-1]
    losses = np.maximum(subject.sample_losses[order], SMALLEST)
    right = subject.right[order]
    rows = style.some(len(order))
    share = float(losses[~right].sum() / losses.sum())
    for mask, name, look in (
        (~right, f"answered wrongly ({share:.0%} of the loss)", style.WRONG),
        (right, "answered rightly", style.RIGHT),
    ):
        shown = rows[mask[rows]]
        axis.plot(shown + 1, losses[shown], **style.POINTS, label=name, **look)
    axis.axhline(float(losses.mean()), color="black", linewidth=1, linestyle="--",
                 label=f"mean {losses.mean():.3g}")  # fmt: skip
    axis.set_yscale("log")
    style.clean(
        axis, "Which samples make the loss?", "samples, the largest loss first", "loss (nats)"
    )


def means_over_batches(axis: Axes, subject: Subject) -> None:
    """The reported loss among the means that it could be."""
    losses, reported = subject.sample_losses, subject.reported_loss
    if reported is None:
        return loss_by_sample(axis, subject)
    sizes = [size for size in SIZES if size < len(losses) and len(losses) % size]
    values = [float(batch_means(losses, size).mean()) for size in sizes]
    axis.plot(sizes, values, linewidth=1, linestyle=":", label="mean of batch means", **style.RIGHT)
    axis.axhline(float(losses.mean()), color="black", linewidth=1, label="mean over samples")
    axis.axhline(reported, color=VERMILLION, linewidth=1.6, linestyle="--", label="reported")
    axis.set_xscale("log", base=2)
    values += [float(losses.mean()), reported]
    axis.set_yscale("log" if max(values) > 20 * min(values) > 0 else "linear")
    axis.margins(y=0.25)
    style.clean(axis, "Which mean is reported?", "batch size", "loss (nats)")
    return None


def which_number(axis: Axes, subject: Subject) -> None:
    """The reported loss among all the numbers that it could be."""
    reported = subject.reported_loss
    if reported is None:
        return loss_by_sample(axis, subject)
    known = {v.name: v.value for v in variants(subject) if not v.clipped and v.value > 0}
    every = (v for v in averages(subject.sample_losses) if v.code == SCALED)
    known |= {v.name: v.value for v in every if abs(v.value / reported - 1) < SAME}
    _numbers(axis, known, reported)
    style.clean(axis, "Which number is reported?", "loss (nats)", "")
    return None


def which_training_loss(axis: Axes, subject: Subject) -> None:
    """The reported training loss among those that training may have descended."""
    reported, trained_on = subject.reported("train_loss"), subject.trained_on
    if reported is None or trained_on is None:
        return which_number(axis, subject)
    p, y = trained_on.predictions.probabilities, trained_on.y
    known = {"mean cross-entropy": cross_entropy(p, y)}
    _numbers(axis, known | {c.name: c.value for c in candidates(p, y)}, reported)
    style.clean(axis, "Which loss did training descend?", "training loss (nats)", "")
    return None


def _numbers(axis: Axes, known: dict[str, float], reported: float) -> None:
    """Numbers by name, the largest on top, and the one that was reported."""
    names = sorted(known, key=lambda name: known[name])
    axis.plot(
        [known[n] for n in names],
        range(len(names)),
        label="recomputed",
        **style.POINTS,
        **style.RIGHT,
    )
    axis.axvline(reported, color=VERMILLION, linewidth=1.6, linestyle="--",
                 label=f"reported: {reported:.4g}")  # fmt: skip
    axis.set_yticks(range(len(names)), ["\n".join(wrap(n, 26)) for n in names], fontsize="x-small")
    axis.margins(y=0.1)
    axis.set_xscale("log")


def true_probabilities(axis: Axes, subject: Subject) -> None:
    """The probability of the true class, the smallest first, and where it is exactly zero."""
    p, rows = np.sort(subject.p_true), style.some(len(subject.y))
    zero = p[rows] == 0
    for mask, value, name, look in (
        (~zero, np.maximum(p[rows], SMALLEST_PROBABILITY), "sample", style.RIGHT),
        (zero, np.full(len(rows), BELOW), f"exactly 0 ({(p == 0).mean():.1%})", style.WRONG),
    ):
        if mask.any():
            axis.plot(rows[mask] + 1, value[mask], label=name, **style.POINTS, **look)
    axis.set_yscale("log")
    style.clean(axis, "Of what is the logarithm taken?", "samples, the least likely first",
          "p(true class)")  # fmt: skip
