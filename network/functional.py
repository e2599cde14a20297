"""Functions without state: softmax, log-softmax, and the stable pieces that layers are made of."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from gradcheck_arguments import checked

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]


@checked
def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """Return exp(x) normalised to sum to one along ``axis``.

    Parameters
    ----------
    x
        Logits of any shape with at least one axis. The dtype of floats is kept; integers are
        taken as float64.
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
        If ``x`` is boolean, complex or no number, or ``axis`` is no integer.
    ValueError
        If ``x`` is a single number, or ``axis`` is none of its axes.

    Notes
    -----
    Shifted by the maximum, exp cannot overflow, and the relative error of a probability stays
    within about (max - min + n) rounding units for n classes (P. Blanchard, D. J. Higham and
    N. J. Higham, "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal.
    41(4), 2021, algorithm 3.2).

    Examples
    --------
    >>> softmax([[0.0, 0.0], [1000.0, 0.0]])
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    logits = as_floats(x)
    e = _shifted(logits, axis)
    with np.errstate(under="ignore"):
        np.exp(e, out=e)
        e /= e.sum(axis=axis, keepdims=True)
        return e.astype(logits.dtype, copy=False)


@checked
def log_softmax(x: ArrayLike, axis: int = -1) -> Array:
    """Return the logarithm of `softmax`, finite where the probability itself underflows.

    Parameters
    ----------
    x, axis
        As for `softmax`.

    Returns
    -------
    ndarray
        Shaped like ``x``; -inf where ``x`` is, NaN in rows without a distribution.

    Raises
    ------
    TypeError, ValueError
        As for `softmax`.

    Notes
    -----
    ``(x - max) - log(sum(exp(x - max)))``: unlike that of ``x - logsumexp(x)``, its error does not
    grow with the size of the logits.

    Examples
    --------
    >>> log_softmax([1000.0, 0.0])
    array([    0., -1000.])
    """
    logits = as_floats(x)
    shifted = _shifted(logits, axis)
    # over: float16 cannot hold all the logarithms; divide: the sum over no classes is zero
    with np.errstate(under="ignore", over="ignore", divide="ignore"):
        shifted -= np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
        return shifted.astype(logits.dtype, copy=False)


def sigmoid(x: ArrayLike) -> Array:
    """Return 1 / (1 + exp(-x)) without overflow on either side.

    Parameters
    ----------
    x
        Numbers of any shape; integers are taken as float64.

    Examples
    --------
    >>> sigmoid([0, 1000])
    array([0.5, 1. ])
    """
    x = as_floats(x)
    with np.errstate(under="ignore"):
        e = np.exp(-np.abs(x))
        # exp(x) / (1 + exp(x)) is the same number, and the stable form where x < 0
        return np.asarray(np.where(x >= 0, 1, e) / (1 + e))


def one_hot(
    labels: Labels, classes: int, dtype: DTypeLike = np.float64, name: str = "labels"
) -> Array:
    """Return rows of zeros with a one at the label; shape (n, classes)."""
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        raise ValueError(
            f"{name} holds labels from {labels.min()} to {labels.max()}; "
            f"expected 0 to {classes - 1}"
        )
    rows: Array = np.zeros((len(labels), classes), dtype)
    rows[np.arange(len(labels)), labels] = 1
    return rows


def as_floats(x: ArrayLike, name: str = "x") -> Array:
    """Return ``x`` as an array of floats: integers become float64, what is no number is refused."""
    array = as_array(x, name)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} has dtype {array.dtype}; expected real numbers")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def as_array(x: ArrayLike, name: str) -> NDArray[Any]:
    """Return ``x`` as an array; rows of several lengths are refused."""
    try:
        return np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name}={reprlib.repr(x)}: expected rows of one length") from error


def _shifted(logits: Array, axis: int) -> Array:
    """Return logits - max in a new array, so that the largest of every row is zero."""
    if logits.ndim == 0:
        raise ValueError("x is a single number; expected at least one axis of classes")
    if not -logits.ndim <= axis < logits.ndim:
        raise ValueError(f"axis={axis} is out of range for x of shape {logits.shape}")
    if logits.dtype == np.float16:  # three digits do not hold a sum over many classes
        logits = logits.astype(np.float32)
    if logits.size == 0:
        return logits.copy()
    # over: huge logits differ by -inf, which is right, their probability is zero;
    # invalid: inf - inf, the NaN of a row without a distribution
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(logits - logits.max(axis=axis, keepdims=True))
