"""The loss computed in all the ways people compute it, to find the one that was reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from diagnostics.experiments.model.predictions import Labels, PredictionKind, cross_entropy, softmax
from diagnostics.experiments.model.subject import Subject
from diagnostics.history.table import Floats
from diagnostics.statistics.calibration import TINY

# Reported losses are often printed with three or four digits.
SAME = 2e-3
# Usual clipping of probabilities before the logarithm.
CLIPS = (1e-7, 1e-8, 1e-10, 1e-12, 1e-15, 1e-16)
# Error from which on Huber's loss grows linearly, in every library.
HUBER_DELTA = 1.0


@dataclass(frozen=True)
class Variant:
    """One way to compute the loss, and its value."""

    name: str
    code: str  # of the finding if this is the one reported; empty when it is the right one
    value: float
    clipped: bool = False
    batch_size: int = 0  # over batches of which it is averaged

    def equals(self, reported: float) -> bool:
        """Whether this is the reported loss, up to rounding."""
        return bool(abs(self.value - reported) <= SAME * abs(reported) + 1e-12)


def variants(subject: Subject) -> Iterator[Variant]:
    """Yield the loss in all variants, the simplest first."""
    y, classes = subject.y, subject.predictions.probabilities.shape[1]
    right, n = subject.predictions.probabilities, len(subject.y)
    for losses, how in clipped_losses(subject):
        yield Variant(f"mean cross-entropy{how}", "", float(losses.mean()), bool(how))
    yield from _wrongly_normalised(subject)
    for losses, how in clipped_losses(subject):
        mean = float(losses.mean())
        for name, value in (
            ("cross-entropy summed over the samples", mean * n),
            ("cross-entropy divided by the number of classes", mean / classes),
            ("cross-entropy in bits (log2)", mean / np.log(2)),
            ("cross-entropy with log10", mean / np.log(10)),
        ):
            yield Variant(f"{name}{how}", "loss_scale_mismatch", value, bool(how))
    twice = softmax(right)
    yield Variant("cross-entropy of a second softmax", "softmax_twice", cross_entropy(twice, y))
    squares = squared_error(right, y)
    yield Variant("mean squared error", "other_loss_trained", squares / classes)
    yield Variant("squared error summed over classes", "other_loss_trained", squares)


def squared_error(p: Floats, y: Labels) -> float:
    """Return the squared error summed over the classes, its mean over the samples."""
    return float(((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1).mean())


def clipped_losses(subject: Subject) -> Iterator[tuple[Floats, str]]:
    """Yield the losses of the samples, as they are and with every usual clipping that matters."""
    yield subject.sample_losses, ""
    for eps in CLIPS:
        if (subject.p_true < eps).any():
            yield -np.log(np.maximum(subject.p_true, eps)), f" clipped at {eps:g}"


def _wrongly_normalised(subject: Subject) -> Iterator[Variant]:
    """Losses of rows as returned, and of a softmax over the whole batch."""
    raw, y = subject.predictions.raw, subject.y
    if subject.predictions.kind is PredictionKind.UNNORMALISED:
        for eps in (0.0, *CLIPS):
            name = "cross-entropy of the rows as returned" + (
                f", clipped at {eps:g}" if eps else ""
            )
            value = cross_entropy(raw, y, eps or TINY)
            yield Variant(name, "evaluation_bug", value, clipped=eps > 0)
    if subject.predictions.kind is PredictionKind.LOGITS:
        for name, axis in (("the whole batch", None), ("the samples (axis 0)", 0)):
            value = cross_entropy(softmax(raw, axis), y)
            yield Variant(f"cross-entropy of a softmax over {name}", "evaluation_bug", value)


def error_variants(subject: Subject) -> Iterator[Variant]:
    """Yield the loss of a regression in all usual ways, the simplest first."""
    squares, absolute = subject.errors**2, np.abs(subject.errors)
    variance = float(subject.y.var())
    small = np.minimum(absolute, HUBER_DELTA)
    right = {
        "mean squared error": squares.mean(),
        "half the mean squared error": squares.mean() / 2,
        "root of the mean squared error": np.sqrt(squares.mean()),
        "mean absolute error": absolute.mean(),
        "mean of Huber's loss": (small * (absolute - small / 2)).mean(),
    }
    if variance > 0:
        right["mean squared error by the targets' variance"] = squares.mean() / variance
    sums = {
        "squared error summed over the samples": squares.sum(),
        "absolute error summed over the samples": absolute.sum(),
        "half the squared error summed over the samples": squares.sum() / 2,
    }
    for code, ways in (("", right), ("loss_scale_mismatch", sums)):
        for name, value in ways.items():
            yield Variant(name, code, float(value))
    # (n, 1) - (n,) is (n, n): mean over i, j of (p_i - t_j)^2 = var p + var t + (mean p - mean t)^2
    p, t = subject.predictions.raw[:, 0], subject.y[:, 0]
    if subject.y.shape[1] == 1 and len(subject.y) > 1:
        every = float(p.var() + t.var() + (p.mean() - t.mean()) ** 2)
        name = "mean of squares of every answer less every target, (n, 1) - (n,)"
        yield Variant(name, "evaluation_bug", every)


def matching(subject: Subject, reported: float) -> Variant | None:
    """Return the simplest variant that equals the reported loss, None when none does."""
    every = error_variants(subject) if subject.numeric else variants(subject)
    return next((variant for variant in every if variant.equals(reported)), None)
