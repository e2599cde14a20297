"""Which loss did training descend? The one reported for the training set is told from others."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.experiments.measures.loss_variants import Variant, squared_error
from diagnostics.experiments.model.predictions import Labels, cross_entropy, softmax
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, advice
from diagnostics.history.table import Floats

# What is reported is the mean over an epoch in which the model still moved: near another loss up to
# the first ratio, far from the cross-entropy from the second on. The cross-entropy of a second
# softmax hardly moves in the end, being bounded from below.
NEAR_FAR = {"other_loss_trained": (1.7, 2.5), "softmax_twice": (1.01, 1.05)}
CHANGES = {
    "other_loss_trained": "For softmax with cross-entropy the gradient is p - t, at the logits.",
    "softmax_twice": "Pass logits to the loss: it applies the softmax itself.",
}
# A second softmax drives the answers to such sureness, and leaves the loss large nevertheless.
SATURATED = 0.9
SMALLEST = 1e-12


def candidates(p: Floats, y: Labels) -> Iterator[Variant]:
    """Yield what training may descend instead, of probabilities of shape (n, classes)."""
    squares = squared_error(p, y)
    yield Variant("squared error", "other_loss_trained", squares)
    mean = squares / p.shape[1]
    yield Variant("squared error averaged over the classes", "other_loss_trained", mean)
    yield Variant("squared error with the factor 1/2", "other_loss_trained", squares / 2)
    if p.max(axis=1).mean() > SATURATED:
        value = cross_entropy(softmax(p), y)
        yield Variant("cross-entropy of a second softmax", "softmax_twice", value)


def other_loss_trained(subject: Subject) -> Finding | None:
    """The training loss reported is compared with the squared error and the cross-entropy."""
    reported, known = subject.reported("train_loss"), subject.trained_on
    if reported is None or known is None:
        return None
    p, y = known.predictions.probabilities, known.y
    entropy = cross_entropy(p, y)

    def ratio(value: float) -> float:
        larger, smaller = sorted((max(value, SMALLEST), max(reported, SMALLEST)))[::-1]
        return larger / smaller

    def is_near(other: Variant) -> bool:
        near, far = NEAR_FAR[other.code]
        return ratio(other.value) < near and ratio(entropy) > far

    near = list(filter(is_near, candidates(p, y)))
    if not near:
        return None
    nearest = min(near, key=lambda candidate: ratio(candidate.value))
    return Finding(
        code=nearest.code,
        message=(
            f"Training descends the {nearest.name}: the reported training loss {reported:.4g} is "
            f"near it ({nearest.value:.4g}), and not near the cross-entropy ({entropy:.4g})."
        ),
        confidence=0.8,
        evidence={"reported": reported, nearest.name: nearest.value, "cross-entropy": entropy},
        causes=(f"the gradient of the {nearest.name} is used, not that of the cross-entropy",),
        steps=advice(CHANGES[nearest.code]),
    )
