"""The right numbers at the wrong places: shifted, flipped, permuted, laid out otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.least_squares import named_axes, subsets

# Shifts tried along every axis.
MOST_SHIFT = 3


def moved(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The analytic gradient is the right one, its entries moved along the axes."""
    for code, how, cost, values in moves(measured.gradient):
        message = f"the right numbers stand at wrong places: {how}"
        fix = f"undo it: d{measured.name} is {how} now"
        yield Hypothesis(code, message, fix, cost, values, scaled=True)


def moved_cotangent(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The analytic gradient is right for a cotangent whose entries are moved along the axes."""
    for code, how, cost, values in moves(measured.cotangent) if measured.single else ():
        code = Bug.WRONG_INDEX if code == Bug.KERNEL_FLIPPED else code
        message = f"the cotangent is taken from wrong places: {how}"
        fix = "use the cotangent of the output at the same position"
        yield Hypothesis(code, message, fix, cost + 0.05, measured.along(values), scaled=True)


def moves(array: Array) -> Iterator[tuple[Bug, str, float, Array]]:
    """Yield what may become of an array by a slip of indices: code, words, cost, array."""
    for axes in subsets(array.ndim):
        lengths = [array.shape[axis] for axis in axes]
        if min(lengths) > 1:
            spatial = len(axes) > 1 or (array.ndim > 2 and axes[0] > 1)
            flipped = np.flip(array, axes)
            code = Bug.KERNEL_FLIPPED if spatial else Bug.WRONG_INDEX
            yield code, f"flipped along {named_axes(axes)}", 0.7 + 0.05 * len(axes), flipped
    for axis, length in enumerate(array.shape):
        for shift in range(1, min(MOST_SHIFT, length - 1) + 1):
            for step in (shift, -shift):
                how = f"shifted by {step} along axis {axis}"
                rolled = np.roll(array, step, axis)
                yield Bug.WRONG_INDEX, how, 0.75, rolled
                zeroed = rolled.copy()
                np.moveaxis(zeroed, axis, 0)[slice(step) if step > 0 else slice(step, None)] = 0
                yield Bug.WRONG_INDEX, f"{how}, zeros moving in", 0.75, zeroed
    for order in permutations(range(array.ndim)):
        if order == tuple(range(array.ndim)):
            continue
        turned = array.transpose(order)
        swapped = f"its axes in the order {order}"
        if turned.shape == array.shape:
            yield Bug.TRANSPOSED, swapped, 0.7, turned
        else:
            yield Bug.WRONG_INDEX, f"{swapped}, then reshaped", 0.8, turned.reshape(array.shape)
        laid = np.argsort(order)
        shape = tuple(array.shape[axis] for axis in order)
        if shape != array.shape:
            other = array.reshape(shape).transpose(laid)
            yield Bug.WRONG_INDEX, f"reshaped, then {swapped}", 0.8, other
    if array.ndim > 1:
        other = array.reshape(-1, order="F").reshape(array.shape)
        yield Bug.WRONG_INDEX, "in column-major order", 0.8, other
