"""Is the loss of a regression the reported one? It is recomputed in all usual ways."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from diagnostics.experiments.checks.reported_metrics import RATIO
from diagnostics.experiments.measures.loss_variants import Variant
from diagnostics.experiments.model.regression_subject import Numbers
from diagnostics.finding import Finding, Severity, advice

# Error from which on Huber's loss grows linearly, in every library.
HUBER_DELTA = 1.0


def reported_error(subject: Numbers) -> Finding | None:
    """The loss is recomputed in all usual ways and compared with the one reported."""
    reported = subject.reported("val_loss")
    if reported is None:
        return None
    every = list(losses_of(subject))
    match = next((variant for variant in every if variant.equals(reported)), None)
    mean = every[0].value
    evidence: dict[str, float | int | str] = {"reported": reported, "mean squared error": mean}
    if match is not None and not match.code:
        return None
    if match is not None:
        return Finding(
            code=match.code,
            severity=Severity.PROBLEM,
            message=(
                f"The reported loss {reported:.4g} is the {match.name}; the mean squared error is "
                f"{mean:.4g}."
            ),
            confidence=0.95,
            evidence=evidence | {"the reported loss is": match.name},
            steps=advice("Report ((predict(X).reshape(-1) - y.reshape(-1)) ** 2).mean()"),
        )
    known = [variant.value for variant in every if not variant.code]
    if any(1 / RATIO < reported / max(value, 1e-300) < RATIO for value in known):
        return None
    return Finding(
        code="loss_not_reproduced",
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


def losses_of(subject: Numbers) -> Iterator[Variant]:
    """Yield the loss of a regression in all usual ways, the simplest first."""
    error, n = subject.errors, len(subject.targets)
    squares, absolute = error**2, np.abs(error)
    variance = float(subject.targets.var())
    small = np.minimum(absolute, HUBER_DELTA)
    yield Variant("mean squared error", "", float(squares.mean()))
    yield Variant("half the mean squared error", "", float(squares.mean() / 2))
    yield Variant("root of the mean squared error", "", float(np.sqrt(squares.mean())))
    yield Variant("mean absolute error", "", float(absolute.mean()))
    yield Variant("mean of Huber's loss", "", float((small * (absolute - small / 2)).mean()))
    if variance > 0:
        yield Variant("mean squared error by the targets' variance", "", float(squares.mean())
                      / variance)  # fmt: skip
    for name, total in (("squared", squares.sum()), ("absolute", absolute.sum())):
        yield Variant(f"{name} error summed over the samples", "loss_scale_mismatch", float(total))
    yield Variant("half the squared error summed over the samples", "loss_scale_mismatch",
                  float(squares.sum() / 2))  # fmt: skip
    # (n, 1) - (n,) is (n, n): mean over i, j of (p_i - t_j)^2 = var p + var t + (mean p - mean t)^2
    p, t = subject.predictions.raw[:, 0], subject.targets[:, 0]
    if subject.targets.shape[1] == 1 and n > 1:
        every = float(p.var() + t.var() + (p.mean() - t.mean()) ** 2)
        yield Variant("mean of squares of every answer less every target, (n, 1) - (n,)",
                      "evaluation_bug", every)  # fmt: skip
