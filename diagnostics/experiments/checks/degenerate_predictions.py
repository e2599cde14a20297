"""The answers by themselves: true classes of probability zero, and a single class for all."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.model.predictions import PredictionKind, of_class
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice

# One class answered this often, where the labels hold it at most that often.
ONE_CLASS, NOT_ONE_CLASS = 0.95, 0.8


def log_of_zero(subject: Subject) -> Finding | None:
    """Samples whose true class has probability zero make the loss infinite."""
    raw, y = subject.predictions.raw, subject.y
    zero = of_class(raw, y) == 0 if raw.min() >= 0 else np.zeros(len(y), bool)
    if not zero.any():
        return None
    broken = subject.last_loss_not_finite
    if not broken and subject.predictions.kind is PredictionKind.UNNORMALISED:
        return None  # what the rows are not, says more than what is zero in them
    return Finding(
        # Trees and neighbours answer 0 by right; only a loss that is taken of it suffers.
        severity=Severity.PROBLEM if broken else Severity.INFO,
        message=(
            f"{zero.sum()} of {len(y)} samples have probability exactly zero for their class: "
            "the cross-entropy is infinite, or whatever the clipping makes of it"
            + (", and the reported loss is no longer finite." if broken else ".")
        ),
        confidence=0.95,
        evidence={"share of samples": float(zero.mean()), "first sample": int(np.argmax(zero))},
        causes=(
            "the softmax underflows, then its logarithm is taken",
            "the model counts: a tree, a forest or nearest neighbours",
        ),
        steps=advice("Compute the loss from the logits: logsumexp(z) - z[y]."),
    )


def class_collapse(subject: Subject) -> Finding | None:
    """The answers are counted by class."""
    answers = subject.answers
    counts = np.bincount(answers, minlength=subject.classes)
    answered, label_share = counts.max() / len(answers), np.bincount(subject.y).max() / len(answers)
    if answered < ONE_CLASS or label_share > NOT_ONE_CLASS:
        return None
    return Finding(
        message=f"The model answers class {counts.argmax()} for {answered:.0%} of the samples.",
        confidence=0.95,
        evidence={
            "share of that answer": float(answered),
            "share of the most frequent label": float(label_share),
            "accuracy": subject.accuracy,
        },
        causes=(
            "the hidden units are dead or saturated",
            "the inputs are preprocessed otherwise than in training",
            "one class dominates the training set",
        ),
        steps=advice("Look at the hidden activations of two different samples: are they equal?"),
    )
