"""Are the loss and the accuracy the reported ones? Both are recomputed and compared."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.measures.loss_variants import error_variants, matching
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice

# A reported loss this many standard errors and this ratio away from the recomputed one is another.
STANDARD_ERRORS = 5.0
RATIO = 1.5
# An accuracy may differ by this much for other reasons, such as another subset.
ACCURACY_SLACK = 0.05


def reported_loss(subject: Subject) -> Finding | None:
    """The loss is recomputed in all usual ways and compared with the one reported."""
    reported = subject.reported_loss
    if reported is None:
        return None
    match = matching(subject, reported)
    right = float(subject.sample_losses.mean())
    evidence: dict[str, float | int | str] = {"reported": reported, "recomputed": right}
    if match is not None and not match.code:
        return None
    if match is not None:
        evidence["the reported loss is"] = match.name
        warning = match.code == "other_loss_trained"
        return Finding(
            code=match.code,
            severity=Severity.WARNING if warning else Severity.PROBLEM,
            message=f"The reported loss {reported:.4g} is a {match.name}; the mean is {right:.4g}.",
            confidence=0.95,
            evidence=evidence,
            steps=advice("Report the mean cross-entropy: -log(p[range(n), y]).mean()."),
        )
    if subject.reported("val_loss") is None:
        return None  # the only loss there is may be that of the training samples
    error = float(subject.sample_losses.std() / np.sqrt(len(subject.y)))
    ratio = max(reported, 1e-12) / max(right, 1e-12)
    if abs(reported - right) < STANDARD_ERRORS * error or 1 / RATIO < ratio < RATIO:
        return None
    return Finding(
        severity=Severity.WARNING,
        message=(
            f"The reported loss {reported:.4g} cannot be reproduced: these predictions have "
            f"{right:.4g}, and no usual variant explains the difference."
        ),
        confidence=0.7,
        evidence=evidence | {"standard error": error},
        causes=(
            "the reported loss is computed from other predictions than predict returns",
            "these are other samples, or other weights, than those of the report",
            "a weight penalty is added to the reported loss",
        ),
        steps=advice("Call investigate with the samples and weights of the last epoch."),
    )


def reported_accuracy(subject: Subject) -> Finding | None:
    """The accuracy is recomputed and compared with the one reported."""
    reported, actual = subject.reported("val_accuracy"), subject.accuracy
    if reported is None:
        return None
    error = np.sqrt(max(actual * (1 - actual), 0.01) / len(subject.y))
    if abs(reported - actual) < max(ACCURACY_SLACK, STANDARD_ERRORS * error):
        return None
    return Finding(
        message=f"The reported accuracy is {reported:.1%}; {actual:.1%} of the answers are right.",
        confidence=0.8,
        evidence={"reported": reported, "recomputed": actual, "standard error": float(error)},
        causes=(
            "the accuracy is computed along another axis, or with a threshold",
            "the labels given here are ordered otherwise, or these are other samples",
        ),
        steps=advice("Compute the accuracy as (p.argmax(axis=-1) == y).mean()."),
    )


def reported_error(subject: Subject) -> Finding | None:
    """The loss is recomputed in all usual ways and compared with the one reported."""
    reported = subject.reported("val_loss")
    if reported is None:
        return None
    match, mean = matching(subject, reported), float((subject.errors**2).mean())
    evidence: dict[str, float | int | str] = {"reported": reported, "mean squared error": mean}
    if match is not None and not match.code:
        return None
    if match is not None:
        return Finding(
            code=match.code,
            message=(
                f"The reported loss {reported:.4g} is the {match.name}; the mean squared error is "
                f"{mean:.4g}."
            ),
            confidence=0.95,
            evidence=evidence | {"the reported loss is": match.name},
            steps=advice("Report ((predict(X).reshape(-1) - y.reshape(-1)) ** 2).mean()"),
        )
    known = [v.value for v in error_variants(subject) if not v.code]
    if any(1 / RATIO < reported / max(value, 1e-300) < RATIO for value in known):
        return None
    return Finding(
        severity=Severity.WARNING,
        message=(
            f"The reported loss {reported:.4g} cannot be reproduced: the mean squared error of "
            f"these answers is {mean:.4g}, and no usual loss comes near."
        ),
        confidence=0.6,
        evidence=evidence,
        causes=(
            "the reported loss is computed on targets in other units",
            "these are other samples, or other weights, than those of the report",
        ),
        steps=advice("Call investigate with the samples and weights of the last epoch."),
    )
