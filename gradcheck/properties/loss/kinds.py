"""The losses that the suite knows: of what, per sample, and as the loss of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.losses import LOGITS, LOSSES, NUMBERS
from gradcheck.properties import tolerance

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


BINARY = "binary"

# exp(-48) is far below the rounding of any loss: such a margin is certainty.
CERTAIN = 48.0

Formula = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class LossKind:
    """One kind of loss.

    Attributes
    ----------
    name
        What it is called in options and reports.
    formula
        Its name in `gradcheck.formulas.losses.LOSSES`.
    binary
        Whether each entry is a prediction of its own: yes (1) or no (0).
    rounding
        ``rounding(p, t)``: the rounding error each sample's loss may have.
    reductions
        Which names of `REDUCTIONS` are usual for this loss.
    """

    name: str
    formula: str
    binary: bool
    rounding: Formula
    reductions: tuple[str, ...]

    @property
    def given(self) -> str:
        """What its predictions are: probabilities, logits, or any numbers."""
        return LOSSES[self.formula].predictions

    def value(self, p: Array, t: Array) -> Array:
        """Return the loss of each sample in extended precision, before any reduction."""
        return np.asarray(LOSSES[self.formula].terms(p.astype(np.longdouble), t).sum(axis=-1))

    def gradient(self, p: Array, t: Array) -> Array:
        """Return the derivative by ``p`` of the sum of all samples' losses."""
        wide = LOSSES[self.formula].gradient(p.astype(np.longdouble), t)
        return np.asarray(wide, dtype=np.float64)

    @property
    def entrywise(self) -> bool:
        """Whether entries are compared one by one, so that a vector may be as many samples."""
        return self.binary or self.given == NUMBERS

    def undecided(self, classes: int) -> float:
        """Return the prediction of whoever knows nothing: even odds for every class."""
        if self.given == LOGITS:
            return 0.0
        return 1 / 2 if self.binary else 1 / classes

    def certain(self, t: Array) -> Array:
        """Return the prediction that is right about ``t`` beyond doubt."""
        if self.given != LOGITS:
            return t
        return CERTAIN * (2 * t - 1 if self.binary else t)


def _rounding_of_cross_entropy(p: Array, t: Array) -> Array:
    """One log and n products and additions, relative to terms that all have one sign."""
    n = p.shape[-1]
    return np.asarray(
        (KINDS["probabilities"].value(p, t) + t.sum(axis=-1)) * 2 * (n + 4) * tolerance.eps(p)
    )


def _rounding_of_binary(p: Array, t: Array) -> Array:
    """Two logs per entry, the second of a ``1 - p`` that is off by u absolutely."""
    n = p.shape[-1]
    inverse = ((1 - t) / np.where(t < 1, 1 - p.astype(np.longdouble), 1)).sum(axis=-1)
    size = KINDS[BINARY].value(p, t) + n + inverse
    return np.asarray(size * 2 * (n + 4) * tolerance.eps(p))


def _rounding_of_logits(x: Array, t: Array) -> Array:
    logs = tolerance.log_probability(x).absolute + tolerance.probability(x).relative
    return np.asarray(np.asarray(logs)[..., 0] * np.abs(t).sum(axis=-1))


def _rounding_of_binary_logits(x: Array, t: Array) -> Array:
    """A softplus is off by a few u of 1 + |x|; ``softplus(x) - t x`` loses u |x| once more."""
    size = (1 + np.abs(x.astype(np.float64))).sum(axis=-1)
    return np.asarray(size * 2 * (x.shape[-1] + 4) * tolerance.eps(x))


def _rounding_of_squares(p: Array, t: Array) -> Array:
    """Each difference is off by u relatively; two factors, a product and n additions."""
    return np.asarray(KINDS["squared"].value(p, t) * 2 * (p.shape[-1] + 4) * tolerance.eps(p))


SUM_OR_MEAN = ("sum", "mean")
OF_ENTRIES = (*SUM_OR_MEAN, "mean of entries")
KINDS = {
    kind.name: kind
    for kind in (
        LossKind("probabilities", "cross-entropy", False, _rounding_of_cross_entropy, SUM_OR_MEAN),
        LossKind("logits", "cross-entropy of logits", False, _rounding_of_logits, SUM_OR_MEAN),
        LossKind(BINARY, "binary cross-entropy", True, _rounding_of_binary, OF_ENTRIES),
        LossKind(
            "binary_logits",
            "binary cross-entropy of logits",
            True,
            _rounding_of_binary_logits,
            OF_ENTRIES,
        ),
        LossKind(
            "squared",
            "squared error",
            False,
            _rounding_of_squares,
            (*OF_ENTRIES, *(f"half {name}" for name in OF_ENTRIES)),
        ),
    )
}
