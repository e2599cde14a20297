"""Sums and weights along the wrong axis, sums over too little, or over too much."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.least_squares import fit, named_axes, other_axes, subsets


def summed_over_other_axis(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The contributions of the outputs are added up over other axes than the entry's own."""
    if not measured.single or not measured.shape:
        return
    shape = measured.output.shape
    shares = measured.contributions.sum(axis=1).reshape(shape)
    fix = f"d{measured.name} = delta.sum(axis=...)  # over the axes the forward broadcast it along"
    for axes in permutations(range(len(shape)), len(measured.shape)):
        others = other_axes(len(shape), *axes)
        if tuple(shape[axis] for axis in axes) != measured.shape or not others:
            continue
        values = shares.sum(axis=others).transpose(np.argsort(np.argsort(axes)))
        message = (
            f"the gradient is summed over {named_axes(others)} of the output, so that its entries "
            f"belong to axis {axes[0]}"
        )
        yield Hypothesis(Bug.WRONG_AXIS, message, fix, 0.5, values, scaled=True)


def reduced_and_spread(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """What is returned is the same along an axis along which the gradient is not."""
    for what, array in (("gradient", measured.gradient), ("cotangent", measured.cotangent)):
        if what == "cotangent" and not measured.single:
            return
        for axes in subsets(array.ndim):
            if max(array.shape[axis] for axis in axes) < 2:
                continue
            values = np.broadcast_to(array.sum(axis=axes, keepdims=True), array.shape)
            if what == "cotangent":
                values = measured.along(values)
            where = named_axes(axes)
            message = f"the {what} is summed or averaged over {where}, where each index has its own"
            fix = f"take no sum over {where} of the {what}"
            yield Hypothesis(Bug.WRONG_AXIS, message, fix, 0.85, values, scaled=True)


def sum_along_other_axis(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """A term that is constant along one axis is there, but constant along another."""
    if len(measured.shape) != 2:
        return
    rows, columns = np.indices(measured.shape)
    fix = "sum along the axis of the forward, with keepdims=True"
    for what, factor in _factors(measured):
        spans = [factor * (rows == i) for i in range(measured.shape[0])]
        spans += [factor * (columns == j) for j in range(1, measured.shape[1])]
        if found := fit(measured.excess, spans, measured.known):
            message = f"a sum times {what} runs along another axis than in the forward"
            values = measured.gradient + found[0]
            yield Hypothesis(Bug.WRONG_AXIS, message, fix, 0.55, values, len(spans))


def _factors(measured: MeasuredJacobian) -> Iterator[tuple[str, Array]]:
    yield "one", np.ones(measured.shape)
    if measured.keeps_shape:
        yield "the output", measured.output
        if measured.output.max(initial=0.0) <= 0:
            yield "the exponential of the output", np.exp(measured.output)


def overwritten(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Of several contributions to one entry, only the last or the first is kept."""
    if not measured.single:
        return
    code, name, shape = Bug.OVERWRITTEN_NOT_ACCUMULATED, measured.name, measured.output.shape
    sharp = np.abs(measured.contributions) > 4 * np.abs(measured.error)
    parts = np.where(sharp, measured.contributions, 0.0).reshape(*shape, -1)
    for axes in subsets(len(shape)):
        others = other_axes(len(shape), *axes)
        steps = parts.sum(axis=others).reshape(-1, measured.analytic.size)
        if len(steps) < 2 or np.all((steps != 0).sum(axis=0) <= 1):
            continue
        fix = f"d{name}[index] += ...  # '=' overwrites; with index arrays np.add.at"
        for which, cost, ordered in (("last", 0.8, steps[::-1]), ("first", 0.85, steps)):
            kept = np.argmax(ordered != 0, axis=0)
            values = np.take_along_axis(ordered, kept[None], axis=0).reshape(measured.shape)
            message = f"each entry holds the {which} of its contributions instead of their sum"
            yield Hypothesis(code, message, fix, cost, values, scaled=True)
        fix = f"d{name} += ...  # '=' overwrites what came before"
        for which, step in (("last", steps[-1]), ("first", steps[0])):
            message = (
                f"only the {which} of {len(steps)} contributions along {named_axes(axes)} of the "
                "output is kept"
            )
            values = step.reshape(measured.shape)
            yield Hypothesis(code, message, fix, 0.9, values, scaled=True)


def weights_on_another_axis(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Each column has the weight of its own index, where each row has one: that of its label."""
    if len(measured.shape) != 2 or not measured.known.all():
        return
    arrays = {**measured.observation.constants(), **measured.observation.point.tensors}
    for other, value in arrays.items():
        weights = value.astype(np.float64)
        if other == measured.name or value.ndim != 1 or not weights.all() or not np.ptp(weights):
            continue
        for axis in (0, 1):
            if len(weights) == measured.shape[axis]:
                yield _weighted(measured, other, weights, axis)


def _weighted(measured: MeasuredJacobian, other: str, weights: Array, axis: int) -> Hypothesis:
    """Return the gradient with a weight along ``axis``, in place of one weight for each line."""
    weighted = measured.gradient * (weights[None, :] if axis else weights[:, None])
    # the one weight that each line has in the forward is what is left over
    length = np.sum(weighted**2, axis=axis, keepdims=True)
    left = np.sum(weighted * measured.analytic, axis=axis, keepdims=True) / length
    nearest = np.abs(left[..., None] * weights - 1).argmin(axis=-1)
    line, place = ("row", "[:, None]") if axis else ("column", "")
    message = (
        f"each entry of a {line} is multiplied by the entry of {other} at its own index, where "
        f"the {line} has one factor, that of its sample or label"
    )
    fix = f"multiply d{measured.name} by {other}[labels]{place}, one factor for a {line}"
    values = weighted / weights[nearest]
    return Hypothesis(Bug.WRONG_AXIS, message, fix, 0.7, values, nearest.size)
