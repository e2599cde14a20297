"""The softmax and its logarithm, with their backwards, in the precision of their input."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array


def exp_shifted(x: Array, axis: int | None = -1) -> Array:
    """Return ``exp(x - max)``, the maximum being taken along ``axis``."""
    return np.asarray(np.exp(x - x.max(axis=axis, keepdims=True)))


def softmax(x: Array, axis: int | None = -1) -> Array:
    """Return ``e / sum(e)`` along ``axis``, or over all entries, with ``e = exp(x - max)``."""
    e = exp_shifted(x, axis)
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def log_softmax(x: Array, axis: int | None = -1) -> Array:
    """Return ``x - max - log(sum(exp(x - max)))`` along ``axis``, or over all entries."""
    shifted = x - x.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def softmax_vjp(p: Array, g: Array) -> Array:
    """Return the gradient behind a softmax with rows ``p``: ``p * (g - <p, g>)``."""
    return np.asarray(p * (g - (p * g).sum(axis=-1, keepdims=True)))


def log_softmax_vjp(p: Array, g: Array) -> Array:
    """Return the gradient behind the logarithm of a softmax with rows ``p``: ``g - p sum(g)``."""
    return np.asarray(g - p * g.sum(axis=-1, keepdims=True))


def log_sigmoid(x: Array) -> Array:
    """Return ``log(1 / (1 + exp(-x)))`` of every entry."""
    # SciPy's log_expit knows no extended precision.
    return np.asarray(-np.logaddexp(0, -x))
