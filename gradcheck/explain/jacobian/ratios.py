"""Claim over gradient, entry by entry: the factor of the chain rule that it leaves out or adds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.formulas.elementwise import ACTIVATIONS, ELEMENTARY, Elementwise

# Functions whose derivatives are left out, applied twice, or taken at the output.
COMMON: dict[str, Elementwise] = {
    **{name: ACTIVATIONS[name] for name in ("tanh", "sigmoid", "softplus", "relu")},
    **{name: ELEMENTARY[name] for name in ("exp", "log", "square", "sqrt", "reciprocal")},
    "sine": ELEMENTARY["sin"],
    "cosine": ELEMENTARY["cos"],
    "absolute value": ELEMENTARY["absolute"],
    "cube": Elementwise(lambda z: z**3, lambda z: 3 * z**2),
}

# Factors of these are those of a polynomial or a sign as well.
PLAIN = ("square", "absolute value")


def ratio_of_derivative(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The claim lacks the derivative of a common function, has it twice, or at the output."""
    z = measured.value
    name, gradient = measured.name, measured.gradient
    for layer, function in COMMON.items():
        right = np.asarray(function.derivative(z))
        yield Hypothesis(
            Bug.ACTIVATION_DERIVATIVE_MISSING,
            f"the derivative of the {layer} of {name} is missing",
            f"d{name} *= the derivative of the {layer} at {name}",
            0.8,
            gradient / right,
            scaled=layer not in PLAIN,
        )
        yield Hypothesis(
            Bug.DERIVATIVE_AT_WRONG_POINT,
            f"the derivative of the {layer} of {name} is applied twice",
            f"d{name} has the derivative of the {layer} once",
            0.9,
            gradient * right,
        )
        yield Hypothesis(
            Bug.DERIVATIVE_AT_WRONG_POINT,
            f"the derivative of the {layer} is taken at its output, not at {name}",
            f"use the derivative at {name}, or the formula in terms of the output",
            0.8,
            gradient / right * function.derivative(function.value(z)),
        )


def derivative_of_other_function(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """A layer acting on every entry by itself, with the derivative of another function."""
    if not measured.local:
        return
    z = measured.value
    v = measured.cotangent
    name = measured.name
    fix = f"d{name} = cotangent * the derivative of the function in forward"
    for layer, function in COMMON.items():
        for message, cost, used in (
            (f"the derivative is that of another function: of {layer}", 0.85, function.derivative),
            (f"{layer} of {name} stands where the derivative should", 0.9, function.value),
        ):
            yield Hypothesis(Bug.DERIVATIVE_AT_WRONG_POINT, message, fix, cost, v * used(z))


def ratio_of_tensor(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Another tensor, or the output, multiplies the claim once too often or not at all."""
    name, gradient = measured.name, measured.gradient
    for what, factor in _multipliers(measured):
        yield Hypothesis(
            Bug.PATH_MISSING,
            f"the factor {what} is missing from the chain rule",
            f"d{name} = d{name} * {what}",
            0.85,
            gradient / factor,
            scaled=True,
        )
        yield Hypothesis(
            Bug.PATH_MISSING,
            f"the factor {what} is multiplied by once too often",
            f"d{name} = d{name} / {what}  # leave it out where it was",
            0.9,
            gradient * factor,
            scaled=True,
        )


def _multipliers(measured: MeasuredJacobian) -> Iterator[tuple[str, Array]]:
    """Yield tensors that broadcast to the tensor's shape and vary, along any axis."""
    candidates = dict(measured.observation.point.tensors)
    if measured.single:
        candidates["the output"] = measured.output
    for what, value in candidates.items():
        if value.dtype.kind != "f" or value.size < 2 or not np.ptp(value) > 0:
            continue
        if value.shape == measured.shape:
            yield what, value.astype(np.float64)
        elif value.ndim == 1:
            for axis, length in enumerate(measured.shape):
                if length == value.size:
                    shape = [length if i == axis else 1 for i in range(measured.claim.ndim)]
                    spread = np.broadcast_to(value.reshape(shape), measured.shape)
                    yield what, spread.astype(np.float64)


def ratio_by_index(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Claim over gradient is the same all along some axes: every index has its own factor."""
    if measured.claim.ndim < 2:
        return
    for axis, length in enumerate(measured.shape):
        others = tuple(i for i in range(measured.claim.ndim) if i != axis)
        g = np.where(measured.known, measured.gradient, 0)
        c = np.where(measured.known, measured.claim, 0)
        square = np.sum(g * g, axis=others, keepdims=True)
        factors = np.sum(g * c, axis=others, keepdims=True) / square
        off = int(np.sum(np.abs(factors - 1) > 1e-6))
        if np.isfinite(factors).all() and off > 1:
            yield Hypothesis(
                Bug.CONSTANT_FACTOR,
                f"every index of axis {axis} of {measured.name} has a factor of its "
                f"own, from {factors.min():.4g} to {factors.max():.4g}",
                f"a scale along axis {axis} is missing, doubled, or that of another index",
                0.85,
                measured.gradient * factors,
                length,
            )
