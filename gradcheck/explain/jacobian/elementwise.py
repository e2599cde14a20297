"""Layers that act on every entry by itself, and the derivative that backward used instead."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.evaluator import OUTSIDE
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.jacobian.regions import is_clip
from gradcheck.explain.least_squares import fit

# Formulas tried for the derivative used: polynomials of up to this degree.
MOST_DEGREE = 3

# Slopes that differ by less are the same; layers of up to so many are piecewise linear, which is
# told from this many entries on.
SAME = 1e-8
MOST_BRANCHES = 3
FEWEST = 6

# Relative step of a central difference, and the error that is allowed for it: h**2.
STEP = 2.0**-14
DIFFERENCE = 1e-6


def local_derivative(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Each entry of the analytic gradient is the cotangent's times something else than f'(x)."""
    if not measured.local:
        return
    x, y, v = measured.value, measured.output, measured.cotangent
    slope, name = np.diag(measured.jacobian).reshape(measured.shape), measured.name
    piecewise = len(_slopes(slope)) <= 2
    dead = np.abs(slope) <= SAME
    code, what = Bug.ACTIVATION_DERIVATIVE_MISSING, f"derivative({name})"
    if piecewise and dead.any():
        code, what = Bug.CLIP_IGNORED if is_clip(x, dead) else Bug.MASK_NOT_APPLIED, "mask"
    message = f"the cotangent is passed on as it is: the factor {what} of the layer is missing"
    yield Hypothesis(code, message, f"d{name} = cotangent * {what}", 0.5, v)
    if piecewise:
        return  # see wrong_branch
    others = [
        ("the derivative applied twice", slope**2, 0.8),
        ("the square root of the derivative", np.sqrt(np.maximum(slope, 0)), 1.0),
        ("the layer's value instead of its derivative", y, 0.8),
        ("the input instead of the derivative", x, 0.8),
        ("one over the derivative", 1 / slope, 0.9),
    ]
    for how, at in _points(x, y):
        others.append((f"the derivative at {how}", _derivative(measured, at), 0.7))
    fix = f"d{name} = cotangent * derivative at {name}, as it came into the forward"
    for what, used, cost in others:
        message, blur = f"what multiplies the cotangent is {what}", np.abs(v * used) * DIFFERENCE
        yield Hypothesis(Bug.DERIVATIVE_AT_WRONG_POINT, message, fix, cost, v * used, blur=blur)


