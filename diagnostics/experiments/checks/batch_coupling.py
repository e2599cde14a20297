"""Is the evaluation right? Rows and batches."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.checks.determinism import evaluation_mode
from diagnostics.experiments.measures.loss_variants import matching
from diagnostics.experiments.model.model_access import in_training, is_torch, model_of
from diagnostics.experiments.model.predictions import (
    SUM_TOLERANCE,
    PredictionKind,
    UnusableError,
    cross_entropy,
    decimals_of,
)
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity, advice
from diagnostics.history.table import Floats

# A probability that changes by this much with its neighbours in the batch is no rounding error.
COUPLED = 1e-3

ROW_WISE = (
    "Normalise each row by itself: e = np.exp(x - x.max(axis=-1, keepdims=True)); "
    "return e / e.sum(axis=-1, keepdims=True)"
)


def evaluation_bug(subject: Subject) -> Finding | None:
    """Rows must sum to one, and must not depend on the other rows of the batch."""
    predictions = subject.predictions
    unequal = _coupling(subject, subject.alone, renormalised=False)
    # how much the answer to one sample differs for no other sample's sake
    noise = max(subject.repeat_noise, subject.copy_noise if "model" in subject.given else 0.0)
    coupled = unequal > max(COUPLED, 10 * noise)
    shared = coupled and _coupling(subject, subject.alone, renormalised=True) <= COUPLED
    if not coupled and predictions.kind is not PredictionKind.UNNORMALISED:
        return None
    if not coupled and _merely_rounded(predictions.raw):
        return None
    # what the whole array or each column sums to gives it away without the model, too
    columns, whole = predictions.raw.sum(axis=0), predictions.raw.sum(keepdims=True)
    over_batch = len(subject.y) > 1 and (_is_one(columns) or _is_one(whole))
    if not coupled and not over_batch:
        return _rows_not_normalised(subject)
    if shared or over_batch:
        return _normaliser_shared(subject, unequal)
    return _rows_coupled(subject, unequal)


def _merely_rounded(p: Floats) -> bool:
    """Whether rounding alone explains that rows do not sum to one."""
    decimals = decimals_of(p)
    if decimals is None:
        return False
    # each of the entries is off by at most half a step
    return bool(np.all(np.abs(p.sum(axis=1) - 1) <= 0.5 * 10.0**-decimals * p.shape[1] + 1e-9))


def _coupling(subject: Subject, alone: Floats | None, *, renormalised: bool) -> float:
    """Largest change of an answer when its row is asked for alone, as probability."""
    batch = subject.predictions
    if alone is None:
        try:
            return subject.half_batch_change
        except UnusableError:
            return 0.0
    if not np.isfinite(alone).all():
        return np.inf
    if renormalised or batch.is_logarithmic:
        single = batch.probabilities_of(alone)
        return float(np.abs(single - batch.probabilities[subject.rows]).max())
    return float(np.abs(alone - batch.raw[subject.rows]).max())


def _normaliser_shared(subject: Subject, unequal: float) -> Finding:
    """Each row is right but for a factor that the rows share."""
    raw, n = subject.predictions.raw, len(subject.y)
    whole = f"all {n} rows together sum to {raw.sum():.4g}"
    summed = "each column sums to one" if _is_one(raw.sum(axis=0)) else whole
    return Finding(
        message=(
            f"The evaluation is wrong, not the model: softmax is normalised over the batch. "
            f"{summed[0].upper()}{summed[1:]}, while rows sum to {_span(raw.sum(axis=1))} "
            "instead of 1."
        ),
        confidence=0.99,
        evidence=_evaluation_evidence(subject, unequal),
        causes=("maximum or sum in softmax taken over the whole array, or along axis 0",),
        steps=advice(
            ROW_WISE,
            f"Then evaluate again: with rows normalised the loss is "
            f"{subject.sample_losses.mean():.3g}.",
        ),
    )


def _rows_coupled(subject: Subject, unequal: float) -> Finding:
    """Rows differ by more than a shared factor."""
    return Finding(
        message=(
            "A sample's answer depends on the other samples of its batch: asked for alone, "
            + (
                f"probabilities change by up to {unequal:.2g}."
                if np.isfinite(unequal)
                else "it is not a number."
            )
        ),
        confidence=0.97,
        evidence=_evaluation_evidence(subject, unequal),
        causes=(
            "batch normalisation uses the statistics of the batch in evaluation",
            "a recurrent layer takes the samples for time steps (batch_first=True is missing)",
            "a mean, maximum or sum is taken along the batch axis",
            "predict keeps state from one call to the next",
        ),
        steps=advice(
            *_mode_first(subject),
            "Reduce along axis=-1 only; rows of a batch must not see one another.",
        ),
    )


def _mode_first(subject: Subject) -> tuple[str, ...]:
    """The advice to change the mode, unless the model says that it is in evaluation mode."""
    model = model_of(subject.predict)
    if is_torch(model) and not in_training(model):
        return ()
    return (f"{evaluation_mode(subject)} Batch normalisation then uses its running statistics.",)


def _rows_not_normalised(subject: Subject) -> Finding:
    """Rows are what they are alone too, and do not sum to one."""
    sums = subject.predictions.row_sums
    return Finding(
        severity=Severity.PROBLEM if sums.max() > 1 + SUM_TOLERANCE else Severity.WARNING,
        message=(
            f"The rows that predict returns are no distributions: they sum to {_span(sums)} "
            "instead of 1."
        ),
        confidence=0.85,
        evidence=_evaluation_evidence(subject, 0.0),
        causes=(
            "the output layer has no softmax, or a sigmoid for each class",
            "the probabilities are scaled after the softmax",
        ),
        steps=advice(
            ROW_WISE,
            "If the classes do not exclude one another, this is no cross-entropy.",
        ),
    )


def _evaluation_evidence(subject: Subject, unequal: float) -> dict[str, float | int | str]:
    """Row sums, both losses, and which of them was reported."""
    raw, y = subject.predictions.raw, subject.y
    sums = subject.predictions.row_sums
    evidence: dict[str, float | int | str] = {
        "samples N": len(y),
        "mean row sum": float(sums.mean()),
        "1 / N": 1 / len(y),
        "largest change when asked alone": unequal,
        "accuracy": subject.accuracy,
        "loss with rows normalised": float(subject.sample_losses.mean()),
    }
    if raw.min() >= 0:
        evidence["loss of the rows as returned"] = cross_entropy(raw, y)
        evidence["ln N"] = float(np.log(len(y)))
    if subject.reported_loss is not None:
        evidence["reported loss"] = subject.reported_loss
        match = matching(subject, subject.reported_loss)
        evidence["the reported loss is"] = match.name if match else "none of the usual variants"
    return evidence


def _span(values: Floats) -> str:
    """The smallest and the largest value, or the one that all are."""
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    return low if low == high else f"{low} to {high}"


def _is_one(sums: Floats) -> bool:
    return bool(np.all(np.abs(sums - 1) < SUM_TOLERANCE))


def logits_returned(subject: Subject) -> Finding | None:
    """Logits are no fault; who reads them as probabilities makes one."""
    kind = subject.predictions.kind
    if kind not in (PredictionKind.LOGITS, PredictionKind.LOG_PROBABILITIES):
        return None
    return Finding(
        message=f"predict returns {kind}; a row-wise softmax was applied to them here.",
        evidence={"smallest value": float(subject.predictions.raw.min())},
    )


def classes_returned(subject: Subject) -> Finding | None:
    """Answers without probabilities have no loss and no confidence."""
    if subject.predictions.kind is not PredictionKind.CLASSES:
        return None
    zero = subject.p_true == 0
    return Finding(
        message=(
            "predict returns classes, or probabilities that are all exactly 0 or 1: accuracy can "
            f"be judged, confidence cannot; the cross-entropy of {zero.sum()} samples is infinite."
        ),
        evidence={"accuracy": subject.accuracy, "infinite losses": int(zero.sum())},
        steps=advice("Pass the function that returns probabilities, such as predict_proba."),
    )
