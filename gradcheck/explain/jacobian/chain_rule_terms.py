"""Terms of the chain rule that are absent: through a mean, a variance, a branch, a step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.least_squares import fit, fit_along, named_axes, subsets


def normalisation_path(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The error is constant along an axis, or proportional there to what was normalised.

    A mean sends back the same number to all that it is the mean of; a variance, a norm or a
    softmax's sum sends back a multiple of the centred values, of the values, or of the output.
    """
    for axes in subsets(len(measured.shape)):
        if measured.scalar_loss and len(axes) == len(measured.shape):
            continue  # one multiple of the tensor: a loss's own additive term
        for what, columns in _terms(measured, axes):
            found = fit_along(measured.excess, columns, axes, measured.known)
            if found is None:
                continue
            yield Hypothesis(
                Bug.PATH_MISSING,
                f"the term of the chain rule through {what} along {named_axes(axes)} is missing or "
                "wrong",
                f"d{measured.name} needs the gradient through {what} as well, "
                f"summed over {named_axes(axes)}",
                0.7 + 0.1 * len(columns) - 0.3 * _invariant(measured, axes),
                measured.gradient + found[0],
                found[1],
            )


def _terms(measured: MeasuredJacobian, axes: tuple[int, ...]) -> Iterator[tuple[str, list[Array]]]:
    one = np.ones(measured.shape)
    value = measured.value
    centred = value - value.mean(axis=axes, keepdims=True)
    yield "the mean", [one]
    yield "the variance", [centred]
    yield "the mean and the variance", [one, centred]
    yield "the norm", [value]
    if measured.keeps_shape:
        output = measured.output
        yield "the normalising sum", [output]
        if output.max(initial=0.0) <= 0:
            yield "the normalising sum", [np.exp(output)]
    exponential = np.exp(value - value.max(axis=axes, keepdims=True))
    yield "the normalising sum", [exponential]


def _invariant(measured: MeasuredJacobian, axes: tuple[int, ...]) -> bool:
    """Whether the numerical gradient adds up to zero along the axes, as a mean path makes it."""
    total = np.abs(measured.gradient.sum(axis=axes))
    return bool(np.all(total <= 1e-4 * np.abs(measured.gradient).sum(axis=axes)))


def identity_branch(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """What is missing is a multiple of the cotangent: a branch that passes the input on."""
    if not measured.keeps_shape:
        return
    cotangent = measured.cotangent
    name = measured.name
    if not measured.local:
        yield Hypothesis(
            Bug.ACTIVATION_DERIVATIVE_MISSING,
            "the cotangent is passed on as it is: the layer's derivative is missing",
            f"d{name} = the layer's Jacobian, transposed, times the cotangent",
            0.9,
            cotangent,
            scaled=True,
        )
        yield Hypothesis(
            Bug.PATH_MISSING,
            "only the cotangent itself is passed on: the layer's own derivative is missing",
            f"d{name} = cotangent + the gradient through the layer",
            0.9,
            cotangent,
            scaled=True,
        )
    for sign, cost in ((-1.0, 0.8), (1.0, 1.0)):
        yield Hypothesis(
            Bug.PATH_MISSING,
            "the branch that passes the input on unchanged is "
            + ("missing" if sign < 0 else "counted once too often"),
            f"d{name} {'+' if sign < 0 else '-'}= cotangent  # the skip connection",
            cost,
            measured.gradient + sign * cotangent,
        )
    found = fit(measured.excess, [cotangent], measured.known)
    if found is not None:
        yield Hypothesis(
            Bug.PATH_MISSING,
            "the branch that passes on a multiple of the input is missing or wrong: off by "
            f"{found[1][0]:.6g} times the cotangent",
            f"d{name} -= {found[1][0]:.6g} * cotangent",
            1.0,
            measured.gradient + found[0],
            1,
        )


def contribution_missing(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The claim lacks what some of the outputs contribute: a step, a sample, an output."""
    cotangents = measured.cotangents
    if len(cotangents) > 1:
        for position in range(len(cotangents)):
            kept = tuple(v * (i != position) for i, v in enumerate(cotangents))
            yield _without(measured, f"output {position}", measured.pull(kept), 0)
        return
    shape = measured.output.shape
    parts = measured.contributions.reshape(*shape, -1)
    for axis, length in enumerate(shape):
        if length < 2:
            continue
        others = tuple(i for i in range(len(shape)) if i != axis)
        shares = parts.sum(axis=others)
        for index in range(length):
            where = f"index {index} of axis {axis} of the output"
            lost = measured.gradient - shares[index].reshape(measured.shape)
            yield _without(measured, where, lost, 0)
        columns = [share.reshape(measured.shape) for share in shares]
        found = fit(measured.claim, columns, measured.known)
        if found is not None and np.all(np.abs(found[1] * (found[1] - 1)) < 1e-4):
            lost_ones = [int(i) for i in np.flatnonzero(np.abs(found[1]) < 0.5)]
            where = f"the indices {lost_ones} of axis {axis} of the output"
            yield _without(measured, where, found[0], length)


def _without(measured: MeasuredJacobian, where: str, values: Array, fitted: int) -> Hypothesis:
    return Hypothesis(
        Bug.PATH_MISSING,
        f"the contribution of {where} is missing",
        f"d{measured.name} += the part that comes from {where}",
        0.9,
        values,
        fitted,
    )
