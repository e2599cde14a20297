"""Are the answers as sure as they are right? One temperature is fitted, and judged by its effect.

How sure a model is, is a property of the model before it is a fault: naive Bayes is too sure by
construction, a strongly regularised model too cautious, and nearly every network that is trained
to the end too sure. It is reported as a fact, and becomes a warning or a problem only where it
explains a symptom: a validation loss that rises.
"""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice
from diagnostics.statistics.calibration import Temperature, expected_calibration_error

# A temperature nearer to 1 changes a loss by too little to matter.
TOO_SURE = 1.2
# Twice the gain in log-likelihood is chi-squared with one degree of freedom: 5 nats, p = 0.002.
SIGNIFICANT_GAIN = 5.0
# Share of the loss, and nats, that a temperature must save to matter, and to matter much.
GAIN_SHARE, LARGE_GAIN_SHARE, LARGE_GAIN = 0.10, 0.25, 0.2
# An answer is confident from this probability on.
CONFIDENT = 0.9


def overconfidence(subject: Subject) -> Finding | None:
    """One temperature is fitted, and the loss it would save is measured."""
    known, fitted = subject.known, _that_matters(subject)
    if fitted is None or fitted.best < TOO_SURE:
        return None
    p, losses = subject.predictions.probabilities, subject.sample_losses
    loss, wrong = float(losses[known].mean()), ~subject.right & known
    share = float(losses[wrong].sum() / losses[known].sum())
    sureness = float(p.max(axis=1)[wrong].mean()) if wrong.any() else 0.0
    worst = ", ".join(str(i) for i in np.argsort(np.where(known, losses, -1))[::-1][:5])
    severity, cause = _weight(subject, fitted, loss)
    return Finding(
        severity=severity,
        message=(
            f"The model is too sure of itself: {share:.0%} of the loss comes from the "
            f"{wrong.mean():.1%} wrong answers, given with {sureness:.0%} "
            f"confidence; one temperature of {fitted.best:.2g} saves {fitted.gain / loss:.0%} "
            "of the loss."
        ),
        confidence=0.9,
        evidence={
            "loss": loss,
            **_evidence(subject, fitted),
            "share of the loss from wrong answers": share,
            "share of wrong answers": float(wrong.mean()),
            "share of confident wrong answers": float(np.mean(wrong & (p.max(axis=1) > CONFIDENT))),
            "samples with the highest loss": worst,
        },
        causes=(cause,),
        steps=advice(
            f"Divide the logits by {fitted.best:.2g}: the loss falls to {fitted.loss:.3g}, "
            "and no answer changes.",
            "Or stop at the lowest validation loss, or train with label smoothing.",
            f"Look at the samples {worst}: their labels may be wrong.",
        ),
    )


def underconfidence(subject: Subject) -> Finding | None:
    """The same fit: a temperature below one sharpens answers that are too cautious."""
    known, fitted = subject.known, _that_matters(subject)
    if fitted is None or fitted.high > 1 / TOO_SURE:
        return None
    p, loss = subject.predictions.probabilities, float(subject.sample_losses[known].mean())
    return Finding(
        message=(
            f"The model is less sure than it is right: {subject.accuracy:.0%} of the answers "
            f"are right, given with {p.max(axis=1).mean():.0%} confidence on average; one "
            f"temperature of {fitted.best:.2g} saves {fitted.gain / loss:.0%} of the loss."
        ),
        confidence=0.9,
        evidence={
            "loss": loss,
            **_evidence(subject, fitted),
            "accuracy": subject.accuracy,
        },
        causes=(
            "strong label smoothing, mixup, weight decay or averaging of models",
            "training stopped early",
            "the logits are divided by a temperature",
        ),
        steps=advice(
            f"Multiply the logits by {1 / fitted.best:.2g}: the loss falls to {fitted.loss:.3g}, "
            "and no answer changes.",
        ),
    )


def _that_matters(subject: Subject) -> Temperature | None:
    """The best temperature, None where the loss hardly depends on it."""
    count = int(subject.known.sum())
    if 2 * count < len(subject.y):
        return None
    fitted = subject.temperature
    loss = fitted.loss + fitted.gain
    matters = fitted.gain * count > SIGNIFICANT_GAIN and fitted.gain > GAIN_SHARE * loss
    return fitted if matters else None


def _evidence(subject: Subject, fitted: Temperature) -> dict[str, float | int | str]:
    """The fit in numbers."""
    p = subject.predictions.probabilities
    return {
        "loss at the best temperature": fitted.loss,
        "best temperature": fitted.best,
        "interval of the temperature (95 %)": f"{fitted.low:.3g} to {fitted.high:.3g}",
        "expected calibration error": expected_calibration_error(p, subject.right),
    }


def _weight(subject: Subject, fitted: Temperature, loss: float) -> tuple[Severity, str]:
    """How much it matters that the model is too sure, and what makes it so."""
    severe = fitted.gain > LARGE_GAIN and fitted.gain > LARGE_GAIN_SHARE * loss
    grown = "the logits went on growing after the training samples were classified rightly"
    if subject.loss_rises:
        return (Severity.PROBLEM if severe else Severity.WARNING), grown
    trained = subject.trained_on
    on_training = trained.temperature.best if trained and trained.known.any() else 0.0
    if on_training > TOO_SURE:
        return Severity.INFO, (
            f"the model is as unduly sure on its training samples (temperature {on_training:.2g}), "
            "which training on the cross-entropy does not leave behind: the logits are scaled "
            "afterwards, or it is of a kind that is too sure by construction, as naive Bayes"
        )
    return Severity.INFO, grown
