"""Weights of the layer that multiply along another axis than in the forward."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian


def weights_on_another_axis(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Each column has the weight of its own index, where each row has one: that of its label."""
    if len(measured.shape) != 2 or not measured.known.all():
        return
    name = measured.name
    arrays = {**measured.observation.constants(), **measured.observation.point.tensors}
    for other, value in arrays.items():
        weights = value.astype(np.float64)
        if other == name or value.ndim != 1 or np.any(weights == 0) or np.ptp(weights) == 0:
            continue
        for axis in (0, 1):
            if len(weights) == measured.shape[axis]:
                yield _prediction(measured, other, weights, axis)


def _prediction(measured: MeasuredJacobian, other: str, weights: Array, axis: int) -> Hypothesis:
    """Return the gradient with a weight along ``axis``, in place of one weight for each line."""
    along = weights[None, :] if axis else weights[:, None]
    weighted = measured.gradient * along
    # the one weight that each line has in the forward is what the claim leaves over
    length = np.sum(weighted**2, axis=axis, keepdims=True)
    with np.errstate(all="ignore"):
        left = np.sum(weighted * measured.claim, axis=axis, keepdims=True) / length
    nearest = np.abs(left[..., None] * weights - 1).argmin(axis=-1)
    line, place = ("row", "[:, None]") if axis else ("column", "")
    name = measured.name
    return Hypothesis(
        Bug.WRONG_AXIS,
        f"each entry of a {line} is multiplied by the entry of {other} at its own index, where "
        f"the {line} has one factor, that of its sample or label",
        f"multiply d{name} by {other}[labels]{place}, one factor for a {line}",
        0.7,
        weighted / weights[nearest],
        int(np.prod(nearest.shape)),
    )
