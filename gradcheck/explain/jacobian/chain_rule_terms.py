"""Terms of the chain rule that are absent: through a mean, a variance, a branch."""

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
        if not measured.observation.takes_cotangent and len(axes) == len(measured.shape):
            continue  # one multiple of the tensor: a loss's own additive term
        where = named_axes(axes)
        for what, columns in _terms(measured, axes):
            found = fit_along(measured.excess, columns, axes, measured.known)
            # as many numbers as entries are wrong fit anything
            if found and found[1] < np.count_nonzero(measured.wrong):
                path = f"through {what}"
                message = f"the term of the chain rule {path} along {where} is missing or wrong"
                fix = f"d{measured.name} needs the gradient {path} as well, summed over {where}"
                cost = 0.7 + 0.1 * len(columns) - 0.3 * _invariant(measured, axes)
                values = measured.gradient + found[0]
                yield Hypothesis(Bug.PATH_MISSING, message, fix, cost, values, found[1])


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
    cotangent, name = measured.cotangent, measured.name
    if not measured.local:
        code = Bug.ACTIVATION_DERIVATIVE_MISSING
        message = "the cotangent is passed on as it is: the layer's derivative is missing"
        fix = f"d{name} = the layer's Jacobian, transposed, times the cotangent"
        yield Hypothesis(code, message, fix, 0.9, cotangent, scaled=True)
        message = "only the cotangent itself is passed on: the layer's own derivative is missing"
        fix = f"d{name} = cotangent + the gradient through the layer"
        yield Hypothesis(Bug.PATH_MISSING, message, fix, 0.9, cotangent, scaled=True)
    for sign, what, cost, values in (
        ("+", "missing", 0.8, measured.gradient - cotangent),
        ("-", "counted once too often", 1.0, measured.gradient + cotangent),
    ):
        message = f"the branch that passes the input on unchanged is {what}"
        fix = f"d{name} {sign}= cotangent  # the skip connection"
        yield Hypothesis(Bug.PATH_MISSING, message, fix, cost, values)
    if found := fit(measured.excess, [cotangent], measured.known):
        size = f"{found[1][0]:.6g}"
        message = (
            "the branch that passes on a multiple of the input is missing or wrong: off by "
            f"{size} times the cotangent"
        )
        fix = f"d{name} -= {size} * cotangent"
        yield Hypothesis(Bug.PATH_MISSING, message, fix, 1.0, measured.gradient + found[0], 1)
