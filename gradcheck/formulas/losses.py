"""Losses of predictions that a training step may descend, with their gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gradcheck._types import Array, Outputs


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


def candidates(targets: Array, predictions: Array) -> list[LossFormula]:
    """Return the losses that make sense for these targets and predictions.

    Parameters
    ----------
    targets
        Class indices of shape (n,), or an array shaped like the predictions.
    predictions
        Array of shape (n, classes), or (n,) for a regression.

    Raises
    ------
    ValueError
        If the shapes do not belong together.
    """
    y = _like_predictions(np.asarray(targets), predictions)
    n = max(1, predictions.shape[0] if predictions.ndim else 1)
    losses = [
        _loss(
            "squared error",
            lambda p: float(np.sum((p - y) ** 2) / (2 * n)),
            lambda p: (p - y) / n,
            "softmax_jacobian @ (p - y)",
        ),
        _loss(
            "absolute error",
            lambda p: float(np.sum(np.abs(p - y)) / n),
            lambda p: np.sign(p - y) / n,
            "softmax_jacobian @ np.sign(p - y)",
            1.5,
        ),
    ]
    if predictions.min(initial=0.0) >= 0 and predictions.max(initial=0.0) <= 1:
        losses = [
            _loss(
                "cross-entropy",
                lambda p: float(-np.sum(y * np.log(np.where(y > 0, p, 1))) / n),
                lambda p: -y / np.where(y > 0, p, 1) / n,
                "p - y",
            ),
            *losses,
            _loss(
                "binary cross-entropy",
                lambda p: float(-np.sum(_xlogy(y, p) + _xlogy(1 - y, 1 - p)) / n),
                lambda p: ((1 - y) / np.where(y < 1, 1 - p, 1) - y / np.where(y > 0, p, 1)) / n,
                "softmax_jacobian @ ((p - y) / (p * (1 - p)))",
                1.5,
            ),
        ]
    return losses


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


def _loss(
    name: str,
    value: Callable[[Array], float],
    gradient: Callable[[Array], Array],
    output_error: str,
    cost: float = 1.0,
) -> LossFormula:
    def quiet_value(outputs: Outputs) -> float:
        with np.errstate(all="ignore"):
            return value(outputs[0])

    def quiet_gradient(outputs: Outputs) -> Outputs:
        with np.errstate(all="ignore"):
            return (gradient(outputs[0]),)

    return LossFormula(name, quiet_value, quiet_gradient, output_error, cost)


def _times(factor: float, gradient: Callable[[Outputs], Outputs]) -> Callable[[Outputs], Outputs]:
    return lambda outputs: tuple(factor * v for v in gradient(outputs))


def _xlogy(x: Array, y: Array) -> Array:
    return x * np.log(np.where(x > 0, y, 1))


def _like_predictions(targets: Array, predictions: Array) -> Array:
    """Return the targets in the shape of the predictions: indices become one-hot rows."""
    if targets.shape == predictions.shape:
        return targets.astype(np.float64)
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
