"""The arguments of an investigation, as people have them, brought into one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from diagnostics.experiments.model.predictions import (
    Given,
    Labels,
    Predict,
    UnusableError,
    ask,
    encoded,
)
from diagnostics.experiments.model.subject import Subject
from diagnostics.history.history import History, as_history
from diagnostics.history.table import Floats

# How a model that is no function is asked, the most telling answer first.
METHODS = ("predict_proba", "decision_function", "predict", "forward")
# How the two classes are called where a margin is learned.
SIGNS = np.array([-1, 1])
# Whole numbers of so many kinds may be targets as well as classes.
FEWEST_NUMBERS = 3


@dataclass(frozen=True)
class Named:
    """A model that answers by labels: indices into their ``names``, sorted, shape (classes,)."""

    func: Predict
    names: np.ndarray
    args: tuple[Any, ...] = ()  # as functools.partial has them, for `model_access.behind`

    def __call__(self, X: Any) -> Any:
        """Return the indices of the labels that are answered; numbers that are none as they are."""
        answers = self.func(X)
        values = np.asarray(answers).reshape(-1)
        if self.names.dtype.kind != "U":
            return np.searchsorted(self.names, values) if _all_in(values, self.names) else answers
        values = values.astype(str)
        unknown = values[~np.isin(values, self.names)]
        if len(unknown):
            raise UnusableError(f"predict answers {unknown[0]!r}, which is none of the labels")
        return np.searchsorted(self.names, values)


def subject_of(
    predict: Any, X: Any, y: Any, history: Any, train: tuple[Any, Any] | None, loss: Any
) -> Subject:
    """Return the arguments, validated.

    Raises
    ------
    ValueError
        There are no samples, or samples and labels do not fit together.
    TypeError
        ``predict`` is neither a function nor predictions.
    """
    X = _samples(X)
    _require_rows(X, y)
    predict = _function(predict, X)
    run: History | None = None if history is None else as_history(history)
    if _are_numbers(predict, X, y):
        return _regression(predict, X, y, run, train, loss)
    predict = _named(predict, X, y, train)
    y = _indices(predict, y)
    labels, classes = _labels(y, "y")
    _require_equal(len(X), len(labels), "X", "y")
    if train is None:
        return Subject(predict, X, labels, max(classes, 2), run, None, loss)
    train_labels, more = _labels(_indices(predict, train[1]), "train")
    classes = max(classes, more, 2)
    known = _training_set(predict, train[0], train_labels, classes)
    return Subject(predict, X, labels, classes, run, known, loss)


def _function(predict: Any, X: Any) -> Predict:
    """What answers for samples: a function, a model's method, or given predictions."""
    if callable(predict):
        return predict  # type: ignore[no-any-return]
    for name in METHODS:
        if hasattr(predict, name):
            return getattr(predict, name)  # type: ignore[no-any-return]
    if np.ndim(predict) == 0:
        raise TypeError(
            "predict: expected a function from samples to probabilities, or these "
            f"probabilities, got {predict!r}"
        )
    return Given(predict, X)


def _are_numbers(predict: Predict, X: Any, y: Any) -> bool:
    """Whether the labels are targets of a regression: not whole, or answered by what is not."""
    values = np.asarray(y)
    if values.dtype.kind not in "fiu" or values.size == 0 or not np.isfinite(values).all():
        return False
    fractions = bool((values != np.round(values)).any())
    if values.ndim > 1 and values.shape[1] > 1:
        are_shares = (values >= 0).all() and np.allclose(values.sum(axis=1), 1)  # of classes
        return fractions and not are_shares
    if not fractions and len(np.unique(values)) < FEWEST_NUMBERS:
        return False
    try:
        answers = ask(predict, X)
    except UnusableError:
        return fractions
    if fractions:  # rows of classes have no use for such labels
        return answers.ndim < 2 or answers.shape[1] == 1
    one_column = answers.shape in ((len(values),), (len(values), 1))
    return one_column and bool((answers != np.round(answers)).any())


