"""A loss whose gradient is that of another loss of the same predictions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy import special

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.formulas.losses import LOSSES
from gradcheck.formulas.softmax import softmax, softmax_vjp

# Inferred targets are one-hot to this accuracy.
ONE_HOT = 1e-5


def other_formula(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The claim is the gradient of another loss at the same predictions and targets."""
    if not _is_loss(measured):
        return
    x = measured.value
    name = measured.name
    for targets in _targets(measured, x):
        for what, values in _gradients(x, targets):
            yield Hypothesis(
                Bug.GRADIENT_OF_OTHER_LOSS,
                f"the gradient is that of {what}, which is not the loss in forward",
                f"derive d{name} from the loss that forward returns",
                0.75,
                values,
                scaled=True,
            )
    if x.shape[-1] > 1:
        yield from _through_softmax(measured, x)
        yield from _over_other_axes(measured, x)
        yield from _of_other_labels(measured, x)
    yield Hypothesis(
        Bug.GRADIENT_OF_OTHER_LOSS,
        "only the sign of the gradient is returned: that of the absolute error",
        f"derive d{name} from the loss that forward returns",
        0.8,
        np.sign(measured.gradient),
        scaled=True,
    )


def _is_loss(measured: MeasuredJacobian) -> bool:
    return measured.single and measured.output.ndim < measured.claim.ndim


def _through_softmax(measured: MeasuredJacobian, x: Array) -> Iterator[Hypothesis]:
    p, g = softmax(x), measured.gradient
    name = measured.name
    yield Hypothesis(
        Bug.SOFTMAX_JACOBIAN_TWICE,
        "the Jacobian of the softmax is applied to what has been through it already",
        f"d{name} = p - y as it is: the softmax's own backward is part of it",
        0.7,
        softmax_vjp(p, g),
        scaled=True,
    )
    yield Hypothesis(
        Bug.JACOBIAN_DIAGONAL_ONLY,
        "the gradient is multiplied by the diagonal p * (1 - p) of the softmax's Jacobian",
        f"d{name} = p - y as it is",
        0.7,
        p * (1 - p) * g,
        scaled=True,
    )


def _over_other_axes(measured: MeasuredJacobian, x: Array) -> Iterator[Hypothesis]:
    """Yield p - y with p normalised over other axes than the last."""
    name = measured.name
    for targets in _targets(measured, x):
        # rows shifted by their own maxima are no longer alike beyond the row
        for axis, shift in product((*range(x.ndim - 1), None), (None, -1)):
            where = f"over axis {axis}" if axis is not None else "over all entries at once"
            yield Hypothesis(
                Bug.WRONG_AXIS,
                f"the softmax in the gradient is normalised {where}, not over the classes",
                f"d{name} needs p = e / e.sum(axis=-1, keepdims=True), as in the forward",
                0.45,
                _normalised(x, axis, shift) - targets,
                scaled=True,
            )


def _normalised(x: Array, axis: int | None, shift: int | None) -> Array:
    """Return a softmax over other axes, whose maximum is taken there or along the last axis."""
    e = np.exp(x - x.max(axis=axis if shift is None else shift, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _of_other_labels(measured: MeasuredJacobian, x: Array) -> Iterator[Hypothesis]:
    """Yield p - y' where the claim implies that labels y' other than the forward's are used."""
    if not any(True for _ in _targets(measured, x)):
        return
    p = softmax(x)
    for count in {1, x.shape[0], x.size}:
        implied = p - measured.claim * count
        labels = np.round(implied)
        sharp = np.all(np.abs(implied - labels) < ONE_HOT) and set(labels.flat) <= {0.0, 1.0}
        if sharp and np.all(labels.sum(axis=-1) == 1):
            yield Hypothesis(
                Bug.WRONG_INDEX,
                "the gradient is p - y for other labels y than those of the forward: "
                f"{labels.argmax(axis=-1).reshape(-1)[:8].tolist()} for the first samples",
                f"d{measured.name}[np.arange(n), labels] -= 1, with the forward's labels",
                0.7,
                (p - labels) / count,
            )


def _targets(measured: MeasuredJacobian, x: Array) -> Iterator[Array]:
    """Yield the targets: those given, and those that the right gradient implies."""
    for other, value in measured.observation.point.tensors.items():
        if other != measured.name and value.shape == x.shape:
            yield value.astype(np.float64)
    for count in {1, x.shape[0], x.size}:
        g = measured.gradient * count
        for implied in (softmax(x) - g, special.expit(x) - g, -g * x):
            nearest = np.round(implied)
            if np.all(np.abs(implied - nearest) < ONE_HOT) and set(nearest.flat) <= {0.0, 1.0}:
                yield nearest


def _gradients(x: Array, t: Array) -> Iterator[tuple[str, Array]]:
    p, q = softmax(x), special.expit(x)
    for name, loss in LOSSES.items():
        yield f"the {name}", loss.gradient(x, t)
    yield "the squared error of a softmax", softmax_vjp(p, p - t)
    yield "the squared error of a sigmoid", q * (1 - q) * (q - t)
    yield "the sum of the predictions at the targets", t
