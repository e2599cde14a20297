"""Samples as rows of features, whatever holds them."""

from __future__ import annotations

from typing import Any

import numpy as np

from diagnostics.experiments.model.predictions import UnusableError
from diagnostics.history.table import Floats

# Samples whose neighbours are looked up.
QUERIES = 1500
# A spread smaller than this share of the largest value is rounding.
CONSTANT = 1e-9


def as_rows(X: Any) -> Floats:
    """Return samples as rows of features, shape (n, features), float64.

    What is missing in a feature is put at its mean, where it moves no mean and no neighbour much.

    Raises
    ------
    UnusableError
        They are no numbers, and have neither means nor distances.
    """
    try:
        values = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UnusableError("the samples are not numbers") from error
    rows = values.reshape(len(values), -1)
    missing = ~np.isfinite(rows)
    if not missing.any():
        return rows
    count = np.maximum((~missing).sum(axis=0), 1)
    return np.where(missing, np.where(missing, 0, rows).sum(axis=0) / count, rows)


def take(X: Any, rows: np.ndarray) -> Any:
    """Return some samples in the form that holds them all, as an array or a data frame."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def some_rows(X: Any, most: int) -> Floats:
    """Return evenly spread samples as rows, at most so many.

    Parameters
    ----------
    X
        The samples.
    most
        Their number where there are more.
    """
    if len(X) <= most:
        return as_rows(X)
    return as_rows(take(X, np.unique(np.linspace(0, len(X) - 1, most).astype(np.intp))))


def spreads(X: Floats) -> Floats:
    """Return the standard deviation of each feature, 1 for features constant up to rounding."""
    spread = X.std(axis=0)
    return np.where(spread > CONSTANT * np.abs(X).max(initial=0), spread, 1.0)


def labels_of_nearest(X: Floats, y: np.ndarray) -> np.ndarray:
    """Return for each of the first samples the label of the sample nearest to it.

    Parameters
    ----------
    X, y
        Samples as rows, and their labels.
    """
    X = X[:QUERIES]
    X = X / spreads(X)
    # |q - x|^2 = |q|^2 - 2 <q, x> + |x|^2, the first term being the same for all x
    distance = (X**2).sum(axis=1) - 2 * X @ X.T
    np.fill_diagonal(distance, np.inf)
    return np.asarray(y[distance.argmin(axis=1)])
