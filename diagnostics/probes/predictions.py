"""What a model answers, brought into one form: probabilities, a row for each sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from diagnostics.table import Floats

Predict = Callable[[Any], Any]

# Rows of probabilities in single precision sum to one within some 1e-6; a shared normaliser or a
# missing one is far outside.
SUM_TOLERANCE = 1e-3
# Probabilities are printed and stored with so many decimals.
DECIMALS = (1, 2, 3, 4)


class Kind(StrEnum):
    """What the rows of the answer are."""

    PROBABILITIES = "probabilities"
    UNNORMALISED = "unnormalised probabilities"
    LOG_PROBABILITIES = "log-probabilities"
    LOGITS = "logits"
    CLASSES = "class indices"


class UnusableError(ValueError):
    """The answer of a model cannot be read as one row for each sample."""


@dataclass(frozen=True)
class Predictions:
    """Answers to n samples.

    Parameters
    ----------
    raw : ndarray, shape (n, classes)
        As returned, as float64; one column of a binary model is completed to two.
    kind
        What the rows are.
    probabilities : ndarray, shape (n, classes)
        Row-wise normalised, whatever was returned.
    """

    raw: Floats
    kind: Kind
    probabilities: Floats

    @property
    def row_sums(self) -> Floats:
        """Sum of each row as returned, shape (n,)."""
        return np.asarray(self.raw.sum(axis=1))


def ask(predict: Predict, X: Any, classes: int) -> Floats:
    """Return ``predict(X)`` as a float64 array of shape (n, classes).

    Raises
    ------
    UnusableError
        The call failed, or its answer has another shape or is not numeric.
    """
    try:
        answer = encoded(predict, predict(X))
    except Exception as error:
        raise UnusableError(f"predict raised {type(error).__name__}: {error}") from error
    if hasattr(answer, "detach"):
        answer = answer.detach()
    try:
        values = np.array(answer, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UnusableError(
            f"predict returned {type(answer).__name__}, not an array of numbers"
        ) from error
    return _as_rows(values, len(X), classes)


def _as_rows(values: Floats, samples: int, classes: int) -> Floats:
    """The answer with a row for each sample and a column for each class."""
    if values.ndim > 2:
        values = values.reshape(len(values), -1) if len(values) == samples else values
    if values.shape in ((samples,), (samples, 1)) and _are_classes(values, classes):
        return np.asarray(np.eye(classes)[values.reshape(-1).astype(np.intp)])
    if values.shape in ((samples,), (samples, 1)) and classes <= 2:
        p = values.reshape(samples, 1)
        inside = bool(np.all((p >= 0) & (p <= 1)))
        return np.hstack([1 - p, p]) if inside else np.hstack([np.zeros_like(p), p])
    if values.ndim == 1 and samples == 1:
        values = values.reshape(1, -1)
    if values.ndim == 2 and values.shape[0] != samples and values.shape[1] == samples:
        values = values.T
    if values.ndim != 2 or values.shape[0] != samples or values.shape[1] < classes:
        raise UnusableError(
            f"predict returned shape {values.shape} for {samples} samples of {classes} classes; "
            f"expected ({samples}, {classes})"
        )
    return values


def _are_classes(values: Floats, classes: int) -> bool:
    """Whether these are indices of classes: whole numbers in range."""
    whole = bool(np.isfinite(values).all() and np.all(values == np.round(values)))
    return whole and bool(values.min() >= 0 and values.max() < classes)


def interpret(raw: Floats) -> Predictions:
    """Tell what the rows are, and normalise them row-wise."""
    if raw.min() >= 0:
        sums = raw.sum(axis=1, keepdims=True)
        normal = bool(np.all(np.abs(sums - 1) < SUM_TOLERANCE))
        empty = sums == 0
        rows = np.where(empty, 1 / raw.shape[1], raw / np.where(empty, 1, sums))
        if np.isin(raw, (0.0, 1.0)).all() and np.all(sums == 1):
            return Predictions(raw, Kind.CLASSES, rows)
        return Predictions(raw, Kind.PROBABILITIES if normal else Kind.UNNORMALISED, rows)
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    rows = shifted / shifted.sum(axis=1, keepdims=True)
    if raw.max() <= 0 and np.all(np.abs(np.exp(raw).sum(axis=1) - 1) < SUM_TOLERANCE):
        return Predictions(raw, Kind.LOG_PROBABILITIES, rows)
    return Predictions(raw, Kind.LOGITS, rows)


def decimals_of(p: Floats) -> int | None:
    """Return the decimals to which all entries are rounded, None where they are not."""
    for decimals in DECIMALS:
        scaled = p * 10.0**decimals
        if np.all(np.abs(scaled - np.round(scaled)) < 1e-6 * 10.0**decimals):
            return decimals
    return None


def encoded(predict: Predict, values: Any) -> Any:
    """Return labels as indices into the ``classes_`` of the scikit-learn model that predicts."""
    known = getattr(getattr(predict, "__self__", None), "classes_", None)
    if known is None:
        return values
    labels = np.asarray(values)
    if labels.ndim != 1 or not np.isin(labels, known).all():
        return values
    return np.searchsorted(known, labels)
