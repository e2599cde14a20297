"""What training lets in: data that fit the model and each other, or an error that says what to do.

Checked once, at the door, and trusted from there on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from network.functional import Array, Labels, one_hot
from network.layers.base import Layer
from network.losses.base import Loss
from network.model import Sequential, in_use


class Data(NamedTuple):
    """Samples in the dtype of the model.

    Attributes
    ----------
    X
        Of shape (n, features).
    y
        Labels of shape (n,), or numbers of shape (n, outputs).
    rows
        What the model should answer, of shape (n, outputs): the labels one-hot, or the numbers.
    of_numbers
        Whether numbers are to be predicted, and no classes: there is no accuracy then.
    """

    X: Array
    y: NDArray[Any]
    rows: Array
    of_numbers: bool


def validate_data(
    model: Sequential, X: Any, y: Any, loss: Loss, x_name: str = "X", y_name: str = "y"
) -> Data:
    """Return the data in the model's dtype, once they are known to fit it and the loss.

    Parameters
    ----------
    model
        The classifier or regression they are for.
    X, y
        Inputs of shape (n, features); integer labels of shape (n,), or for a loss of numbers
        floats of shape (n, outputs), or (n,) where the model has one output.
    loss
        What compares the answers with y.
    x_name, y_name
        What the caller calls them.

    Raises
    ------
    ValueError
        If they do not fit; the message names the argument, what it holds, and what to do.
    """
    X, y = np.asarray(X), np.asarray(y)
    _require_rows(X, x_name)
    _require_features(model, X, x_name)
    of_numbers = loss.of_numbers and (y.dtype.kind == "f" or y.ndim == 2)
    if not of_numbers:
        _require_labels(y, len(X), x_name, y_name)
    with np.errstate(over="ignore"):
        X = np.ascontiguousarray(X, dtype=model.dtype)
    _require_finite(X, x_name)
    with in_use(model):
        outputs = model.forward(X[:1]).shape[1]
    if of_numbers:
        numbers = _numbers(y, (len(X), outputs), X.dtype, y_name)
        return Data(X, numbers, numbers, of_numbers=True)
    _require_range(y, outputs, y_name)
    return Data(X, y, one_hot(y, outputs, X.dtype, y_name), of_numbers=False)


def _numbers(y: Array, shape: tuple[int, int], dtype: np.dtype[Any], name: str) -> Array:
    """Return what is to be predicted as rows of the model's dtype."""
    rows = y[:, np.newaxis] if y.shape == shape[:1] and shape[1] == 1 else y
    if rows.shape != shape:
        plain = f" or ({shape[0]},)" if shape[1] == 1 else ""
        raise ValueError(
            f"{name} has shape {y.shape}; expected {shape}{plain}: a number for each of the "
            f"{shape[1]} outputs of the model"
        )
    if rows.dtype.kind not in "fiu":
        raise ValueError(f"{name} has dtype {y.dtype}; expected real numbers")
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(rows, dtype=dtype)
    _require_finite(rows, name)
    return rows


def _require_rows(X: Array, name: str) -> None:
    if X.dtype.kind not in "fiu":
        raise ValueError(f"{name} has dtype {X.dtype}; expected real numbers")
    if X.size == 0:
        raise ValueError(f"{name} has shape {X.shape}: no data; expected (n, features), not empty")
    if X.ndim != 2:
        hint = f". For images, give {name}.reshape(len({name}), -1)" if X.ndim > 2 else ""
        raise ValueError(f"{name} has shape {X.shape}; expected (n, features){hint}")


def _require_labels(y: Labels, n: int, x_name: str, y_name: str) -> None:
    if y.ndim == 2 and len(y) == n and y.shape[1] > 1:
        raise ValueError(
            f"{y_name} has shape {y.shape}; expected {n} integer labels. "
            f"For one-hot rows, give {y_name}.argmax(axis=1)"
        )
    if y.shape != (n,):
        raise ValueError(
            f"{y_name} has shape {y.shape}; expected {n} integer labels, as many as {x_name} has "
            "rows"
        )
    if y.dtype.kind not in "iu":
        whole = y.dtype.kind == "f" and bool(np.all(y == np.floor(y)))
        regression = ", or for a regression loss=MeanSquaredError()" if y.dtype.kind == "f" else ""
        hint = f". They are whole numbers: give {y_name}.astype(int)" if whole else regression
        raise ValueError(f"{y_name} has dtype {y.dtype}; expected integer labels{hint}")


def _require_features(model: Layer, X: Array, name: str) -> None:
    first = next(model.leaves()).params
    if "W" in first and X.shape[1] != len(first["W"]):
        raise ValueError(f"{name} has {X.shape[1]} features; the model takes {len(first['W'])}")


def _require_finite(X: Array, name: str) -> None:
    # the smallest and the largest are NaN or infinite where any number is: no array in between
    if np.isfinite(X.min()) and np.isfinite(X.max()):
        return
    bad = np.argwhere(~np.isfinite(X))
    row, column = bad[0]
    raise ValueError(
        f"{name} holds {len(bad)} values that are not finite in {X.dtype}, the first in row {row}, "
        f"column {column}: {X[row, column]}. Remove or replace them"
    )


def _require_range(y: Labels, classes: int, name: str) -> None:
    low, high = int(y.min()), int(y.max())
    if low >= 0 and high < classes:
        return
    hint = f". They look 1-based: give {name} - 1" if (low, high) == (1, classes) else ""
    raise ValueError(
        f"{name} holds labels from {low} to {high}; expected 0 to {classes - 1}, "
        f"for the model has {classes} outputs{hint}"
    )
