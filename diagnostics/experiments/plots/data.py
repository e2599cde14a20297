"""Pictures of the data: their sources, copies, wrong labels, and what predict does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from diagnostics.experiments.checks.label_noise import contradictions
from diagnostics.experiments.checks.train_val_overlap import NEAR, nearest_distances
from diagnostics.experiments.model.samples import as_rows
from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.plots import style
from diagnostics.experiments.plots.answers import confusion
from diagnostics.experiments.plots.losses import loss_by_sample
from diagnostics.report.curves import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Ratios of distances smaller than this are drawn here.
SHORTEST = 1e-3


def features(axis: Axes, subject: Subject) -> None:
    """Mean and spread of each feature in both sets."""
    if subject.train is None:
        return confusion(axis, subject)
    train, val = as_rows(subject.train.X), as_rows(subject.X)
    every = style.some(train.shape[1])
    for statistic, name, look in ((np.mean, "mean", style.RIGHT), (np.std, "spread", style.WRONG)):
        x, y = (np.asarray(statistic(part, axis=0))[every] for part in (train, val))
        axis.plot(x, y, linestyle="", markersize=5, label=f"{name} of a feature", **look)
    low, high = axis.get_xlim()
    axis.plot((low, high), (low, high), color="black", linewidth=1, label="equal")
    style.clean(axis, "Are the inputs alike?", "training set", "validation set")
    return None


def copies(axis: Axes, subject: Subject) -> None:
    """How much nearer each sample is to one training sample than to the tenth nearest."""
    if subject.train is None:
        return loss_by_sample(axis, subject)
    rows = style.some(len(subject.y))
    nearest = nearest_distances(as_rows(subject.train.X), as_rows(subject.X)[rows])
    ratio = np.sort(nearest[:, 0] / np.maximum(nearest[:, -1], 1e-300))
    axis.plot(np.maximum(ratio, SHORTEST), **style.POINTS, label="sample", **style.RIGHT)
    axis.axhline(NEAR, color="black", linewidth=1, linestyle="--", label=f"{NEAR}: a near copy")
    if ratio[0] <= SHORTEST:
        axis.axhline(SHORTEST, color=GREY, linewidth=1, linestyle=":", label="equal")
    axis.set_yscale("log")
    axis.set_ylim(max(ratio[0], SHORTEST) / 2, 2)
    style.clean(axis, "Is it in the training set?", "samples, the nearest first",
           "distance to the nearest / tenth nearest")  # fmt: skip
    return None


def contradicted(axis: Axes, subject: Subject) -> None:
    """How many labels their neighbours contradict, and how many of these are learned by heart."""
    found = None if subject.train is None else contradictions(subject)
    if found is None:
        return confusion(axis, subject)
    names = [
        "training labels\ncontradicted",
        "validation labels\ncontradicted",
        "contradicted training\nlabels learned by heart",
    ]
    style.bars(axis, names, [found.share, found.usual, found.learned])
    style.clean(axis, "What do the neighbours say?", "share of the labels", "")
    return None


def argument(axis: Axes, subject: Subject) -> None:
    """The numbers given to predict, before the call and after it."""
    shown = subject.X.copy()
    subject.predict(shown)
    before, after = as_rows(subject.X).ravel(), as_rows(shown).ravel()
    which = style.some(len(before))
    axis.plot(before[which], after[which], label="number in X", **style.POINTS, **style.RIGHT)
    ends = (before[which].min(), before[which].max())
    axis.plot(ends, ends, color="black", linewidth=1, label="unchanged")
    style.clean(axis, "What does predict do to its argument?", "before the call", "after the call")
