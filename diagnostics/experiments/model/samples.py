"""Samples as rows of features, whatever holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def spread_out(count: int, most: int) -> NDArray[np.intp]:
    """Return evenly spread indices of what there is so many of, at most ``most``."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))


def some_rows(X: Any, most: int) -> Floats:
    """Return evenly spread samples as rows, at most so many."""
    return as_rows(X if len(X) <= most else take(X, spread_out(len(X), most)))


def spreads(X: Floats) -> Floats:
    """Return the standard deviation of each feature, 1 for features constant up to rounding."""
    spread = X.std(axis=0)
    return np.where(spread > CONSTANT * np.abs(X).max(initial=0), spread, 1.0)


def comparable_distances(queries: Floats, X: Floats, *, skip_self: bool) -> Floats:
    """Return the squared distances of queries to samples, less what is the same for all samples.

    With ``skip_self`` the queries are the first of the samples, and infinitely far from themselves.
    """
    # |q - x|^2 = |q|^2 - 2 <q, x> + |x|^2, the first term being the same for all x
    distance = np.asarray((X**2).sum(axis=1) - 2 * queries @ X.T)
    if skip_self:
        np.fill_diagonal(distance, np.inf)
    return distance
