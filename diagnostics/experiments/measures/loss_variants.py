"""The loss computed in all the ways people compute it, to find the one that was reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from diagnostics.experiments.model.predictions import PredictionKind, softmax
from diagnostics.experiments.model.subject import Subject
from diagnostics.history.table import Floats
from diagnostics.statistics.calibration import TINY

# Reported losses are often printed with three or four digits.
SAME = 2e-3
# Usual clipping of probabilities before the logarithm.
CLIPS = (1e-7, 1e-8, 1e-10, 1e-12, 1e-15, 1e-16)


@dataclass(frozen=True)
class Variant:
    """One way to compute the loss, and its value."""

    name: str
    code: str  # of the finding if this is the one reported; empty when it is the right one
    value: float

    def equals(self, reported: float) -> bool:
        """Whether this is the reported loss, up to rounding."""
        return bool(abs(self.value - reported) <= SAME * abs(reported) + 1e-12)


def variants(subject: Subject) -> Iterator[Variant]:
    """Yield the loss in all variants, the simplest first."""
    y, classes = subject.y, subject.predictions.probabilities.shape[1]
    right, n = subject.predictions.probabilities, len(subject.y)
    for losses, how in clipped_losses(subject):
        yield Variant(f"mean cross-entropy{how}", "", float(losses.mean()))
    yield from _wrongly_normalised(subject)
    for losses, how in clipped_losses(subject):
        mean = float(losses.mean())
        for name, value in (
            ("cross-entropy summed over the samples", mean * n),
            ("cross-entropy divided by the number of classes", mean / classes),
            ("cross-entropy in bits (log2)", mean / np.log(2)),
            ("cross-entropy with log10", mean / np.log(10)),
        ):
            yield Variant(f"{name}{how}", "loss_scale_mismatch", value)
    twice = softmax(right)
    yield Variant("cross-entropy of a second softmax", "softmax_twice", _mean(twice, y))
    squares = ((right - np.eye(classes)[y]) ** 2).sum(axis=1)
    yield Variant("mean squared error", "other_loss_trained", float(squares.mean() / classes))
    yield Variant("squared error summed over classes", "other_loss_trained", float(squares.mean()))


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
            how = f", clipped at {eps:g}" if eps else ""
            yield Variant(f"cross-entropy of the rows as returned{how}", "evaluation_bug",
                          _mean(raw, y, eps or TINY))  # fmt: skip
    if subject.predictions.kind is PredictionKind.LOGITS:
        for name, axis in (("the whole batch", None), ("the samples (axis 0)", 0)):
            e = np.exp(raw - raw.max(axis=axis, keepdims=True))
            p = e / e.sum(axis=axis, keepdims=True)
            yield Variant(f"cross-entropy of a softmax over {name}", "evaluation_bug", _mean(p, y))


def _mean(p: Floats, y: np.ndarray, eps: float = TINY) -> float:
    """Mean cross-entropy in nats, of probabilities clipped from below."""
    return float(-np.log(np.maximum(p[np.arange(len(y)), y], eps)).mean())


def matching(subject: Subject, reported: float) -> Variant | None:
    """Return the simplest variant that equals the reported loss, None when none does."""
    return next((variant for variant in variants(subject) if variant.equals(reported)), None)
