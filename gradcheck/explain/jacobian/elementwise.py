"""Layers that act on every entry by itself, and the derivative that the claim used instead."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.evaluator import OUTSIDE
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.jacobian.regions import beyond, by_sign
from gradcheck.explain.least_squares import fit

# Formulas tried for the derivative claimed: polynomials of up to this degree.
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
    """Each entry of the claim is the cotangent's times something else than f'(x)."""
    if not measured.local:
        return
    x, y = measured.value, measured.output
    v = measured.cotangent
    slope = np.diag(measured.jacobian).reshape(measured.shape)
    name = measured.name
    dead = np.abs(slope) <= SAME
    code, what = Bug.ACTIVATION_DERIVATIVE_MISSING, f"derivative({name})"
    if len(_slopes(slope)) <= 2 and dead.any():
        clipped = beyond(measured.value, dead) and not by_sign(measured.value, dead)
        code, what = Bug.CLIP_IGNORED if clipped else Bug.MASK_NOT_APPLIED, "mask"
    yield Hypothesis(
        code,
        f"the cotangent is passed on as it is: the factor {what} of the layer is missing",
        f"d{name} = cotangent * {what}",
        0.5,
        v,
    )
    if len(_slopes(slope)) <= 2:
        return  # a piecewise linear layer: see wrong_branch
    others = [
        ("the derivative applied twice", slope**2, 0.8),
        ("the square root of the derivative", np.sqrt(np.maximum(slope, 0)), 1.0),
        ("the layer's value instead of its derivative", y, 0.8),
        ("the input instead of the derivative", x, 0.8),
        ("one over the derivative", _inverse(slope), 0.9),
    ]
    for how, at in _points(x, y):
        others.append((f"the derivative at {how}", _derivative(measured, at), 0.7))
    for what, used, cost in others:
        yield Hypothesis(
            Bug.DERIVATIVE_AT_WRONG_POINT,
            f"what multiplies the cotangent is {what}",
            f"d{name} = cotangent * derivative at {name}, as it came into the forward",
            cost,
            v * used,
            blur=np.abs(v * used) * DIFFERENCE,
        )


def wrong_branch(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """A piecewise linear layer, with its slopes at other entries than in the forward."""
    if not measured.local or measured.claim.size < FEWEST:
        return
    v = measured.cotangent
    slopes = _slopes(np.diag(measured.jacobian))
    if not 2 <= len(slopes) <= MOST_BRANCHES:
        return
    choices = v[..., None] * np.array(slopes)
    nearest = np.abs(choices - measured.claim[..., None]).argmin(axis=-1)
    yield Hypothesis(
        Bug.WRONG_MASK,
        f"the slopes {', '.join(f'{slope:.4g}' for slope in slopes)} of the forward are used, but "
        "at other entries",
        "use the mask of the forward in the backward",
        0.66,
        np.take_along_axis(choices, nearest[..., None], axis=-1)[..., 0],
    )


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
    observation = measured.observation
    step = STEP * np.exp2(np.round(np.log2(np.maximum(np.abs(at), 1e-3))))
    try:
        above, below = (
            observation.evaluator.run(
                observation.evaluator.with_tensor(
                    observation.name, moved, observation.point.tensors
                )
            ).outputs[0]
            for moved in (at + step, at - step)
        )
    except OUTSIDE:
        return np.full(at.shape, np.nan)
    with np.errstate(all="ignore"):
        return np.asarray((above - below) / (2 * step))


def _inverse(array: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(1 / array)


def formula_of_the_derivative(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """What multiplies the cotangent is a polynomial in the input or output: a wrong formula."""
    if not measured.local or len(_slopes(np.diag(measured.jacobian))) <= 2:
        return
    v = measured.cotangent
    for symbol, at in (("y", measured.output), ("x", measured.value)):
        for degree in range(MOST_DEGREE + 1):
            powers = [at**power for power in range(degree + 1)]
            found = fit(measured.claim, [v * power for power in powers], measured.known)
            if found is None:
                continue
            formula = _formula(found[1], symbol)
            yield Hypothesis(
                Bug.DERIVATIVE_AT_WRONG_POINT,
                f"the derivative that is used is {formula}, with {symbol} the "
                f"{'output' if symbol == 'y' else 'input'}",
                f"d{measured.name} = cotangent * derivative, which is not {formula}",
                0.75 + 0.05 * degree,
                found[0],
                degree + 1,
            )


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
    """Claim over gradient, or its inverse, is a polynomial in the entry of the input."""
    gradient, claim = measured.gradient, measured.claim
    quantities = [("the tensor's entry", measured.value)]
    if measured.keeps_shape:
        quantities.append(("the output", measured.output))
    for what, at in quantities:
        for degree in (1, 2):
            powers = [at**power for power in range(degree + 1)]
            found = fit(claim, [gradient * power for power in powers], measured.known)
            if found is not None:
                yield _smooth(measured, what, found[0], degree)
            found = fit(gradient, [claim * power for power in powers], measured.known)
            if found is None:
                continue
            with np.errstate(all="ignore"):
                ratio = claim / found[0]
            values = np.where(np.isfinite(ratio), gradient * ratio, 0)
            yield _smooth(measured, what, values, degree)


def _smooth(measured: MeasuredJacobian, what: str, values: Array, degree: int) -> Hypothesis:
    return Hypothesis(
        Bug.DERIVATIVE_AT_WRONG_POINT,
        f"claimed over right is a smooth function of {what}: a factor of the derivative is "
        "missing or taken at another point",
        f"derive d{measured.name} anew: a factor that depends on {what} is wrong",
        1.0 + 0.05 * degree,
        values,
        degree + 1,
    )


def other_function_of_the_entry(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The claim follows the entries when they change places: a function of each, but a wrong one.

    Asked at the tensor and cotangent reversed, the layer claims the gradient reversed.
    """
    if not measured.local or measured.claim.size < FEWEST:
        return
    name = measured.name

    def reverse(array: Array) -> Array:
        return np.ascontiguousarray(array.reshape(-1)[::-1].reshape(array.shape))

    cotangent = reverse(np.asarray(measured.cotangents[0]))
    claim = measured.observation.ask((cotangent,), {name: reverse(measured.value)})
    if claim is None:
        return
    yield Hypothesis(
        Bug.DERIVATIVE_AT_WRONG_POINT,
        "the derivative that is used depends on nothing but the entry itself, but is not that of "
        "the forward: it is taken at another point, or by a wrong formula",
        f"derive the function in forward anew, at {name}",
        1.2,
        reverse(claim),
        sure=0.6,
    )
