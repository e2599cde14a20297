"""Pictures of a regression: answers against targets, and the errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.plots.style import POINTS, RIGHT, clean, some
from diagnostics.report.curves import VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def answers_against_targets(axis: Axes, subject: Subject) -> None:
    """Each answer over its target: right ones lie on the diagonal."""
    p, t = subject.predictions.raw.ravel(), subject.y.ravel()
    shown = some(len(t))
    axis.plot(t[shown], p[shown], label="sample", **POINTS, **RIGHT)
    ends = float(t.min()), float(t.max())
    axis.plot(ends, ends, color="black", linewidth=1, label="right")
    axis.axhline(float(p.mean()), color=VERMILLION, linewidth=1, linestyle="--",
                 label=f"mean answer {p.mean():.4g}")  # fmt: skip
    clean(axis, "Do the answers follow the targets?", "target", "answer")


def errors_by_size(axis: Axes, subject: Subject) -> None:
    """The squared error of each sample, the largest first: who makes the mean."""
    squares = np.sort((subject.errors**2).mean(axis=1))[::-1]
    shown = some(len(squares))
    mean = float(squares.mean())
    axis.plot(shown + 1, np.maximum(squares[shown], mean * 1e-9), label="sample", **POINTS, **RIGHT)
    axis.axhline(mean, color="black", linewidth=1, linestyle="--", label=f"mean {mean:.4g}")
    axis.set_yscale("log" if mean > 0 else "linear")
    clean(axis, "Which samples make the error?", "samples, the largest error first",
          "squared error")  # fmt: skip
