"""The losses that the suite knows: their value per sample, and how batches of them are reduced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.properties import tolerance
from gradcheck.properties.violation import Array


@dataclass(frozen=True)
class Kind:
    """One kind of loss.

    Attributes
    ----------
    name
        What it is called in options and reports.
    value
        ``value(p, t)``: the loss of each sample in extended precision, before any reduction.
    gradient
        ``gradient(p, t)``: its derivative by ``p``.
    rounding
        ``rounding(p, t)``: the rounding error each sample's loss may have.
    reductions
        Which names of `REDUCTIONS` are conventions of this loss.
    """

    name: str
    value: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]
    rounding: Callable[[Array, Array], Array]
    reductions: tuple[str, ...]


def _cross_entropy(p: Array, t: Array) -> Array:
    # 0 log 0 = 0: a class that is not the target costs nothing.
    logs = np.log(np.where(t > 0, p, 1).astype(np.longdouble))
    return np.asarray(-(t * logs).sum(axis=-1))


def _log_probabilities(x: Array) -> Array:
    shifted = x.astype(np.longdouble) - x.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _cross_entropy_of_logits(x: Array, t: Array) -> Array:
    return np.asarray(-(t * _log_probabilities(x)).sum(axis=-1))


def _squared_error(p: Array, t: Array) -> Array:
    return np.asarray(((p.astype(np.longdouble) - t) ** 2).sum(axis=-1))


def _rounding_of_cross_entropy(p: Array, t: Array) -> Array:
    """One log and n products and additions, relative to terms that all have one sign."""
    n = p.shape[-1]
    return np.asarray((_cross_entropy(p, t) + t.sum(axis=-1)) * 2 * (n + 4) * tolerance.eps(p))


def _rounding_of_logits(x: Array, t: Array) -> Array:
    logs = tolerance.log_probability(x).absolute + tolerance.probability(x).relative
    return np.asarray(np.asarray(logs)[..., 0] * np.abs(t).sum(axis=-1))


def _rounding_of_squares(p: Array, t: Array) -> Array:
    """Each difference is off by u relatively; two factors, a product and n additions."""
    return np.asarray(_squared_error(p, t) * 2 * (p.shape[-1] + 4) * tolerance.eps(p))


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "probabilities",
            _cross_entropy,
            lambda p, t: -t / p,
            _rounding_of_cross_entropy,
            ("sum", "mean"),
        ),
        Kind(
            "logits",
            _cross_entropy_of_logits,
            lambda x, t: np.asarray(
                np.exp(_log_probabilities(x)) * t.sum(axis=-1, keepdims=True) - t
            ),
            _rounding_of_logits,
            ("sum", "mean"),
        ),
        Kind(
            "squared",
            _squared_error,
            lambda p, t: 2 * (p - t),
            _rounding_of_squares,
            ("sum", "mean", "mean of entries", "half sum", "half mean", "half mean of entries"),
        ),
    )
}

# The factor before the sum of the samples' losses, from batch size B and entries per sample n.
REDUCTIONS: dict[str, Callable[[int, int], float]] = {
    "sum": lambda B, n: 1.0,
    "mean": lambda B, n: 1 / B,
    "mean of entries": lambda B, n: 1 / (B * n),
    "half sum": lambda B, n: 1 / 2,
    "half mean": lambda B, n: 1 / (2 * B),
    "half mean of entries": lambda B, n: 1 / (2 * B * n),
    "sum / classes": lambda B, n: 1 / n,
    "sum * batch": lambda B, n: float(B),
    "mean / batch": lambda B, n: 1 / B**2,
    "sum to base 2": lambda B, n: 1 / np.log(2),
    "mean to base 2": lambda B, n: 1 / (B * np.log(2)),
    "sum to base 10": lambda B, n: 1 / np.log(10),
    "mean to base 10": lambda B, n: 1 / (B * np.log(10)),
    "minus sum": lambda B, n: -1.0,
    "minus mean": lambda B, n: -1 / B,
    "double sum": lambda B, n: 2.0,
    "double mean": lambda B, n: 2 / B,
}

REMEDIES = {
    "mean of entries": "np.mean over all entries divides by the number of classes too; sum over "
    "axis=-1 first and take the mean of that",
    "half mean": "there is a factor 1/2 that cross-entropy does not have",
    "half sum": "there is a factor 1/2 that cross-entropy does not have",
    "sum / classes": "the divisor is the number of classes, not of samples; divide by p.shape[0]",
    "sum * batch": "the sum is multiplied by the batch size",
    "mean / batch": "the batch size divides twice",
    "sum to base 2": "the logarithm is to base 2; use np.log",
    "mean to base 2": "the logarithm is to base 2; use np.log",
    "sum to base 10": "the logarithm is to base 10; use np.log",
    "mean to base 10": "the logarithm is to base 10; use np.log",
    "minus sum": "the minus sign before the sum is missing",
    "minus mean": "the minus sign before the sum is missing",
    "double sum": "there is a factor 2 too many",
    "double mean": "there is a factor 2 too many",
}
