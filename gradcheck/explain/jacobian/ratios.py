"""Analytic over numerical, entry by entry: a factor of the chain rule left out or added."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.least_squares import other_axes
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
    """The derivative of a common function is missing, there twice, or taken at the output."""
    z, name, gradient = measured.value, measured.name, measured.gradient
    for layer, function in COMMON.items():
        right, of = np.asarray(function.derivative(z)), f"the derivative of the {layer}"
        missing, fix = f"{of} of {name} is missing", f"d{name} *= {of} at {name}"
        code, scaled = Bug.ACTIVATION_DERIVATIVE_MISSING, layer not in PLAIN
        yield Hypothesis(code, missing, fix, 0.8, gradient / right, scaled=scaled)
        code, twice = Bug.DERIVATIVE_AT_WRONG_POINT, f"{of} of {name} is applied twice"
        yield Hypothesis(code, twice, f"d{name} has {of} once", 0.9, gradient * right)
        elsewhere = f"{of} is taken at its output, not at {name}"
        fix = f"use the derivative at {name}, or the formula in terms of the output"
        values = gradient / right * function.derivative(function.value(z))
        yield Hypothesis(code, elsewhere, fix, 0.8, values)


def derivative_of_other_function(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """A layer acting on every entry by itself, with the derivative of another function."""
    if not measured.local:
        return
    z, v, name = measured.value, measured.cotangent, measured.name
    fix = f"d{name} = cotangent * the derivative of the function in forward"
    for layer, function in COMMON.items():
        for message, cost, used in (
            (f"the derivative is that of another function: of {layer}", 0.85, function.derivative),
            (f"{layer} of {name} stands where the derivative should", 0.9, function.value),
        ):
            yield Hypothesis(Bug.DERIVATIVE_AT_WRONG_POINT, message, fix, cost, v * used(z))


def ratio_of_tensor(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Another tensor, or the output, is multiplied by once too often or not at all."""
    line, gradient = f"d{measured.name} = d{measured.name}", measured.gradient
    for what, factor in _multipliers(measured):
        message, fix = f"the factor {what} is missing from the chain rule", f"{line} * {what}"
        yield Hypothesis(Bug.PATH_MISSING, message, fix, 0.85, gradient / factor, scaled=True)
        message = f"the factor {what} is multiplied by once too often"
        fix = f"{line} / {what}  # leave it out where it was"
        yield Hypothesis(Bug.PATH_MISSING, message, fix, 0.9, gradient * factor, scaled=True)


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
                    shape = [length if i == axis else 1 for i in range(len(measured.shape))]
                    spread = np.broadcast_to(value.reshape(shape), measured.shape)
                    yield what, spread.astype(np.float64)


def ratio_by_index(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Analytic over numerical is the same all along some axes: every index has its own factor."""
    if len(measured.shape) < 2:
        return
    g, a = (np.where(measured.known, x, 0) for x in (measured.gradient, measured.analytic))
    for axis, length in enumerate(measured.shape):
        others = other_axes(g.ndim, axis)
        square = np.sum(g * g, axis=others, keepdims=True)
        factors = np.sum(g * a, axis=others, keepdims=True) / square
        if np.isfinite(factors).all() and np.sum(np.abs(factors - 1) > 1e-6) > 1:
            message = (
                f"every index of axis {axis} of {measured.name} has a factor of its own, from "
                f"{factors.min():.4g} to {factors.max():.4g}"
            )
            fix = f"a scale along axis {axis} is missing, doubled, or that of another index"
            values = measured.gradient * factors
            yield Hypothesis(Bug.CONSTANT_FACTOR, message, fix, 0.85, values, length)
