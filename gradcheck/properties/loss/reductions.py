"""How the losses of samples become the loss of a batch, rightly and wrongly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

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
    "mean of entries to base 2": lambda B, n: 1 / (B * n * np.log(2)),
    "sum to base 10": lambda B, n: 1 / np.log(10),
    "mean to base 10": lambda B, n: 1 / (B * np.log(10)),
    "mean of entries to base 10": lambda B, n: 1 / (B * n * np.log(10)),
    "minus sum": lambda B, n: -1.0,
    "minus mean": lambda B, n: -1 / B,
    "minus mean of entries": lambda B, n: -1 / (B * n),
    "double sum": lambda B, n: 2.0,
    "double mean": lambda B, n: 2 / B,
}

HALF = "there is a factor 1/2 that cross-entropy does not have"
BASE_TWO = "the logarithm is to base 2; use np.log"
BASE_TEN = "the logarithm is to base 10; use np.log"
MINUS = "the minus sign before the sum is missing"
DOUBLE = "there is a factor 2 too many"

REMEDIES = {
    "mean of entries": "np.mean over all entries divides by the number of classes too; sum over "
    "axis=-1 first and take the mean of that (or, if each entry is a yes or no, add the term "
    "(1 - t) * log(1 - p) that is missing)",
    "half mean": HALF,
    "half sum": HALF,
    "half mean of entries": HALF,
    "sum / classes": "the divisor is the number of classes, not of samples; divide by p.shape[0]",
    "sum * batch": "the sum is multiplied by the batch size",
    "mean / batch": "the batch size divides twice",
    "sum to base 2": BASE_TWO,
    "mean to base 2": BASE_TWO,
    "mean of entries to base 2": BASE_TWO,
    "sum to base 10": BASE_TEN,
    "mean to base 10": BASE_TEN,
    "mean of entries to base 10": BASE_TEN,
    "minus sum": MINUS,
    "minus mean": MINUS,
    "minus mean of entries": MINUS,
    "double sum": DOUBLE,
    "double mean": DOUBLE,
}
