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
    """The claim is made of the layer's own Jacobian, with another operation than J^T v."""
    if not measured.single or measured.output.size != measured.claim.size:
        return
    jacobian, name = measured.jacobian, measured.name
    cotangent = measured.cotangent
    yield Hypothesis(
        Bug.TRANSPOSED,
        "the Jacobian is used untransposed: J v where the chain rule needs J.T v",
        f"d{name} = delta @ W.T  # the transpose of what the forward multiplies by",
        0.7,
        (jacobian @ cotangent.reshape(-1)).reshape(measured.shape),
        scaled=True,
    )
    if measured.output.shape != measured.shape or measured.local:
        return
    yield Hypothesis(
        Bug.JACOBIAN_DIAGONAL_ONLY,
        "only the diagonal of the Jacobian is used: every output is taken to depend on the input "
        "entry at its own position alone",
        f"d{name} = y * (v - (v * y).sum(axis=-1, keepdims=True))  # for a softmax: all of J.T v",
        0.7,
        np.diag(jacobian).reshape(measured.shape) * cotangent,
        scaled=True,
    )
    yield Hypothesis(
        Bug.SOFTMAX_JACOBIAN_TWICE,
        "the layer's Jacobian is applied twice",
        f"d{name}: apply the derivative of the layer once, here or in the loss",
        0.7,
        measured.along(measured.gradient),
        scaled=True,
    )


def blocks(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Claims of single outputs: right within a step or sample, wrong across, or across only."""
    claims = measured.claims
    is_input = measured.observation.evaluator.target.role(measured.name) == "input"
    if claims is None or not measured.single or not is_input:
        return
    shape = measured.output.shape
    for own, length in enumerate(measured.shape):
        for out, other in enumerate(shape):
            if length == other > 1:
                yield from _across(measured, claims, own, out, length)


def _across(
    measured: MeasuredJacobian, claims: Array, own: int, out: int, length: int
) -> Iterator[Hypothesis]:
    rows = np.indices(measured.output.shape)[out].reshape(-1)
    columns = np.indices(measured.shape)[own].reshape(-1)
    same = rows[:, None] == columns[None, :]
    influence = np.abs(measured.jacobian) > MARGIN * measured.error
    off = np.abs(claims - measured.jacobian) > measured.claims_bound
    values = _pulled(measured, np.where(off, claims, measured.jacobian))
    axes = f"axis {own} of {measured.name}"
    if not np.any(influence & ~same) and np.any(off & ~same):
        yield Hypothesis(
            Bug.SAMPLES_MIXED,
            f"the gradient at one index of {axes} depends on the cotangent at others, while the "
            "forward treats them apart",
            "sum over the axis the forward sums over, with keepdims=True, and no other",
            1.0,
            values,
        )
    elif np.any(influence & ~same) and np.any(off) and not np.any(off & same):
        one_way = not np.any(influence & (rows[:, None] < columns[None, :])) or not np.any(
            influence & (rows[:, None] > columns[None, :])
        )
        lost = not np.any(np.abs(claims[off & ~same]) > measured.claims_bound[off & ~same])
        yield Hypothesis(
            Bug.PATH_MISSING,
            f"the influence across the indices of {axes} is {'missing' if lost else 'wrong'}: "
            "each index is right only for the output at the same one",
            "pass the gradient on from step to step: dh = dh_out[t] + dh_next",
            0.5 if lost and one_way else 1.0,
            values,
        )


def _pulled(measured: MeasuredJacobian, jacobian: Array) -> Array:
    cotangent = measured.cotangent.reshape(-1)
    pulled: Array = (cotangent @ jacobian).reshape(measured.shape)
    return pulled
