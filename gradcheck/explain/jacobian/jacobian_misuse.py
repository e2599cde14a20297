"""The right Jacobian, wrongly used: its diagonal, its transpose, twice, or other samples' rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian


def jacobian_misused(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The analytic gradient is made of the layer's own Jacobian, but not as J^T v."""
    if not measured.single or measured.output.size != measured.analytic.size:
        return
    jacobian, cotangent, name = measured.jacobian, measured.cotangent, measured.name
    message = "the Jacobian is used untransposed: J v where the chain rule needs J.T v"
    fix = f"d{name} = delta @ W.T  # the transpose of what the forward multiplies by"
    values = (jacobian @ cotangent.reshape(-1)).reshape(measured.shape)
    yield Hypothesis(Bug.TRANSPOSED, message, fix, 0.7, values, scaled=True)
    if measured.output.shape != measured.shape or measured.local:
        return
    message = (
        "only the diagonal of the Jacobian is used: every output is taken to depend on the input "
        "entry at its own position alone"
    )
    fix = f"d{name} = y * (v - (v * y).sum(axis=-1, keepdims=True))  # for a softmax: all of J.T v"
    values = np.diag(jacobian).reshape(measured.shape) * cotangent
    yield Hypothesis(Bug.JACOBIAN_DIAGONAL_ONLY, message, fix, 0.7, values, scaled=True)
    message = "the layer's Jacobian is applied twice"
    fix = f"d{name}: apply the derivative of the layer once, here or in the loss"
    values = measured.along(measured.gradient)
    yield Hypothesis(Bug.SOFTMAX_JACOBIAN_TWICE, message, fix, 0.7, values, scaled=True)


def blocks(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Gradients of single outputs: right within a step or sample, wrong across, or across only."""
    analytic = measured.analytic_jacobian
    is_input = measured.observation.evaluator.target.role(measured.name) == "input"
    if analytic is None or not measured.single or not is_input:
        return
    for own, length in enumerate(measured.shape):
        for out, other in enumerate(measured.output.shape):
            if length == other > 1:
                yield from _across(measured, analytic, own, out)


def _across(
    measured: MeasuredJacobian, analytic: Array, own: int, out: int
) -> Iterator[Hypothesis]:
    rows = np.indices(measured.output.shape)[out].reshape(-1, 1)
    columns = np.indices(measured.shape)[own].reshape(1, -1)
    jacobian, bound = measured.jacobian, measured.jacobian_bound
    apart = rows != columns
    influence = np.abs(jacobian) > MARGIN * measured.error
    off = np.abs(analytic - jacobian) > bound
    cotangent = measured.cotangent.reshape(-1)
    values: Array = (cotangent @ np.where(off, analytic, jacobian)).reshape(measured.shape)
    axes, coupled = f"axis {own} of {measured.name}", np.any(influence & apart)
    if not coupled and np.any(off & apart):
        message = (
            f"the gradient at one index of {axes} depends on the cotangent at others, while the "
            "forward treats them apart"
        )
        fix = "sum over the axis the forward sums over, with keepdims=True, and no other"
        yield Hypothesis(Bug.SAMPLES_MIXED, message, fix, 1.0, values)
    elif coupled and np.any(off) and not np.any(off & ~apart):
        one_way = (
            not (influence & (rows < columns)).any() or not (influence & (rows > columns)).any()
        )
        lost = not np.any((np.abs(analytic) > bound)[off & apart])
        message = (
            f"the influence across the indices of {axes} is {'missing' if lost else 'wrong'}: "
            "each index is right only for the output at the same one"
        )
        fix = "pass the gradient on from step to step: dh = dh_out[t] + dh_next"
        yield Hypothesis(Bug.PATH_MISSING, message, fix, 0.5 if lost and one_way else 1.0, values)
