"""The losses that the suite knows: what they are given, and their value per sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck._types import Array
from gradcheck.properties import tolerance

PROBABILITIES, LOGITS, NUMBERS = "probabilities", "logits", "numbers"

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
    given
        What its predictions are: probabilities, logits, or any numbers.
    binary
        Whether each entry is a prediction of its own: yes (1) or no (0).
    value
        ``value(p, t)``: the loss of each sample in extended precision, before any reduction.
    gradient
        ``gradient(p, t)``: its derivative by ``p``.
    rounding
        ``rounding(p, t)``: the rounding error each sample's loss may have.
    reductions
        Which names of `gradcheck.properties.loss.reductions.REDUCTIONS` are conventions of this
        loss.
    """

    name: str
    given: str
    binary: bool
    value: Formula
    gradient: Formula
    rounding: Formula
    reductions: tuple[str, ...]

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

    def probabilities(self, p: Array) -> Array:
        """Return what the predictions say as probabilities, in extended precision."""
        if self.given != LOGITS:
            return p.astype(np.longdouble)
        return np.exp(_log_sigmoid(p) if self.binary else _log_probabilities(p))


def _cross_entropy(p: Array, t: Array) -> Array:
    return np.asarray(-_times_log(t, p).sum(axis=-1))


def _binary_cross_entropy(p: Array, t: Array) -> Array:
    # 1 - p in extended precision: in the prediction's own it may round to 0.
    no = 1 - p.astype(np.longdouble)
    return np.asarray(-(_times_log(t, p) + _times_log(1 - t, no)).sum(axis=-1))


def _times_log(t: Array, p: Array) -> Array:
    # 0 log 0 = 0: what is not the target costs nothing.
    return np.asarray(t * np.log(np.where(t > 0, p, 1).astype(np.longdouble)))


def _log_probabilities(x: Array) -> Array:
    shifted = x.astype(np.longdouble) - x.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _cross_entropy_of_logits(x: Array, t: Array) -> Array:
    return np.asarray(-(t * _log_probabilities(x)).sum(axis=-1))


def _log_sigmoid(x: Array) -> Array:
    # log sigmoid(x) = min(x, 0) - log(1 + exp(-|x|))
    wide = x.astype(np.longdouble)
    return np.asarray(np.minimum(wide, 0) - np.log1p(np.exp(-np.abs(wide))))


def _binary_cross_entropy_of_logits(x: Array, t: Array) -> Array:
    return np.asarray(-(t * _log_sigmoid(x) + (1 - t) * _log_sigmoid(-x)).sum(axis=-1))


def _squared_error(p: Array, t: Array) -> Array:
    return np.asarray(((p.astype(np.longdouble) - t) ** 2).sum(axis=-1))


def _rounding_of_cross_entropy(p: Array, t: Array) -> Array:
    """One log and n products and additions, relative to terms that all have one sign."""
    n = p.shape[-1]
    return np.asarray((_cross_entropy(p, t) + t.sum(axis=-1)) * 2 * (n + 4) * tolerance.eps(p))


def _rounding_of_binary(p: Array, t: Array) -> Array:
    """Two logs per entry, the second of a ``1 - p`` that is off by u absolutely."""
    n = p.shape[-1]
    inverse = ((1 - t) / np.where(t < 1, 1 - p.astype(np.longdouble), 1)).sum(axis=-1)
    size = _binary_cross_entropy(p, t) + n + inverse
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
    return np.asarray(_squared_error(p, t) * 2 * (p.shape[-1] + 4) * tolerance.eps(p))


KINDS = {
    kind.name: kind
    for kind in (
        LossKind(
            "probabilities",
            PROBABILITIES,
            False,
            _cross_entropy,
            lambda p, t: -t / p,
            _rounding_of_cross_entropy,
            ("sum", "mean"),
        ),
        LossKind(
            "logits",
            LOGITS,
            False,
            _cross_entropy_of_logits,
            lambda x, t: np.asarray(
                np.exp(_log_probabilities(x)) * t.sum(axis=-1, keepdims=True) - t
            ),
            _rounding_of_logits,
            ("sum", "mean"),
        ),
        LossKind(
            BINARY,
            PROBABILITIES,
            True,
            _binary_cross_entropy,
            lambda p, t: np.asarray((1 - t) / (1 - p) - t / p),
            _rounding_of_binary,
            ("sum", "mean", "mean of entries"),
        ),
        LossKind(
            "binary_logits",
            LOGITS,
            True,
            _binary_cross_entropy_of_logits,
            lambda x, t: np.asarray(np.exp(_log_sigmoid(x)) - t),
            _rounding_of_binary_logits,
            ("sum", "mean", "mean of entries"),
        ),
        LossKind(
            "squared",
            NUMBERS,
            False,
            _squared_error,
            lambda p, t: 2 * (p - t),
            _rounding_of_squares,
            ("sum", "mean", "mean of entries", "half sum", "half mean", "half mean of entries"),
        ),
    )
}
