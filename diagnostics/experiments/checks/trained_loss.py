"""Which loss did training descend? The one reported for the training set is told from others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from diagnostics.experiments.model.predictions import softmax
from diagnostics.experiments.model.subject import Labels, Subject
from diagnostics.experiments.registry import check
from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.table import Floats
from diagnostics.statistics.calibration import TINY

# What is reported is the mean over an epoch in which the model still moved: near another loss up to
# the first ratio, far from the cross-entropy from the second on. The cross-entropy of a second
# softmax hardly moves in the end, being bounded from below.
NEAR, FAR = 1.7, 2.5
NEAR_BOUNDED, FAR_BOUNDED = 1.01, 1.05
# A second softmax drives the answers to such sureness, and leaves the loss large nevertheless.
SATURATED = 0.9
SMALLEST = 1e-12


@dataclass(frozen=True)
class LossCandidate:
    """A loss that training may descend in place of the cross-entropy."""

    name: str
    code: str
    value: float
    mend: str
    near: float = NEAR
    far: float = FAR


def candidates(p: Floats, y: Labels) -> Iterator[LossCandidate]:
    """Yield the losses that training may descend instead.

    Parameters
    ----------
    p
        Probabilities of the training samples, shape (n, classes).
    y
        Their classes.
    """
    squares = float(((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1).mean())
    mend = "For softmax with cross-entropy the gradient is p - t, at the logits."
    for name, share in (
        ("squared error", 1.0),
        ("squared error averaged over the classes", 1 / p.shape[1]),
        ("squared error with the factor 1/2", 0.5),
    ):
        yield LossCandidate(name, "other_loss_trained", squares * share, mend)
    if p.max(axis=1).mean() > SATURATED:
        mend = "Pass logits to the loss: it applies the softmax itself."
        name, value = "cross-entropy of a second softmax", cross_entropy(softmax(p), y)
        yield LossCandidate(name, "softmax_twice", value, mend, NEAR_BOUNDED, FAR_BOUNDED)


def cross_entropy(p: Floats, y: Labels) -> float:
    """Return the mean cross-entropy in nats.

    Parameters
    ----------
    p
        Probabilities, shape (n, classes).
    y
        The true classes.
    """
    return float(-np.log(np.maximum(p[np.arange(len(y)), y], TINY)).mean())


@check(
    unless=("evaluation_bug", "nondeterministic_prediction", "other_loss_trained", "softmax_twice"),
    needs=("history", "train"),
)
def other_loss_trained(subject: Subject) -> Finding | None:
    """The training loss reported is compared with the squared error and the cross-entropy."""
    reported, answers = subject.reported("train_loss"), subject.train_predictions
    if reported is None or answers is None or subject.train is None:
        return None
    p, y = answers.probabilities, subject.train[1]
    entropy = cross_entropy(p, y)

    def ratio(value: float) -> float:
        larger, smaller = sorted((max(value, SMALLEST), max(reported, SMALLEST)))[::-1]
        return larger / smaller

    near = [c for c in candidates(p, y) if ratio(c.value) < c.near and ratio(entropy) > c.far]
    if not near:
        return None
    nearest = min(near, key=lambda candidate: ratio(candidate.value))
    return Finding(
        code=nearest.code,
        severity=Severity.WARNING,
        message=(
            f"Training descends the {nearest.name}: the reported training loss {reported:.4g} is "
            f"near it ({nearest.value:.4g}), and not near the cross-entropy ({entropy:.4g})."
        ),
        confidence=0.8,
        evidence={"reported": reported, nearest.name: nearest.value, "cross-entropy": entropy},
        causes=(f"the gradient of the {nearest.name} is used, not that of the cross-entropy",),
        steps=advice(nearest.mend),
    )
