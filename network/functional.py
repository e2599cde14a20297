"""Functions without state: softmax, log-softmax, and the stable pieces that layers are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating[Any]]


def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """Return exp(x) normalised to sum to one along ``axis``.

    Parameters
    ----------
    x
        Logits of any shape. Integers are taken as float64; other dtypes are kept.
    axis
        The axis of the classes; all others count samples, each normalised by itself.

    Returns
    -------
    ndarray
        Probabilities, shaped like ``x``. A logit of -inf has probability zero. A row that holds
        NaN or +inf, or nothing but -inf, has no distribution and is NaN; other rows are untouched.

    Raises
    ------
    TypeError
        If ``x`` is boolean, complex or no number.
    ValueError
        If ``axis`` is none of the array's.

    Notes
    -----
    Shifted by the maximum, exp cannot overflow (P. Blanchard, D. J. Higham and N. J. Higham,
    "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41(4),
    2021, algorithm 3.2).
    """
    logits = _logits(x, axis)
    e = np.exp(_shifted(logits, axis))
    with np.errstate(under="ignore"):
        p = e / e.sum(axis=axis, keepdims=True)
    return _as_given(p, x)


def log_softmax(x: ArrayLike, axis: int = -1) -> Array:
    """Return the logarithm of `softmax`, finite where the probability itself underflows.

    Parameters
    ----------
    x, axis
        As for `softmax`.

    Returns
    -------
    ndarray
        Shaped like ``x``; -inf where ``x`` is.

    Notes
    -----
    ``(x - max) - log(sum(exp(x - max)))``, whose error does not grow with the size of the logits.
    """
    shifted = _shifted(_logits(x, axis), axis)
    e = np.exp(shifted)
    with np.errstate(invalid="ignore"):  # -inf - NaN in a row that has no distribution
        return _as_given(shifted - np.log(e.sum(axis=axis, keepdims=True)), x)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without overflow on either side."""
    with np.errstate(under="ignore"):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e)).astype(x.dtype, copy=False)


def one_hot(labels: NDArray[np.integer[Any]], classes: int, dtype: Any = np.float64) -> Array:
    """Return rows of zeros with a one at the label; shape (n, classes)."""
    return np.asarray(np.eye(classes, dtype=dtype)[labels])


def _shifted(logits: Array, axis: int) -> Array:
    """Return logits - max, so that the largest is zero."""
    if logits.size == 0:
        return logits.copy()
    # huge logits differ by -inf, which is right: their probability is zero
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(logits - logits.max(axis=axis, keepdims=True))


def _logits(x: ArrayLike, axis: int) -> Array:
    given = np.asarray(x)
    if given.dtype.kind not in "fiu":
        raise TypeError(f"x has dtype {given.dtype}; expected real numbers")
    if given.ndim == 0:
        raise ValueError("x is a single number; expected at least one axis of classes")
    if not -given.ndim <= axis < given.ndim:
        raise ValueError(f"axis={axis} is out of range for x of shape {given.shape}")
    if given.dtype == np.float16:  # three digits do not hold a sum of many classes
        return given.astype(np.float32)
    return given if given.dtype.kind == "f" else given.astype(np.float64)


def _as_given(result: Array, x: ArrayLike) -> Array:
    """Return the result in the dtype of the logits."""
    dtype = np.asarray(x).dtype
    with np.errstate(under="ignore"):
        return result.astype(dtype, copy=False) if dtype.kind == "f" else result
