"""Is the softmax applied once? A distribution has been through it again, or has been rounded."""

from __future__ import annotations

import math

import numpy as np

from diagnostics.experiments.model.predictions import PredictionKind, decimals_of
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.table import Floats
from diagnostics.statistics.calibration import TINY

# Half precision keeps probabilities to three digits.
HALF_PRECISION = 2e-3
# Beyond the largest confidence by so many standard errors, an accuracy is no luck.
STANDARD_ERRORS = 5.0
# A second softmax is certain when answers come this near to the bound it imposes.
NEAR_BOUND = 0.95
# Distributions less sure than this share of their accuracy do not come from a trained softmax.
UNSURE = 0.8


def highest_of_softmax(classes: int) -> float:
    """Return the largest probability in the softmax of a distribution: that of a one-hot row."""
    return math.e / (math.e + classes - 1)


def undo_softmax(p: Floats) -> Floats:
    """Return the only z of sum one with softmax(z) = p, row by row.

    Notes
    -----
    softmax fixes z up to a constant of the row: z = log p + c with c = (1 - sum log p) / classes.
    p is a softmax of a distribution if and only if no entry of this z is negative.
    """
    log_p = np.log(np.maximum(p, TINY))
    return np.asarray(log_p + (1 - log_p.sum(axis=1, keepdims=True)) / p.shape[1])


def softmax_twice(subject: Subject) -> Finding | None:
    """The softmax is undone once: what is left must not be distributions already."""
    p, kind = subject.predictions.probabilities, subject.predictions.kind
    inner = undo_softmax(p)
    if kind is PredictionKind.UNNORMALISED or inner.min() < -HALF_PRECISION:
        return None
    classes, accuracy = p.shape[1], subject.accuracy
    highest = highest_of_softmax(classes)
    error = math.sqrt(highest * (1 - highest) / len(p))
    # A model that is right this often and never surer than `highest` is not merely unsure.
    if accuracy < highest + STANDARD_ERRORS * error:
        return None
    reached = float(inner.max())
    certain = reached > NEAR_BOUND
    # Undone, the answers must be about as sure as they are right; if not, a temperature it is.
    if not certain and inner.max(axis=1).mean() < UNSURE * accuracy:
        return None
    return Finding(
        message=(
            f"Softmax is applied twice: every row is the softmax of a distribution, so no "
            f"probability can leave [{1 / (classes - 1 + math.e):.3g}, {highest:.3g}], "
            f"while {accuracy:.0%} of the answers are right."
        ),
        confidence=0.97 if certain else 0.7,
        evidence={
            "smallest probability": float(p.min()),
            "largest probability": float(p.max()),
            "lower bound 1 / (C - 1 + e)": 1 / (classes - 1 + math.e),
            "upper bound e / (C - 1 + e)": highest,
            "largest log-ratio within a row (bound 1)": float(np.log(p.max(1) / p.min(1)).max()),
            "largest probability before the second softmax": reached,
            "accuracy": accuracy,
            "loss": float(subject.sample_losses.mean()),
        },
        causes=(
            "the model ends in a softmax, and the loss or predict applies another",
            "the logits are far too small: a temperature well above 1",
        ),
        steps=advice(
            "Remove one softmax: pass logits to the loss, or take the log of the probabilities.",
            "Overturned by one row of the model's output before predict that does not sum to 1.",
        ),
    )


def rounded_probabilities(subject: Subject) -> Finding | None:
    """Probabilities on a decimal grid whose rows miss one by whole steps of it were rounded."""
    p = subject.predictions.raw
    if (
        subject.predictions.kind not in (PredictionKind.PROBABILITIES, PredictionKind.UNNORMALISED)
        or p.max() > 1.1
    ):
        return None
    decimals = decimals_of(p)
    if decimals is None:
        return None
    if np.ptp(p) == 0:
        return None
    missed = np.abs(p.sum(axis=1) - 1) > 0.5 * 10.0**-decimals
    zero = subject.p_true == 0
    said = (
        f"The probabilities are rounded to multiples of {10.0**-decimals:g}: "
        f"{missed.mean():.0%} of the rows no longer sum to 1"
        if missed.any()
        else f"All probabilities are multiples of {10.0**-decimals:g}: rounded, or counted by a "
        "few trees or neighbours"
    )
    lost = f"; {zero.sum()} true classes have exactly 0, and an infinite loss" if zero.any() else ""
    return Finding(
        severity=Severity.WARNING if missed.any() else Severity.INFO,
        message=f"{said}{lost}.",
        confidence=0.97 if missed.any() else 0.6,
        evidence={
            "decimals": decimals,
            "share of rows that miss one": float(missed.mean()),
            "true classes of probability zero": int(zero.sum()),
        },
        causes=("np.round, or a text file with few digits, before the loss",),
        steps=advice("Compute the loss from the unrounded probabilities."),
    )
