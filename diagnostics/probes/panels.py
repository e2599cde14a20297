"""Pictures of experiments: one panel for each question, drawn from the subject it was put to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from diagnostics.probes.batches import averages
from diagnostics.probes.calibration import reliability
from diagnostics.probes.layers import activations
from diagnostics.probes.leaks import NEAR, closeness
from diagnostics.probes.predictions import interpret
from diagnostics.probes.samples import as_rows
from diagnostics.probes.subject import Subject
from diagnostics.probes.units import MOST, constant

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours of Okabe and Ito (2008), told apart by the colour-blind; markers differ in grey as well.
BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#5c5c5c"
RIGHT: dict[str, Any] = {"color": BLUE, "marker": "o", "markerfacecolor": "none"}
WRONG: dict[str, Any] = {"color": VERMILLION, "marker": "x"}
# Samples drawn one by one; more would be a blot.
MOST_POINTS = 600
# Fewer samples in a bin show nothing but noise.
FEWEST_IN_BIN = 10
# Losses smaller than this are zero on a picture.
SMALLEST = 1e-6
# Ratios of distances smaller than this are drawn here.
SHORTEST = 1e-3


def _some(count: int) -> np.ndarray:
    """Evenly spread indices, at most as many as can be drawn."""
    return np.unique(np.linspace(0, count - 1, MOST_POINTS).astype(np.intp))


def _clean(axis: Axes, title: str, x: str, y: str) -> None:
    """The looks that all panels share."""
    axis.set_title(title, loc="left", fontsize="medium")
    axis.set_xlabel(x)
    axis.set_ylabel(y)
    axis.grid(alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def _legend(axis: Axes) -> None:
    """Below the panel, where nothing is drawn."""
    axis.legend(
        frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(-0.02, -0.2),
        ncols=2, borderpad=0, columnspacing=1.2,
    )  # fmt: skip


def row_sums(axis: Axes, subject: Subject) -> None:
    """What the probabilities of each sample sum to, which should be 1."""
    sums, n = subject.predictions.row_sums, len(subject.y)
    rows = _some(n)
    axis.plot(rows, sums[rows], linestyle="", markersize=4, label="sum of a row", **RIGHT)
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
    _clean(axis, "Do rows sum to one?", "sample", "sum of its probabilities")
    _legend(axis)


def batch_against_single(axis: Axes, subject: Subject) -> None:
    """The probability of the true class in the batch, and when the sample is asked for alone."""
    alone = subject.alone
    if alone is None:
        return row_sums(axis, subject)
    rows, y = subject.rows, subject.y[subject.rows]
    answers = subject.predictions
    whole = answers.probabilities if answers.is_logarithmic else answers.raw
    single = answers.probabilities_of(alone) if answers.is_logarithmic else alone
    together, by_itself = whole[rows, y], single[np.arange(len(rows)), y]
    axis.plot(by_itself, together, linestyle="", markersize=4, label="sample", **RIGHT)
    both = np.concatenate([together, by_itself])
    both = both[np.isfinite(both)]
    small = max(float(both[both > 0].min(initial=1.0)), 1e-12)
    logarithmic = small < 0.01
    ends = (small if logarithmic else 0.0, max(float(both.max()), 1.0))
    axis.plot(ends, ends, color="black", linewidth=1, label="equal")
    if logarithmic:
        axis.set_xscale("log")
        axis.set_yscale("log")
    _clean(axis, "The same sample, alone and in the batch", "p(true class), asked for alone",
           f"p(true class), in a batch of {len(subject.y)}")  # fmt: skip
    _legend(axis)
    return None


def repeated(axis: Axes, subject: Subject) -> None:
    """The probability of the true class in two calls."""
    again = interpret(subject.ask(subject.X)).probabilities[np.arange(len(subject.y)), subject.y]
    rows = _some(len(subject.y))
    axis.plot(
        subject.p_true[rows], again[rows], linestyle="", markersize=4, label="sample", **RIGHT
    )
    axis.plot((0, 1), (0, 1), color="black", linewidth=1, label="equal")
    _clean(axis, "The same sample, asked for twice", "p(true class), first call",
           "p(true class), second call")  # fmt: skip
    _legend(axis)


def reliability_diagram(axis: Axes, subject: Subject) -> None:
    """How often answers of each confidence are right, before and after one temperature."""
    p = subject.predictions.probabilities
    temperature = subject.temperature.best if subject.known.any() else 1.0
    logits = np.log(np.maximum(p, 1e-300)) / temperature
    mended = np.exp(logits - logits.max(axis=1, keepdims=True))
    mended /= mended.sum(axis=1, keepdims=True)
    axis.plot((0, 1), (0, 1), color="black", linewidth=1, label="as sure as right")
    for answers, name, style in (
        (p, "as returned", {**WRONG, "linestyle": "-"}),
        (mended, f"logits / {temperature:.2g}", {**RIGHT, "linestyle": "--"}),
    ):
        sure, share, counts = reliability(answers, subject.right)
        used = counts >= FEWEST_IN_BIN
        axis.plot(sure[used], share[used], linewidth=1.4, markersize=6, label=name, **style)
    axis.set_xlim(0, 1.02)
    axis.set_ylim(0, 1.05)
    _clean(axis, "As sure as right?", "confidence", "share of right answers")
    _legend(axis)


def loss_by_sample(axis: Axes, subject: Subject) -> None:
    """The loss of each sample, the largest first: who makes the mean."""
    order = np.argsort(subject.sample_losses)[::-1]
    losses = np.maximum(subject.sample_losses[order], SMALLEST)
    right = subject.right[order]
    rows = _some(len(order))
    share = float(losses[~right].sum() / losses.sum())
    for mask, name, style in (
        (~right, f"answered wrongly ({share:.0%} of the loss)", WRONG),
        (right, "answered rightly", RIGHT),
    ):
        shown = rows[mask[rows]]
        axis.plot(shown + 1, losses[shown], linestyle="", markersize=4, label=name, **style)
    axis.axhline(float(losses.mean()), color="black", linewidth=1, linestyle="--",
                 label=f"mean {losses.mean():.3g}")  # fmt: skip
    axis.set_yscale("log")
    _clean(axis, "Which samples make the loss?", "samples, the largest loss first", "loss (nats)")
    _legend(axis)


def confusion(axis: Axes, subject: Subject) -> None:
    """Which classes are answered for which labels, as shares of each label."""
    answers = subject.predictions.probabilities.argmax(axis=1)
    size = int(max(answers.max(), subject.y.max())) + 1
    table = np.zeros((size, size))
    np.add.at(table, (subject.y, answers), 1)
    table /= np.maximum(table.sum(axis=1, keepdims=True), 1)
    image = axis.imshow(table, cmap="cividis", vmin=0, vmax=1)
    axis.get_figure().colorbar(image, ax=axis, label="share of the label", shrink=0.8)  # type: ignore[union-attr]
    _clean(axis, "Which class is answered?", "answer", "label")
    axis.grid(visible=False)


def features(axis: Axes, subject: Subject) -> None:
    """Mean and spread of each feature in both sets."""
    if subject.train is None:
        return confusion(axis, subject)
    train, val = as_rows(subject.train[0]), as_rows(subject.X)
    every = _some(train.shape[1])
    for statistic, name, style in ((np.mean, "mean", RIGHT), (np.std, "spread", WRONG)):
        x, y = (np.asarray(statistic(part, axis=0))[every] for part in (train, val))
        axis.plot(x, y, linestyle="", markersize=5, label=f"{name} of a feature", **style)
    low, high = axis.get_xlim()
    axis.plot((low, high), (low, high), color="black", linewidth=1, label="equal")
    _clean(axis, "Are the inputs alike?", "training set", "validation set")
    _legend(axis)
    return None


def copies(axis: Axes, subject: Subject) -> None:
    """How much nearer each sample is to one training sample than to the tenth nearest."""
    if subject.train is None:
        return loss_by_sample(axis, subject)
    rows = _some(len(subject.y))
    ratio = np.sort(closeness(as_rows(subject.train[0]), as_rows(subject.X)[rows]))
    axis.plot(np.maximum(ratio, SHORTEST), linestyle="", markersize=4, label="sample", **RIGHT)
    axis.axhline(NEAR, color="black", linewidth=1, linestyle="--", label=f"{NEAR}: a near copy")
    axis.axhline(SHORTEST, color=GREY, linewidth=1, linestyle=":", label="equal")
    axis.set_yscale("log")
    axis.set_ylim(SHORTEST / 2, 2)
    _clean(axis, "Is it in the training set?", "samples, the nearest first",
           "distance to the nearest / tenth nearest")  # fmt: skip
    _legend(axis)
    return None


def layers(axis: Axes, subject: Subject) -> None:
    """The share of dead units in each hidden layer."""
    seen = activations(subject.predict, subject.X[:MOST], subject.predictions.probabilities[:MOST])
    if not seen:
        return confusion(axis, subject)
    shares = [float(constant(layer).mean()) for layer in seen]
    places = np.arange(len(seen))
    bars = axis.barh(places, shares, color=BLUE, height=0.6)
    axis.bar_label(bars, [f" {share:.0%}" for share in shares], fontsize="small")
    axis.set_yticks(places, [layer.name for layer in seen], fontsize="small")
    axis.invert_yaxis()
    axis.set_xlim(0, 1.18)
    _clean(axis, "Which units never change?", "share of dead units", "")
    return None


def reported_loss(axis: Axes, subject: Subject) -> None:
    """The reported loss among the means that it could be."""
    losses, reported = subject.sample_losses, subject.reported_loss
    if reported is None:
        return loss_by_sample(axis, subject)
    means = {a.batch_size: a.value for a in averages(losses) if a.said.startswith("the mean of")}
    sizes, values = list(means), list(means.values())
    axis.plot(sizes, values, linewidth=1, linestyle=":", label="mean of batch means", **RIGHT)
    axis.axhline(float(losses.mean()), color="black", linewidth=1, label="mean over samples")
    axis.axhline(reported, color=VERMILLION, linewidth=1.6, linestyle="--", label="reported")
    axis.set_xscale("log", base=2)
    values += [float(losses.mean()), reported]
    axis.set_yscale("log" if max(values) > 20 * min(values) > 0 else "linear")
    axis.margins(y=0.25)
    _clean(axis, "Which mean is reported?", "batch size", "loss (nats)")
    _legend(axis)
    return None
