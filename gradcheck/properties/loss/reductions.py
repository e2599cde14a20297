"""How the losses of samples become the loss of a batch, rightly and wrongly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SUMS: dict[str, Callable[[int, int], float]] = {
    "sum": lambda B, n: 1.0,
    "mean": lambda B, n: 1 / B,
    "mean of entries": lambda B, n: 1 / (B * n),
}

# Factors that any of these may have, how they are called, and what to say of them.
FACTORS = (
    ("{}", 1.0, ""),
    ("half {}", 0.5, "there is a factor 1/2 that cross-entropy does not have"),
    ("{} to base 2", 1 / np.log(2), "the logarithm is to base 2; use np.log"),
    ("{} to base 10", 1 / np.log(10), "the logarithm is to base 10; use np.log"),
    ("minus {}", -1.0, "the minus sign before the sum is missing"),
    ("double {}", 2.0, "there is a factor 2 too many"),
)

# The factor before the sum of the samples' losses, from batch size B and entries per sample n.
REDUCTIONS: dict[str, Callable[[int, int], float]] = {
    name.format(kind): lambda B, n, factor=factor, of=of: factor * of(B, n)
    for name, factor, _ in FACTORS
    for kind, of in SUMS.items()
} | {
    "sum / classes": lambda B, n: 1 / n,
    "sum * batch": lambda B, n: float(B),
    "mean / batch": lambda B, n: 1 / B**2,
}

REMEDIES = {name.format(kind): remedy for name, _, remedy in FACTORS for kind in SUMS} | {
    "mean of entries": "np.mean over all entries divides by the number of classes too; sum over "
    "axis=-1 first and take the mean of that (or, if each entry is a yes or no, add the term "
    "(1 - t) * log(1 - p) that is missing)",
    "sum / classes": "the divisor is the number of classes, not of samples; divide by p.shape[0]",
    "sum * batch": "the sum is multiplied by the batch size",
    "mean / batch": "the batch size divides twice",
}