def wrong_branch(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """A piecewise linear layer, with its slopes at other entries than in the forward."""
    if not measured.local or measured.analytic.size < FEWEST:
        return
    slopes = _slopes(np.diag(measured.jacobian))
    if not 2 <= len(slopes) <= MOST_BRANCHES:
        return
    choices = measured.cotangent[..., None] * np.array(slopes)
    nearest = np.abs(choices - measured.analytic[..., None]).argmin(axis=-1)
    values = np.take_along_axis(choices, nearest[..., None], axis=-1)[..., 0]
    listed = ", ".join(f"{slope:.4g}" for slope in slopes)
    message = f"the slopes {listed} of the forward are used, but at other entries"
    fix = "use the mask of the forward in the backward"
    yield Hypothesis(Bug.WRONG_MASK, message, fix, 0.66, values)


def _slopes(slope: Array) -> list[float]:
    """Return the different slopes."""
    return sorted({float(value) for value in np.round(slope.reshape(-1), 8) + 0.0})


def _points(x: Array, y: Array) -> Iterator[tuple[str, Array]]:
    yield "the output", y
    yield "minus the input", -x
    yield "the absolute input", np.abs(x)
    yield "the square of the input", x**2
    yield "twice the input", 2 * x
    yield "half the input", x / 2
    for axis in range(x.ndim):
        yield f"the input's mean along axis {axis}", x - x + x.mean(axis=axis, keepdims=True)


def _derivative(measured: MeasuredJacobian, at: Array) -> Array:
    """Return f' at other points, of a function that acts on every entry by itself."""
    evaluator, tensors = measured.observation.evaluator, measured.observation.point.tensors
    step = STEP * np.exp2(np.round(np.log2(np.maximum(np.abs(at), 1e-3))))
    try:
        above, below = (
            evaluator.run({**tensors, measured.name: moved}).outputs[0]
            for moved in (at + step, at - step)
        )
    except OUTSIDE:
        return np.full(at.shape, np.nan)
    return np.asarray((above - below) / (2 * step))


def formula_of_the_derivative(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """What multiplies the cotangent is a polynomial in the input or output: a wrong formula."""
    if not measured.local or len(_slopes(np.diag(measured.jacobian))) <= 2:
        return
    v = measured.cotangent
    for symbol, what, at in (("y", "output", measured.output), ("x", "input", measured.value)):
        for degree in range(MOST_DEGREE + 1):
            powers = [v * at**power for power in range(degree + 1)]
            if found := fit(measured.analytic, powers, measured.known):
                formula, cost = _formula(found[1], symbol), 0.75 + 0.05 * degree
                message = f"the derivative that is used is {formula}, with {symbol} the {what}"
                fix = f"d{measured.name} = cotangent * derivative, which is not {formula}"
                code = Bug.DERIVATIVE_AT_WRONG_POINT
                yield Hypothesis(code, message, fix, cost, found[0], degree + 1)


def _formula(coefficients: Array, symbol: str) -> str:
    powers = ["", f" {symbol}", *(f" {symbol}**{n}" for n in range(2, MOST_DEGREE + 1))]
    size = float(np.abs(coefficients).max())
    terms = [
        f"{c:.4g}{power}"
        for c, power in zip(coefficients, powers, strict=False)
        if abs(c) > 1e-6 * size
    ]
    return " + ".join(terms).replace("+ -", "- ")


def ratio_by_formula(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Analytic over numerical, or its inverse, is a polynomial in the entry of the input."""
    gradient, analytic = measured.gradient, measured.analytic
    quantities = [("the tensor's entry", measured.value)]
    if measured.keeps_shape:
        quantities.append(("the output", measured.output))
    for what, at in quantities:
        for degree in (1, 2):
            powers = [at**power for power in range(degree + 1)]
            if found := fit(analytic, [gradient * power for power in powers], measured.known):
                yield _smooth(measured, what, found[0], degree)
            if found := fit(gradient, [analytic * power for power in powers], measured.known):
                ratio = analytic / found[0]
                values = np.where(np.isfinite(ratio), gradient * ratio, 0)
                yield _smooth(measured, what, values, degree)


def _smooth(measured: MeasuredJacobian, what: str, values: Array, degree: int) -> Hypothesis:
    message = (
        f"analytic over numerical is a smooth function of {what}: a factor of the derivative is "
        "missing or taken at another point"
    )
    fix = f"derive d{measured.name} anew: a factor that depends on {what} is wrong"
    code, cost = Bug.DERIVATIVE_AT_WRONG_POINT, 1.0 + 0.05 * degree
    return Hypothesis(code, message, fix, cost, values, degree + 1)


def other_function_of_the_entry(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """What is returned follows the entries when they change places: a function of each, but wrong.

    Asked at the tensor and cotangent reversed, the layer returns the gradient reversed.
    """
    if not measured.local or measured.analytic.size < FEWEST:
        return

    def reverse(array: Array) -> Array:
        return np.ascontiguousarray(array.reshape(-1)[::-1].reshape(array.shape))

    name, cotangent = measured.name, reverse(np.asarray(measured.cotangents[0]))
    reversed_ = measured.observation.ask((cotangent,), {name: reverse(measured.value)})
    if reversed_ is None:
        return
    message = (
        "the derivative that is used depends on nothing but the entry itself, but is not that of "
        "the forward: it is taken at another point, or by a wrong formula"
    )
    fix, values = f"derive the function in forward anew, at {name}", reverse(reversed_)
    yield Hypothesis(Bug.DERIVATIVE_AT_WRONG_POINT, message, fix, 1.2, values, sure=0.6)
