"""Are the answers as sure as they are right? Calibration, confident errors, a single class."""

from __future__ import annotations

import numpy as np

from diagnostics.finding import Finding, Severity
from diagnostics.probes.registry import probe
from diagnostics.probes.subject import TINY, Subject
from diagnostics.table import Floats, Mask

BINS = 15  # as in Guo et al. 2017
# A temperature that differs from 1 by less is the noise of a few hundred samples.
TOO_SURE = 1.2
# Twice the gain in log-likelihood is chi-squared with one degree of freedom: 5 nats, p = 0.002.
SIGNIFICANT_GAIN = 5.0
# Share of the loss, and nats, that a temperature must mend to matter, and to be a problem.
GAIN_SHARE, LARGE_GAIN_SHARE, LARGE_GAIN = 0.10, 0.25, 0.2
# An answer is confident from this probability on.
CONFIDENT = 0.9
# One class answered this often, where the labels hold it at most that often.
ONE_CLASS, NOT_ONE_CLASS = 0.95, 0.8


def expected_calibration_error(p: Floats, right: Mask) -> float:
    """Return the mean difference of confidence and accuracy over equally wide bins.

    Notes
    -----
    Guo, Pleiss, Sun and Weinberger 2017, On Calibration of Modern Neural Networks, eq. 3.
    """
    confidence = p.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    gaps = np.bincount(bins, confidence - right.astype(np.float64), BINS)
    return float(np.abs(gaps).sum() / counts.sum())


def fit_temperature(p: Floats, y: np.ndarray) -> tuple[float, float]:
    """Return the temperature that minimises the cross-entropy of ``p ** (1/T)``, and that loss.

    Notes
    -----
    Guo et al. 2017, section 4.2; log p serves as logits, from which it differs by a constant
    in each row only.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    logits = np.log(np.maximum(p, TINY))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(np.mean(logsumexp(scaled, axis=1) - scaled[np.arange(len(y)), y]))

    best = minimize_scalar(loss, bounds=(-3.0, 5.0), method="bounded")
    return float(np.exp(best.x)), float(best.fun)


# With these the confidence is not the model's own, or there is nothing to be sure of.
NOT_ITS_OWN = (
    "evaluation_bug",
    "distribution_shift",
    "nondeterministic_prediction",
    "softmax_twice",
    "shuffled_labels",
    "not_learning",
    "classes_returned",
)


@probe(unless=NOT_ITS_OWN)
def overconfidence(subject: Subject) -> Finding | None:
    """One temperature is fitted, and the loss it would save is measured."""
    p, y, losses = subject.predictions.probabilities, subject.y, subject.sample_losses
    temperature, mended = fit_temperature(p, y)
    loss = float(losses.mean())
    gain = loss - mended
    if temperature < TOO_SURE or gain * len(y) < SIGNIFICANT_GAIN or gain < GAIN_SHARE * loss:
        return None
    wrong = ~subject.right
    share = float(losses[wrong].sum() / losses.sum())
    worst = ", ".join(str(i) for i in np.argsort(losses)[::-1][:5])
    severe = gain > LARGE_GAIN and gain > LARGE_GAIN_SHARE * loss
    return Finding(
        code="overconfidence",
        severity=Severity.PROBLEM if severe else Severity.WARNING,
        message=(
            f"The model is too sure of itself: {share:.0%} of the loss comes from the "
            f"{wrong.mean():.1%} wrong answers, given with {p.max(axis=1)[wrong].mean():.0%} "
            f"confidence; one temperature of {temperature:.2g} saves {gain / loss:.0%} of the loss."
        ),
        confidence=0.9,
        evidence={
            "loss": loss,
            "loss at the best temperature": mended,
            "best temperature": temperature,
            "expected calibration error": expected_calibration_error(p, subject.right),
            "share of the loss from wrong answers": share,
            "share of wrong answers": float(wrong.mean()),
            "share of confident wrong answers": float(np.mean(wrong & (p.max(axis=1) > CONFIDENT))),
            "samples with the highest loss": worst,
        },
        causes=("the logits went on growing after the training samples were classified rightly",),
        next_steps=(
            f"Divide the logits by {temperature:.2g}: the loss falls to {mended:.3g}, "
            "and no answer changes.",
            "Or stop at the lowest validation loss, or train with label smoothing.",
            f"Look at the samples {worst}: their labels may be wrong.",
        ),
    )


@probe(unless=NOT_ITS_OWN)
def underconfidence(subject: Subject) -> Finding | None:
    """The same fit: a temperature below one sharpens answers that are too cautious."""
    p, y = subject.predictions.probabilities, subject.y
    temperature, mended = fit_temperature(p, y)
    loss = float(subject.sample_losses.mean())
    gain = loss - mended
    if temperature > 1 / TOO_SURE or gain * len(y) < SIGNIFICANT_GAIN or gain < GAIN_SHARE * loss:
        return None
    return Finding(
        code="underconfidence",
        severity=Severity.WARNING,
        message=(
            f"The model is less sure than it is right: {subject.right.mean():.0%} of the answers "
            f"are right, given with {p.max(axis=1).mean():.0%} confidence on average; one "
            f"temperature of {temperature:.2g} saves {gain / loss:.0%} of the loss."
        ),
        confidence=0.9,
        evidence={
            "loss": loss,
            "loss at the best temperature": mended,
            "best temperature": temperature,
            "expected calibration error": expected_calibration_error(p, subject.right),
            "accuracy": float(subject.right.mean()),
        },
        causes=(
            "strong label smoothing, mixup, weight decay or averaging of models",
            "training stopped early",
            "the logits are divided by a temperature",
        ),
        next_steps=(
            f"Multiply the logits by {1 / temperature:.2g}: the loss falls to {mended:.3g}, "
            "and no answer changes.",
        ),
    )


@probe()
def log_of_zero(subject: Subject) -> Finding | None:
    """Samples whose true class has probability zero make the loss infinite."""
    raw, y = subject.predictions.raw, subject.y
    zero = raw[np.arange(len(y)), y] == 0 if raw.min() >= 0 else np.zeros(len(y), bool)
    if not zero.any():
        return None
    return Finding(
        code="exploding_or_nan",
        severity=Severity.WARNING,
        message=(
            f"{zero.sum()} of {len(y)} samples have probability exactly zero for their class: "
            "the cross-entropy is infinite, or whatever the clipping makes of it."
        ),
        confidence=0.95,
        evidence={"share of samples": float(zero.mean()), "first sample": int(np.argmax(zero))},
        causes=("the softmax underflows, then its logarithm is taken",),
        next_steps=("Compute the loss from the logits: logsumexp(z) - z[y].",),
    )


@probe()
def class_collapse(subject: Subject) -> Finding | None:
    """The answers are counted by class."""
    answers = subject.predictions.probabilities.argmax(axis=1)
    counts = np.bincount(answers, minlength=subject.classes)
    answered, label_share = counts.max() / len(answers), np.bincount(subject.y).max() / len(answers)
    if answered < ONE_CLASS or label_share > NOT_ONE_CLASS:
        return None
    return Finding(
        code="class_collapse",
        severity=Severity.PROBLEM,
        message=f"The model answers class {counts.argmax()} for {answered:.0%} of the samples.",
        confidence=0.95,
        evidence={
            "share of that answer": float(answered),
            "share of the most frequent label": float(label_share),
            "accuracy": float(subject.right.mean()),
        },
        causes=(
            "the hidden units are dead or saturated",
            "the inputs are preprocessed otherwise than in training",
            "one class dominates the training set",
        ),
        next_steps=("Look at the hidden activations of two different samples: are they equal?",),
    )
