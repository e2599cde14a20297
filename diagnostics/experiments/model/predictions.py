"""What a model answers, brought into one form: probabilities, a row for each sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diagnostics.experiments.model.model_access import behind
from diagnostics.history.table import Floats
from diagnostics.statistics.calibration import TINY

Predict = Callable[[Any], Any]
Labels = NDArray[np.intp]

# Rows of probabilities in single precision sum to one within some 1e-6; a shared normaliser or a
# missing one is far outside.
SUM_TOLERANCE = 1e-3
# Probabilities are printed and stored with so many decimals.
DECIMALS = (1, 2, 3, 4)
# Under these names models that answer several things keep the one that counts.
MAIN_OUTPUTS = ("logits", "probabilities", "probs", "scores", "predictions")


class PredictionKind(StrEnum):
    """What the rows of the answer are."""

    PROBABILITIES = "probabilities"
    UNNORMALISED = "unnormalised probabilities"
    LOG_PROBABILITIES = "log-probabilities"
    LOGITS = "logits"
    CLASSES = "class indices"
    NUMBERS = "numbers"


class UnusableError(ValueError):
    """The answer of a model cannot be read as one row for each sample."""


@dataclass(frozen=True)
class Given:
    """Predictions in place of a model: they answer for the samples they were made for only."""

    answers: Any
    X: Any

    def __call__(self, X: Any) -> Any:
        """Return the predictions for the very same samples."""
        if X is not self.X:
            raise UnusableError("predictions are given, and not the model that makes them")
        return self.answers


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
    kind: PredictionKind
    probabilities: Floats

    @property
    def is_logarithmic(self) -> bool:
        """Whether the rows are exponents, to which a softmax is applied."""
        return self.kind in (PredictionKind.LOGITS, PredictionKind.LOG_PROBABILITIES)

    def probabilities_of(self, raw: Floats) -> Floats:
        """Return other answers of the same model, normalised as these were."""
        return softmax(raw) if self.is_logarithmic else by_sum(raw)

    @property
    def row_sums(self) -> Floats:
        """Sum of each row as returned, shape (n,)."""
        return np.asarray(self.raw.sum(axis=1))


def ask(predict: Predict, X: Any) -> Floats:
    """Return ``predict(X)`` as a float64 array of whatever shape.

    Raises
    ------
    UnusableError
        The call failed, or its answer is not numeric.
    """
    # the samples stay as they are, whatever predict does to them
    shown = X.copy() if isinstance(X, np.ndarray) and not isinstance(predict, Given) else X
    try:
        answer = encoded(predict, predict(shown))
    except UnusableError:
        raise
    except Exception as error:
        raise UnusableError(f"predict raised {type(error).__name__}: {error}") from error
    if isinstance(answer, Mapping):  # of several things, as models of Hugging Face answer
        answer = next((answer[name] for name in MAIN_OUTPUTS if name in answer), answer)
    if hasattr(answer, "detach"):
        answer = answer.detach().cpu().double().numpy()  # numpy has no bfloat16
    try:
        return np.array(answer, dtype=np.float64)
    except (TypeError, ValueError) as error:
        first = len(answer) and np.shape(answer[0]) if isinstance(answer, tuple) else None
        hint = f"; its first item has shape {first}: pass lambda X: predict(X)[0]" if first else ""
        raise UnusableError(
            f"predict returned a {type(answer).__name__}, not an array of numbers{hint}"
        ) from error


def ask_one_by_one(predict: Predict, X: Any, rows: Iterable[int]) -> Floats:
    """Return the answers to some samples, each asked for alone, as if answered together.

    Raises
    ------
    UnusableError
        As for `ask`; or the answer to one sample has not the shape of the others.
    """
    answers = [ask(predict, X[i : i + 1]).reshape(-1) for i in rows]
    if len({answer.shape for answer in answers}) > 1:
        raise UnusableError("single samples are answered in different shapes")
    return np.stack(answers)


def as_rows_of_classes(values: Floats, samples: int, classes: int) -> Floats:
    """Return answers with a row for each sample and a column for each class.

    Raises
    ------
    UnusableError
        They have another shape.
    """
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


def as_rows_of_numbers(values: Floats, samples: int, outputs: int) -> Floats:
    """Return the answers of a regression with a row for each sample, a column for each output.

    Raises
    ------
    UnusableError
        They have another shape.
    """
    if values.size == samples * outputs and (values.ndim < 2 or len(values) == samples):
        return values.reshape(samples, outputs)
    raise UnusableError(
        f"predict returned shape {values.shape} for {samples} samples; "
        f"expected ({samples},)" + (f" or ({samples}, {outputs})" if outputs > 1 else "")
    )


def _are_classes(values: Floats, classes: int) -> bool:
    """Whether these are indices of classes: whole numbers in range."""
    whole = bool(np.isfinite(values).all() and np.all(values == np.round(values)))
    return whole and bool(values.min() >= 0 and values.max() < classes)


def interpret(raw: Floats) -> Predictions:
    """Tell what the rows are, and normalise them row-wise."""
    if raw.min() >= 0:
        sums = raw.sum(axis=1, keepdims=True)
        normal = bool(np.all(np.abs(sums - 1) < SUM_TOLERANCE))
        if np.isin(raw, (0.0, 1.0)).all() and np.all(sums == 1):
            return Predictions(raw, PredictionKind.CLASSES, by_sum(raw))
        return Predictions(
            raw,
            PredictionKind.PROBABILITIES if normal else PredictionKind.UNNORMALISED,
            by_sum(raw),
        )
    if raw.max() <= 0 and np.all(np.abs(np.exp(raw).sum(axis=1) - 1) < SUM_TOLERANCE):
        return Predictions(raw, PredictionKind.LOG_PROBABILITIES, softmax(raw))
    return Predictions(raw, PredictionKind.LOGITS, softmax(raw))


def softmax(logits: Floats, axis: int | None = 1) -> Floats:
    """Return the softmax, by default row-wise, with ``axis=None`` over all logits together."""
    e = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def of_class(p: Floats, y: Labels) -> Floats:
    """Return what each row of ``p`` gives to its class, shape (n,)."""
    return p[np.arange(len(y)), y]


def cross_entropy(p: Floats, y: Labels, eps: float = TINY) -> float:
    """Return the mean cross-entropy in nats, of probabilities clipped from below at ``eps``."""
    return float(-np.log(np.maximum(of_class(p, y), eps)).mean())


def contingency(answers: Labels, y: Labels, size: int = 0) -> Floats:
    """Return how often each class is answered for each label, shape (labels, answers)."""
    size = size or int(max(answers.max(), y.max())) + 1
    return np.bincount(y * size + answers, minlength=size**2).reshape(size, size).astype(np.float64)


def by_sum(rows: Floats) -> Floats:
    """Return rows divided by their sums; rows of zeros become uniform."""
    sums = rows.sum(axis=1, keepdims=True)
    return np.where(sums == 0, 1 / rows.shape[1], rows / np.where(sums == 0, 1, sums))


def decimals_of(p: Floats) -> int | None:
    """Return the decimals to which all entries are rounded, None where they are not."""
    for decimals in DECIMALS:
        scaled = p * 10.0**decimals
        if np.all(np.abs(scaled - np.round(scaled)) < 1e-6 * 10.0**decimals):
            return decimals
    return None


def encoded(predict: Predict, values: Any) -> Any:
    """Return labels as indices into the ``classes_`` of the scikit-learn model that predicts."""
    models = (getattr(thing, "classes_", None) for thing in behind(predict))
    known = next((classes for classes in models if isinstance(classes, np.ndarray)), None)
    if known is None:
        return values
    labels = np.asarray(values)
    if labels.ndim != 1 or not np.isin(labels, known).all():
        return values
    return np.searchsorted(known, labels)
