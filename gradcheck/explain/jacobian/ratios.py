"""Claim over gradient, entry by entry: the factor of the chain rule that it leaves out or adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.jacobian.prediction import Prediction, whole


def sigmoid(x: Array) -> Array:
    """Return the logistic function, free of overflow."""
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))


# Derivatives f'(z) of common functions, by what goes into them.
DERIVATIVES: dict[str, Callable[[Array], Array]] = {
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "sigmoid": lambda z: sigmoid(z) * (1 - sigmoid(z)),
    "softplus": sigmoid,
    "exp": np.exp,
    "log": lambda z: 1 / z,
    "square": lambda z: 2 * z,
    "cube": lambda z: 3 * z**2,
    "sqrt": lambda z: 0.5 / np.sqrt(z),
    "reciprocal": lambda z: -1 / z**2,
    "sine": np.cos,
    "cosine": lambda z: -np.sin(z),
    "absolute value": np.sign,
    "relu": lambda z: (z > 0) * 1.0,
}

# The functions themselves, for derivatives taken at the output.
FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "softplus": lambda z: np.logaddexp(0, z),
    "exp": np.exp,
    "log": np.log,
    "sine": np.sin,
}


@whole
def ratio_of_derivative(measured: MeasuredJacobian) -> Iterator[Prediction]:
    """The claim lacks the derivative of a common function, has it twice, or at the output."""
    z = measured.value.astype(np.float64)
    name, gradient = measured.observation.name, measured.gradient
    for layer, derivative in DERIVATIVES.items():
        right = derivative(z)
        yield Prediction(
            Bug.ACTIVATION_DERIVATIVE_MISSING,
            f"the derivative of the {layer} of {name} is missing",
            f"d{name} *= the derivative of the {layer} at {name}",
            0.8,
            gradient / right,
            scaled=layer not in ("square", "absolute value"),
        )
        yield Prediction(
            Bug.DERIVATIVE_AT_WRONG_POINT,
            f"the derivative of the {layer} of {name} is applied twice",
            f"d{name} has the derivative of the {layer} once",
            0.9,
            gradient * right,
        )
        if layer in FUNCTIONS:
            yield Prediction(
                Bug.DERIVATIVE_AT_WRONG_POINT,
                f"the derivative of the {layer} is taken at its output, not at {name}",
                f"use the derivative at {name}, or the formula in terms of the output",
                0.8,
                gradient / right * derivative(FUNCTIONS[layer](z)),
            )


@whole
def derivative_of_other_function(measured: MeasuredJacobian) -> Iterator[Prediction]:
    """A layer acting on every entry by itself, with the derivative of another function."""
    if not measured.local:
        return
    z = measured.value.astype(np.float64)
    v = np.asarray(measured.cotangents[0], dtype=np.float64)
    name = measured.observation.name
    for layer, derivative in DERIVATIVES.items():
        yield Prediction(
            Bug.DERIVATIVE_AT_WRONG_POINT,
            f"the derivative is that of another function: of {layer}",
            f"d{name} = cotangent * the derivative of the function in forward",
            0.85,
            v * derivative(z),
        )
    for layer, function in FUNCTIONS.items():
        yield Prediction(
            Bug.DERIVATIVE_AT_WRONG_POINT,
            f"{layer} of {name} stands where the derivative should",
            f"d{name} = cotangent * the derivative of the function in forward",
            0.9,
            v * function(z),
        )


@whole
def ratio_of_tensor(measured: MeasuredJacobian) -> Iterator[Prediction]:
    """Another tensor, or the output, multiplies the claim once too often or not at all."""
    name, gradient = measured.observation.name, measured.gradient
    for what, factor in _multipliers(measured):
        yield Prediction(
            Bug.PATH_MISSING,
            f"the factor {what} is missing from the chain rule",
            f"d{name} = d{name} * {what}",
            0.85,
            gradient / factor,
            scaled=True,
        )
        yield Prediction(
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


@whole
def ratio_by_index(measured: MeasuredJacobian) -> Iterator[Prediction]:
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
            yield Prediction(
                Bug.CONSTANT_FACTOR,
                f"every index of axis {axis} of {measured.observation.name} has a factor of its "
                f"own, from {factors.min():.4g} to {factors.max():.4g}",
                f"a scale along axis {axis} is missing, doubled, or that of another index",
                0.85,
                measured.gradient * factors,
                length,
            )