def _regression(
    predict: Predict, X: Any, y: Any, run: History | None, train: Any, loss: Any
) -> Subject:
    """A regression."""
    targets = _rows(y)
    _require_equal(len(X), len(targets), "X", "y")
    known = None if train is None else _training_set(predict, train[0], _rows(train[1]), 0)
    return Subject(predict, X, targets, 0, run, known, loss)


def _training_set(predict: Predict, X: Any, y: np.ndarray, classes: int) -> Subject:
    """The training samples, for the same model."""
    _require_equal(len(X), len(y), "train[0]", "train[1]")
    return Subject(predict, _samples(X), y, classes)


def _rows(targets: Any) -> Floats:
    """Targets as rows, shape (n, outputs)."""
    values = np.asarray(targets, dtype=np.float64)
    return values.reshape(len(values), -1)


def _named(predict: Predict, X: Any, y: Any, train: Any) -> Predict:
    """The model, made to answer indices where it answers the very names that are the labels."""
    names = np.asarray(_indices(predict, y))
    if names.dtype.kind in "if" and np.array_equal(np.unique(names), SIGNS):
        return Named(predict, SIGNS)
    if names.dtype.kind not in "UO" or names.ndim != 1 or isinstance(predict, Given):
        return predict
    answers = np.asarray(predict(X)).reshape(-1)
    if answers.dtype.kind not in "UO" or len(answers) != len(names):
        return predict
    every = [names, answers] if train is None else [names, answers, np.asarray(train[1])]
    return Named(predict, np.unique(np.concatenate(every).astype(str)))


def _all_in(values: np.ndarray, known: np.ndarray) -> bool:
    """Whether all values are known ones."""
    return values.dtype.kind in "if" and bool(np.isin(values, known).all())


def _indices(predict: Predict, labels: Any) -> Any:
    """Labels as indices, where the model or its answers tell their order."""
    if isinstance(predict, Named) and predict.names.dtype.kind != "U":
        values = np.asarray(labels).reshape(-1)
        return np.searchsorted(predict.names, values) if _all_in(values, SIGNS) else labels
    if isinstance(predict, Named):
        return np.searchsorted(predict.names, np.asarray(labels).astype(str))
    return encoded(predict, labels)


def _samples(X: Any) -> Any:
    """Samples that can be cut: arrays, tensors and data frames as they are, lists as an array."""
    if hasattr(X, "detach"):
        return X.detach()
    samples = X if hasattr(X, "shape") else np.asarray(X)
    if np.ndim(samples) == 0:
        raise TypeError(f"X={X!r}: expected samples along a first axis")
    return samples


def _labels(y: Any, name: str) -> tuple[Labels, int]:
    """Class indices and the number of classes they show."""
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] > 1:
        return values.argmax(axis=1), values.shape[1]
    values = values.reshape(-1)
    if len(values) == 0:
        raise ValueError(f"{name}: no samples given")
    if values.dtype.kind not in "fiub":
        raise ValueError(
            f"{name}: expected class indices, got {values[:3]}. Encode them in the order of the "
            "columns of predict, as np.searchsorted(model.classes_, y) does for scikit-learn"
        )
    indices = values.astype(np.intp)
    if not np.array_equal(indices, values) or indices.min() < 0:
        raise ValueError(
            f"{name}: expected class indices 0, 1, ... or one-hot rows, got {values[:3]}"
        )
    return indices, int(indices.max()) + 1


def _require_rows(X: Any, y: Any) -> None:
    """Samples in columns, as some courses have them, are refused with the way to turn them."""
    shape, labels = np.shape(X), np.shape(y)
    if len(shape) != 2 or not labels or shape[1] != labels[-1] or shape[0] == len(np.ravel(y)):
        return
    if labels[:-1] == (1,) or (len(labels) == 1 and shape[0] < shape[1]):
        raise ValueError(
            f"X: expected samples along the first axis, got shape {shape} for {labels[-1]} labels. "
            "Pass investigate(lambda A: predict(A.T).T, X.T, y.reshape(-1))"
        )


def _require_equal(rows: int, labels: int, first: str, second: str) -> None:
    if rows != labels:
        raise ValueError(f"{first} has {rows} samples but {second} has {labels}")
