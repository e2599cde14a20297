"""How much rounding a right implementation may show, derived rather than tuned.

Notation: a row has ``n`` entries, ``R`` is its largest minus its smallest entry, ``u = eps / 2``
the unit roundoff of its dtype. The bounds are first-order analyses of the textbook algorithms
(Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, sections 3.1 and 4.2; Blanchard,
Higham & Higham, "Accurately computing the log-sum-exp and softmax functions", 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Tolerance:
    """An allowance ``absolute + relative * |expected|`` and the reason for it."""

    origin: str
    relative: FloatArray | float = 0.0
    absolute: FloatArray | float = 0.0

    def bound(self, expected: NDArray[Any]) -> FloatArray:
        """Return the error allowed at each entry of ``expected``; zero where that is infinite."""
        size = np.abs(np.asarray(expected, dtype=np.longdouble))
        finite = np.where(np.isfinite(size), size, 0)
        return np.asarray(self.absolute + self.relative * finite, dtype=np.longdouble)

    def __mul__(self, factor: float) -> Tolerance:
        """Return so many times the allowance."""
        relative, absolute = (factor * np.asarray(p) for p in (self.relative, self.absolute))
        return Tolerance(self.origin, relative, absolute)

    def __getitem__(self, rows: Any) -> Tolerance:
        """Return the allowance of some rows only."""
        relative, absolute = (
            part[rows] if isinstance(part, np.ndarray) else part
            for part in (self.relative, self.absolute)
        )
        return Tolerance(self.origin, relative, absolute)


def eps(x: NDArray[Any]) -> float:
    """Return the spacing at one of the dtype of ``x``, float64's for integers."""
    return float(np.finfo(x.dtype if x.dtype.kind == "f" else np.float64).eps)


def tiny(x: NDArray[Any]) -> float:
    """Return the smallest normal number: what is below it may be flushed to zero."""
    return float(np.finfo(x.dtype if x.dtype.kind == "f" else np.float64).tiny)


def row_sum(x: NDArray[Any]) -> Tolerance:
    """Allowance for a row of probabilities to miss one.

    The ``n - 1`` additions of the denominator cost ``u`` each, the exponentials and the division
    ``4 u`` together; that makes ``(n + 4) u``, doubled for safety to ``(n + 4) eps``. The formula
    ``exp(x - logsumexp(x))`` is right too but rounds ``logsumexp(x)``, as large as ``max|x|``,
    once and the difference again: ``max|x| eps`` more, granted twice.
    """
    allowance = (x.shape[-1] + 4 + 2 * _magnitude(x)) * eps(x)
    return Tolerance("(n + 4 + 2 max|x|) eps for n additions, exp and division", absolute=allowance)


def probability(x: NDArray[Any]) -> Tolerance:
    """Allowance for one probability against its exact value.

    ``x_j - m`` carries the relative error ``u``, which ``exp`` turns into ``|x_j - m| u <= R u``;
    the rest is as for `row_sum`. Doubled: ``2 (n + 8 + R + 2 max|x|) eps``. Entries below the
    smallest normal number may have lost their digits or been flushed to zero, hence the absolute
    part.
    """
    magnitude = _magnitude(x)
    spread = _spread(x)
    relative = 2 * (x.shape[-1] + 8 + spread + 2 * magnitude) * eps(x)
    origin = "2 (n + 8 + R + 2 max|x|) eps for shift, exp, sum and division"
    return Tolerance(origin, relative=relative, absolute=tiny(x))


def log_probability(x: NDArray[Any]) -> Tolerance:
    """Allowance for one logarithm of a probability computed from shifted logits.

    ``(x_j - m) - log(sum)``: the subtraction of ``m`` costs ``R u``, the logarithm of a sum that is
    off by ``(n + 4) u`` relatively costs ``(n + 4) u`` absolutely, and the last subtraction
    ``(R + log n) u``. No term depends on how far from zero the row lies. Doubled.
    """
    n = x.shape[-1]
    allowance = 2 * (2 * _spread(x) + n + 8) * eps(x)
    return Tolerance("2 (2 R + n + 8) eps for shift, log and sum", absolute=allowance)


def exact(origin: str = "0: the numbers are exact") -> Tolerance:
    """Allow nothing."""
    return Tolerance(origin)


def ulps(count: float, x: NDArray[Any], why: str) -> Tolerance:
    """Allow a relative error of ``count`` units in the last place, saying ``why``."""
    return Tolerance(f"{count:g} eps, {why}", relative=count * eps(x), absolute=tiny(x))


def _magnitude(x: NDArray[Any]) -> FloatArray:
    finite = np.where(np.isfinite(x), x, 0).astype(np.float64)
    return np.asarray(np.abs(finite).max(axis=-1, keepdims=True, initial=0.0))


def _spread(x: NDArray[Any]) -> FloatArray:
    finite = np.where(np.isfinite(x), x, np.nan).astype(np.float64)
    high = np.fmax.reduce(finite, axis=-1, keepdims=True)
    low = np.fmin.reduce(finite, axis=-1, keepdims=True)
    return np.asarray(np.nan_to_num(np.maximum(high - low, 0.0)))
