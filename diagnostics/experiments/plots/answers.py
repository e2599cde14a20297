"""Pictures of the answers: their sums, their repetition, their sureness, their classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnostics.experiments.checks.dead_units import MOST, constant
from diagnostics.experiments.checks.softmax_twice import highest_of_softmax
from diagnostics.experiments.model.hidden_layers import activations
from diagnostics.experiments.model.predictions import contingency, interpret, of_class, softmax
from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.plots import style
from diagnostics.report.curves import GREY, VERMILLION
from diagnostics.statistics.calibration import reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Fewer samples in a bin show nothing but noise.
FEWEST_IN_BIN = 10


def row_sums(axis: Axes, subject: Subject) -> None:
    """What the probabilities of each sample sum to, which should be 1."""
    sums, n = subject.predictions.row_sums, len(subject.y)
    rows = style.some(n)
    axis.plot(rows, sums[rows], **style.POINTS, label="sum of a row", **style.RIGHT)
    axis.axhline(1, color="black", linewidth=1.2, label="1: a distribution")
    mean = float(sums.mean())
    if not 0.5 < mean < 2:
        said = "mean = 1 / N" if abs(mean * n - 1) < 0.01 else "mean"
        axis.axhline(mean, color=GREY, linewidth=1.2, linestyle="--", label=f"{said} = {mean:.3g}")
    low, high = min(float(sums.min()), 1), max(float(sums.max()), 1)
    if 0 < 20 * low < high:
        axis.set_yscale("log")
        axis.set_ylim(low / 3, high * 3)
    else:
        margin = max(high - low, 0.1) / 4
        axis.set_ylim(low - margin, high + margin)
    style.clean(axis, "Do rows sum to one?", "sample", "sum of its probabilities")


def batch_against_single(axis: Axes, subject: Subject) -> None:
    """The probability of the true class in the batch, and when the sample is asked for alone."""
    alone = subject.alone
    if alone is None:
        return row_sums(axis, subject)
    rows, y = subject.rows, subject.y[subject.rows]
    answers = subject.predictions
    whole = answers.probabilities if answers.is_logarithmic else answers.raw
    single = answers.probabilities_of(alone) if answers.is_logarithmic else alone
    together, by_itself = whole[rows, y], of_class(single, y)
    axis.plot(by_itself, together, **style.POINTS, label="sample", **style.RIGHT)
    both = np.concatenate([together, by_itself])
    both = both[np.isfinite(both)]
    small = max(float(both[both > 0].min(initial=1.0)), 1e-12)
    logarithmic = small < 0.01
    ends = (small if logarithmic else 0.0, max(float(both.max()), 1.0))
    axis.plot(ends, ends, color="black", linewidth=1, label="equal")
    if logarithmic:
        axis.set_xscale("log")
        axis.set_yscale("log")
    style.clean(axis, "The same sample, alone and in the batch", "p(true class), asked for alone",
           f"p(true class), in a batch of {len(subject.y)}")  # fmt: skip
    return None


def repeated(axis: Axes, subject: Subject) -> None:
    """The probability of the true class in two calls."""
    again = of_class(interpret(subject.ask(subject.X)).probabilities, subject.y)
    rows = style.some(len(subject.y))
    axis.plot(subject.p_true[rows], again[rows], **style.POINTS, label="sample", **style.RIGHT)
    axis.plot((0, 1), (0, 1), color="black", linewidth=1, label="equal")
    style.clean(axis, "The same sample, asked for twice", "p(true class), first call",
           "p(true class), second call")  # fmt: skip


def surest_answers(axis: Axes, subject: Subject) -> None:
    """The largest probability of each sample, and the largest that two softmaxes can give."""
    p = subject.predictions.probabilities
    highest, accuracy = highest_of_softmax(p.shape[1]), float(subject.right.mean())
    rows = style.some(len(p))
    sure = np.sort(p.max(axis=1))[::-1][rows]
    axis.plot(rows, sure, label="surest answer of a sample", **style.POINTS, **style.RIGHT)
    axis.axhline(highest, color="black", linewidth=1.2, label=f"e / (C - 1 + e) = {highest:.3g}")
    axis.axhline(accuracy, color=GREY, linewidth=1.2, linestyle="--",
                 label=f"share of right answers = {accuracy:.3g}")  # fmt: skip
    axis.set_ylim(0, 1.05)
    style.clean(axis, "How sure can it be?", "samples, the surest first", "largest probability")


def reliability_diagram(axis: Axes, subject: Subject) -> None:
    """How often answers of each confidence are right, before and after one temperature."""
    p = subject.predictions.probabilities
    temperature = subject.temperature.best if subject.known.any() else 1.0
    scaled = softmax(np.log(np.maximum(p, 1e-300)) / temperature)
    axis.plot((0, 1), (0, 1), color="black", linewidth=1, label="as sure as right")
    for answers, name, look in (
        (p, "as returned", {**style.WRONG, "linestyle": "-"}),
        (scaled, f"logits / {temperature:.2g}", {**style.RIGHT, "linestyle": "--"}),
    ):
        sure, share, counts = reliability(answers, subject.right)
        used = counts >= FEWEST_IN_BIN
        axis.plot(sure[used], share[used], linewidth=1.4, markersize=6, label=name, **look)
    axis.set_xlim(0, 1.02)
    axis.set_ylim(0, 1.05)
    style.clean(axis, "As sure as right?", "confidence", "share of right answers")


def confusion(axis: Axes, subject: Subject) -> None:
    """Which classes are answered for which labels, as shares of each label."""
    from matplotlib.ticker import MaxNLocator

    table = contingency(subject.answers, subject.y)
    table /= np.maximum(table.sum(axis=1, keepdims=True), 1)
    image = axis.imshow(table, cmap="cividis", vmin=0, vmax=1)
    axis.get_figure().colorbar(image, ax=axis, label="share of the label", shrink=0.8)  # type: ignore[union-attr]
    for ticks in (axis.xaxis, axis.yaxis):
        ticks.set_major_locator(MaxNLocator(integer=True))
    style.clean(axis, "Which class is answered?", "answer", "label")
    axis.grid(visible=False)


def layers(axis: Axes, subject: Subject) -> None:
    """The share of dead units in each hidden layer."""
    seen = activations(subject.predict, subject.X[:MOST], subject.predictions.probabilities[:MOST])
    if not seen:
        return confusion(axis, subject)
    style.bars(
        axis, [layer.name for layer in seen], [float(constant(layer).mean()) for layer in seen]
    )
    style.clean(axis, "Which units never change?", "share of dead units", "")
    return None


def answers_against_targets(axis: Axes, subject: Subject) -> None:
    """Each answer over its target: right ones lie on the diagonal."""
    p, t = subject.predictions.raw.ravel(), subject.y.ravel()
    shown = style.some(len(t))
    axis.plot(t[shown], p[shown], label="sample", **style.POINTS, **style.RIGHT)
    ends = float(t.min()), float(t.max())
    axis.plot(ends, ends, color="black", linewidth=1, label="right")
    axis.axhline(float(p.mean()), color=VERMILLION, linewidth=1, linestyle="--",
                 label=f"mean answer {p.mean():.4g}")  # fmt: skip
    style.clean(axis, "Do the answers follow the targets?", "target", "answer")


def errors_by_size(axis: Axes, subject: Subject) -> None:
    """The squared error of each sample, the largest first: who makes the mean."""
    squares = np.sort((subject.errors**2).mean(axis=1))[::-1]
    shown = style.some(len(squares))
    mean = float(squares.mean())
    axis.plot(
        shown + 1,
        np.maximum(squares[shown], mean * 1e-9),
        label="sample",
        **style.POINTS,
        **style.RIGHT,
    )
    axis.axhline(mean, color="black", linewidth=1, linestyle="--", label=f"mean {mean:.4g}")
    axis.set_yscale("log" if mean > 0 else "linear")
    style.clean(axis, "Which samples make the error?", "samples, the largest error first",
          "squared error")  # fmt: skip
