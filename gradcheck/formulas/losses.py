"""Losses of predictions with their gradients, and which of them a reported number is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.formulas.softmax import log_sigmoid, log_softmax, softmax


@dataclass(frozen=True)
class LossTerms:
    """A loss of predictions p given targets y of the same shape, before any reduction.

    Attributes
    ----------
    predictions
        What the predictions are: probabilities, logits, or any numbers.
    terms
        ``(p, y) -> terms``, shaped like p: what each entry adds to the loss, in the precision of p.
    gradient
        ``(p, y) -> gradient`` of the sum of all terms.
    """

    predictions: str
    terms: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]


PROBABILITIES, LOGITS, NUMBERS = "probabilities", "logits", "numbers"


def _times_log(y: Array, p: Array) -> Array:
    # 0 log 0 = 0: what is not the target costs nothing
    return y * np.log(np.where(y > 0, p, 1))


def _quotient(y: Array, p: Array) -> Array:
    return y / np.where(y > 0, p, 1)


LOSSES: dict[str, LossTerms] = {
    "squared error": LossTerms(NUMBERS, lambda p, y: (p - y) ** 2, lambda p, y: 2 * (p - y)),
    "absolute error": LossTerms(NUMBERS, lambda p, y: np.abs(p - y), lambda p, y: np.sign(p - y)),
    "cross-entropy": LossTerms(
        PROBABILITIES, lambda p, y: -_times_log(y, p), lambda p, y: -_quotient(y, p)
    ),
    "binary cross-entropy": LossTerms(
        PROBABILITIES,
        lambda p, y: -(_times_log(y, p) + _times_log(1 - y, 1 - p)),
        lambda p, y: _quotient(1 - y, 1 - p) - _quotient(y, p),
    ),
    "cross-entropy of logits": LossTerms(
        LOGITS,
        lambda z, y: -y * log_softmax(z),
        lambda z, y: softmax(z) * y.sum(axis=-1, keepdims=True) - y,
    ),
    "binary cross-entropy of logits": LossTerms(
        LOGITS,
        lambda z, y: -(y * log_sigmoid(z) + (1 - y) * log_sigmoid(-z)),
        lambda z, y: np.exp(log_sigmoid(z)) - y,
    ),
    # for targets of -1 and 1
    "hinge loss": LossTerms(
        LOGITS, lambda z, y: np.maximum(0, 1 - y * z), lambda z, y: -y * (y * z < 1)
    ),
    "perceptron loss": LossTerms(
        LOGITS, lambda z, y: np.maximum(0, -y * z), lambda z, y: -y * (y * z < 0)
    ),
}


@dataclass(frozen=True)
class LossFormula:
    """A loss of predictions p given targets y, averaged over the batch.

    Attributes
    ----------
    name
        In words.
    value, gradient
        ``outputs -> float`` and ``outputs -> cotangents``; the outputs are one array (n, classes).
    output_error
        The error at the input of a softmax that belongs to this loss, as code.
    cost
        Description length as a hypothesis: rarer losses cost more.
    """

    name: str
    value: Callable[[Outputs], float]
    gradient: Callable[[Outputs], Outputs]
    output_error: str = ""
    cost: float = 1.0

    def fix_towards(self, reported: LossFormula) -> str:
        """Return the line to change so that ``reported`` is descended instead."""
        if reported.output_error and self.output_error:
            return (
                f"delta = {reported.output_error}  # the output error of the {reported.name}; "
                f"{self.output_error} is that of the {self.name}"
            )
        return f"differentiate the {reported.name}, or report the {self.name}"


@dataclass(frozen=True)
class Losses:
    """The loss that is reported, and others that may be descended instead."""

    reported: LossFormula
    others: tuple[LossFormula, ...]

    def times(self, factor: float) -> Losses:
        """Return the others with gradients as if reduced by sums and means as the reported one."""
        others = (replace(loss, gradient=_times(factor, loss.gradient)) for loss in self.others)
        return replace(self, others=tuple(others))


# Losses that a step may report or descend: their usual factor, the error at the input of a softmax
# below them, as code, and their cost.
_REPORTED: dict[str, tuple[float, str, float]] = {
    "cross-entropy": (1.0, "p - y", 1.0),
    "squared error": (0.5, "softmax_jacobian @ (p - y)", 1.0),
    "absolute error": (1.0, "softmax_jacobian @ np.sign(p - y)", 1.5),
    "binary cross-entropy": (1.0, "softmax_jacobian @ ((p - y) / (p * (1 - p)))", 1.5),
}
_OF_LOGITS = ("cross-entropy of logits", "binary cross-entropy of logits")
NAMES = (*_REPORTED, *_OF_LOGITS)


def candidates(targets: Array, predictions: Array, *, logits: bool = False) -> list[LossFormula]:
    """Return the losses that make sense for these targets and predictions.

    Parameters
    ----------
    targets
        Class indices of shape (n,), or an array shaped like the predictions.
    predictions
        Array of shape (n, classes), or (n,) for a regression.
    logits
        Whether the predictions may be logits too.

    Raises
    ------
    ValueError
        If the shapes do not belong together.
    """
    y = _like_predictions(np.asarray(targets), predictions)
    unit = predictions.min(initial=0.0) >= 0 and predictions.max(initial=0.0) <= 1
    names = [name for name in _REPORTED if unit or LOSSES[name].predictions != PROBABILITIES]
    return [_mean(name, y) for name in (*names, *(_OF_LOGITS if logits else ()))]


def identify(losses: list[LossFormula], predictions: Array, reported: float) -> Losses | None:
    """Find which loss the reported number is, up to a factor its reductions may differ by.

    Mean or sum over the batch, mean over all entries, and with or without the one half of the
    squared error all count as the same loss: a factor is another finding.
    """
    n = max(1, predictions.shape[0] if predictions.ndim else 1)
    classes = max(1, predictions.size // n)
    reductions = [1.0, n, 1 / classes, 2.0, 2.0 * n, 2 / classes, 0.5]
    for loss in losses:
        value = loss.value((predictions,))
        if any(np.isclose(value * factor, reported, rtol=1e-6, atol=0) for factor in reductions):
            return Losses(loss, tuple(other for other in losses if other is not loss))
    return None


def _mean(name: str, y: Array) -> LossFormula:
    """Return a loss of given targets, averaged over the batch."""
    loss, (factor, output_error, cost) = LOSSES[name], _REPORTED.get(name, (1.0, "", 1.0))
    scale = factor / max(1, y.shape[0] if y.ndim else 1)

    def value(outputs: Outputs) -> float:
        with np.errstate(all="ignore"):
            return float(scale * np.sum(loss.terms(outputs[0], y)))

    def gradient(outputs: Outputs) -> Outputs:
        with np.errstate(all="ignore"):
            return (scale * loss.gradient(outputs[0], y),)

    return LossFormula(name, value, gradient, output_error, cost)


def _times(factor: float, gradient: Callable[[Outputs], Outputs]) -> Callable[[Outputs], Outputs]:
    return lambda outputs: tuple(factor * v for v in gradient(outputs))


def _like_predictions(targets: Array, predictions: Array) -> Array:
    """Return the targets in the shape of the predictions: indices become one-hot rows."""
    if targets.size == predictions.size:
        return targets.reshape(predictions.shape).astype(np.float64)
    indices = targets.reshape(-1)
    whole = indices.dtype.kind in "iu" or bool(np.all(indices == np.floor(indices)))
    if predictions.ndim == 2 and indices.size == predictions.shape[0] and whole:
        return np.eye(predictions.shape[1])[indices.astype(np.intp)]
    raise ValueError(
        f"targets of shape {targets.shape} do not belong to predictions of shape "
        f"{predictions.shape}: give class indices (n,) or one row per sample"
    )
