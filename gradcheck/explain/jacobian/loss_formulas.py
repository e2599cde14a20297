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
from gradcheck.formulas.softmax import exp_shifted, softmax, softmax_vjp

# Inferred targets are one-hot to this accuracy.
ONE_HOT = 1e-5


def other_formula(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The analytic gradient is that of another loss at the same predictions and targets."""
    x = measured.value
    if not measured.single or measured.output.ndim >= x.ndim:
        return  # no loss
    code, fix = (
        Bug.GRADIENT_OF_OTHER_LOSS,
        f"derive d{measured.name} from the loss that forward returns",
    )
    for targets in _targets(measured, x):
        for what, values in _gradients(x, targets):
            message = f"the gradient is that of {what}, which is not the loss in forward"
            yield Hypothesis(code, message, fix, 0.75, values, scaled=True)
    if x.shape[-1] > 1:
        yield from _through_softmax(measured, x)
        yield from _over_other_axes(measured, x)
        yield from _of_other_labels(measured, x)
    message = "only the sign of the gradient is returned: that of the absolute error"
    yield Hypothesis(code, message, fix, 0.8, np.sign(measured.gradient), scaled=True)


def _through_softmax(measured: MeasuredJacobian, x: Array) -> Iterator[Hypothesis]:
    p, g, line = softmax(x), measured.gradient, f"d{measured.name} = p - y as it is"
    message = "the Jacobian of the softmax is applied to what has been through it already"
    fix, values = f"{line}: the softmax's own backward is part of it", softmax_vjp(p, g)
    yield Hypothesis(Bug.SOFTMAX_JACOBIAN_TWICE, message, fix, 0.7, values, scaled=True)
    message = "the gradient is multiplied by the diagonal p * (1 - p) of the softmax's Jacobian"
    values = p * (1 - p) * g
    yield Hypothesis(Bug.JACOBIAN_DIAGONAL_ONLY, message, line, 0.7, values, scaled=True)


def _over_other_axes(measured: MeasuredJacobian, x: Array) -> Iterator[Hypothesis]:
    """Yield p - y with p normalised over other axes than the last."""
    fix = f"d{measured.name} needs p = e / e.sum(axis=-1, keepdims=True), as in the forward"
    for targets in _targets(measured, x):
        # rows shifted by their own maxima are no longer alike beyond the row
        for axis, shift in product((*range(x.ndim - 1), None), (None, -1)):
            where = f"over axis {axis}" if axis is not None else "over all entries at once"
            message = f"the softmax in the gradient is normalised {where}, not over the classes"
            e = exp_shifted(x, axis if shift is None else shift)
            values = e / e.sum(axis=axis, keepdims=True) - targets
            yield Hypothesis(Bug.WRONG_AXIS, message, fix, 0.45, values, scaled=True)


def _of_other_labels(measured: MeasuredJacobian, x: Array) -> Iterator[Hypothesis]:
    """Yield p - y' where the analytic gradient implies other labels y' than the forward's."""
    if not any(True for _ in _targets(measured, x)):
        return
    p = softmax(x)
    for count in {1, x.shape[0], x.size}:
        labels = _whole(p - measured.analytic * count)
        if labels is not None and np.all(labels.sum(axis=-1) == 1):
            message = (
                "the gradient is p - y for other labels y than those of the forward: "
                f"{labels.argmax(axis=-1).reshape(-1)[:8].tolist()} for the first samples"
            )
            fix = f"d{measured.name}[np.arange(n), labels] -= 1, with the forward's labels"
            yield Hypothesis(Bug.WRONG_INDEX, message, fix, 0.7, (p - labels) / count)


def _targets(measured: MeasuredJacobian, x: Array) -> Iterator[Array]:
    """Yield the targets: those given, and those that the right gradient implies."""
    for other, value in measured.observation.point.tensors.items():
        if other != measured.name and value.shape == x.shape:
            yield value.astype(np.float64)
    for count in {1, x.shape[0], x.size}:
        g = measured.gradient * count
        for implied in (softmax(x) - g, special.expit(x) - g, -g * x):
            targets = _whole(implied)
            if targets is not None:
                yield targets


def _whole(implied: Array) -> Array | None:
    """Return inferred targets as zeros and ones; None where they are none."""
    nearest = np.round(implied)
    sharp = np.all(np.abs(implied - nearest) < ONE_HOT) and set(nearest.flat) <= {0.0, 1.0}
    return nearest if sharp else None


def _gradients(x: Array, t: Array) -> Iterator[tuple[str, Array]]:
    p, q = softmax(x), special.expit(x)
    for name, loss in LOSSES.items():
        yield f"the {name}", loss.gradient(x, t)
    yield "the squared error of a softmax", softmax_vjp(p, p - t)
    yield "the squared error of a sigmoid", q * (1 - q) * (q - t)
    yield "the sum of the predictions at the targets", t
