"""Sums over the wrong axis, over too little, or over too much."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.least_squares import fit, named_axes, subsets


def summed_over_other_axis(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The contributions of the outputs are added up over other axes than the entry's own."""
    if not measured.single or not measured.shape:
        return
    shape = measured.output.shape
    shares = measured.contributions.sum(axis=1).reshape(shape)
    for axes in permutations(range(len(shape)), len(measured.shape)):
        if tuple(shape[axis] for axis in axes) != measured.shape:
            continue
        others = tuple(axis for axis in range(len(shape)) if axis not in axes)
        if not others:
            continue
        values = shares.sum(axis=others).transpose(np.argsort(np.argsort(axes)))
        yield Hypothesis(
            Bug.WRONG_AXIS,
            f"the gradient is summed over {named_axes(others)} of the output, so that its entries "
            f"belong to axis {axes[0]}",
            f"d{measured.name} = delta.sum(axis=...)  # over the axes the forward "
            "broadcast it along",
            0.5,
            values,
            scaled=True,
        )


def reduced_and_spread(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The claim is the same along an axis along which the gradient is not."""
    for what, array, pull in _spreadable(measured):
        for axes in subsets(array.ndim):
            if max(array.shape[axis] for axis in axes) < 2:
                continue
            spread = np.broadcast_to(array.sum(axis=axes, keepdims=True), array.shape)
            yield Hypothesis(
                Bug.WRONG_AXIS,
                f"the {what} is summed or averaged over {named_axes(axes)}, where each index has "
                "its own",
                f"take no sum over {named_axes(axes)} of the {what}",
                0.85,
                measured.along(spread) if pull else spread,
                scaled=True,
            )


def _spreadable(measured: MeasuredJacobian) -> Iterator[tuple[str, Array, bool]]:
    yield "gradient", measured.gradient, False
    if measured.single:
        yield "cotangent", measured.cotangent, True


def sum_along_other_axis(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """A term that is constant along one axis is there, but constant along another."""
    if len(measured.shape) != 2:
        return
    rows, columns = np.indices(measured.shape)
    for what, factor in _factors(measured):
        spans = [factor * (rows == i) for i in range(measured.shape[0])]
        spans += [factor * (columns == j) for j in range(1, measured.shape[1])]
        found = fit(measured.excess, spans, measured.known)
        if found is not None:
            yield Hypothesis(
                Bug.WRONG_AXIS,
                f"a sum times {what} runs along another axis than in the forward",
                "sum along the axis of the forward, with keepdims=True",
                0.55,
                measured.gradient + found[0],
                len(spans),
            )


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
    shape = measured.output.shape
    sharp = np.abs(measured.contributions) > 4 * np.abs(measured.error)
    parts = np.where(sharp, measured.contributions, 0.0).reshape(*shape, -1)
    for axes in subsets(len(shape)):
        others = tuple(axis for axis in range(len(shape)) if axis not in axes)
        steps = parts.sum(axis=others).reshape(-1, measured.claim.size)
        if len(steps) < 2 or np.all((steps != 0).sum(axis=0) <= 1):
            continue
        for which, ordered in (("last", steps[::-1]), ("first", steps)):
            kept = np.argmax(ordered != 0, axis=0)
            values = np.take_along_axis(ordered, kept[None], axis=0).reshape(measured.shape)
            yield Hypothesis(
                Bug.OVERWRITTEN_NOT_ACCUMULATED,
                f"each entry holds the {which} of its contributions instead of their sum",
                f"d{measured.name}[index] += ...  # '=' overwrites; with index arrays np.add.at",
                0.8 if which == "last" else 0.85,
                values,
                scaled=True,
            )
        for which, step in (("last", steps[-1]), ("first", steps[0])):
            yield Hypothesis(
                Bug.OVERWRITTEN_NOT_ACCUMULATED,
                f"only the {which} of {len(steps)} contributions along {named_axes(axes)} of the "
                "output is kept",
                f"d{measured.name} += ...  # '=' overwrites what came before",
                0.9,
                step.reshape(measured.shape),
                scaled=True,
            )
