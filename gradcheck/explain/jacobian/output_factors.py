"""Gradients of single outputs that are right but for a factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.jacobian.ratios import COMMON
from gradcheck.explain.least_squares import other_axes

# What may stand for the derivative d of an activation by mistake, given its output y.
MISTAKES: dict[str, Callable[[Array, Array], Array]] = {
    "missing": lambda y, d: np.ones_like(y),
    "replaced by its derivative twice": lambda y, d: d**2,
    "replaced by 1 - tanh(y)**2 at the output y": lambda y, d: 1 - np.tanh(y) ** 2,
    "replaced by the sigmoid's derivative at the output": lambda y, d: (
        np.exp(-y) / (1 + np.exp(-y)) ** 2
    ),
    "replaced by 1 - y": lambda y, d: 1 - y,
    "replaced by the output itself": lambda y, d: y,
    "replaced by the output's square": lambda y, d: y**2,
}

# Factors this near to each other are the same.
SAME = 1e-6


def output_factor(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """What is returned for an output is a multiple of the right row of the Jacobian."""
    factors = _factors(measured)
    if factors is None:
        return
    v, dead = measured.cotangent, np.isnan(factors)
    values = measured.along(np.nan_to_num(factors) * v)
    if measured.analytic_jacobian is not None:
        idle = (v * dead).reshape(-1) @ measured.analytic_jacobian
        values = values + idle.reshape(measured.shape)
    if not np.all(np.abs(factors[~dead] - 1) <= SAME):
        yield from _kept_or_lost(measured, factors, values)
        yield from _by_output(measured, factors, values)
    elif dead.any():
        message = "outputs that the forward cuts off pass a gradient back all the same"
        fix = "multiply by the mask of the forward before anything else"
        yield Hypothesis(Bug.MASK_NOT_APPLIED, message, fix, 0.7, values)


def _factors(measured: MeasuredJacobian) -> Array | None:
    """Return analytic over right for every output; NaN where the right row vanishes."""
    analytic = measured.analytic_jacobian
    if analytic is None or not measured.single or measured.local or measured.output.size < 2:
        return None
    right, bound = measured.jacobian, measured.jacobian_bound
    acts = np.abs(right) > MARGIN * measured.error
    if acts.any() and np.median(acts.sum(axis=1)[acts.any(axis=1)]) < 2:
        return None  # a multiple of one number proves nothing
    seen = np.where(acts, right, 0)
    square = np.sum(seen**2, axis=1)
    factors = np.sum(seen * analytic, axis=1) / square
    alive = square > 0
    gap = np.abs(analytic - factors[:, None] * right)
    if not np.all(gap[alive] <= (bound * np.maximum(1, np.abs(factors))[:, None])[alive]):
        return None
    idle = ~alive & (np.abs(analytic) <= bound).all(axis=1)
    return np.where(idle, 1.0, np.where(alive, factors, np.nan)).reshape(measured.output.shape)


def _kept_or_lost(
    measured: MeasuredJacobian, factors: Array, values: Array
) -> Iterator[Hypothesis]:
    """Outputs whose gradient is right, and others that have none."""
    lost = np.abs(factors) <= 1e-9
    if not np.all(lost | (np.abs(factors - 1) <= SAME)):
        return
    for axis in range(factors.ndim):
        others = other_axes(factors.ndim, axis)
        if np.array_equal(lost.any(axis=others), lost.all(axis=others)):
            which = np.flatnonzero(lost.any(axis=others)).tolist()
            one_left = len(which) == factors.shape[axis] - 1 and axis == 0
            code = Bug.LAST_SAMPLE_ONLY if one_left else Bug.PATH_MISSING
            message = (
                f"what the outputs at the indices {which} of axis {axis} contribute is missing"
            )
            fix = f"d{measured.name} += ...  # for every index of axis {axis}"
            yield Hypothesis(code, message, fix, 0.8, values)
            return
    message = f"{lost.sum()} of {lost.size} outputs pass no gradient back, though they should"
    fix = "use the mask of the forward in the backward"
    yield Hypothesis(Bug.WRONG_MASK, message, fix, 0.9, values)


def _by_output(measured: MeasuredJacobian, factors: Array, values: Array) -> Iterator[Hypothesis]:
    y, alive = measured.output, np.isfinite(factors)
    for layer, function in COMMON.items():
        if function.from_output is None:
            continue
        right = np.asarray(function.from_output(y))
        for how, mistaken in MISTAKES.items():
            ratio = mistaken(y, right) / right
            if np.isfinite(ratio[alive]).all() and np.allclose(
                factors[alive], ratio[alive], rtol=SAME
            ):
                code = Bug.DERIVATIVE_AT_WRONG_POINT
                if how == "missing":
                    code = Bug.ACTIVATION_DERIVATIVE_MISSING
                factor = f"the factor of every output is that of a {layer}"
                message = f"{factor} whose derivative is {how}"
                fix = f"delta = cotangent * {layer}'(z), with z what went into the {layer}"
                yield Hypothesis(code, message, fix, 0.7, values)
    wrong = alive & (np.abs(factors - 1) > SAME)
    for side, members in (("negative", y < 0), ("positive", y > 0)):
        if wrong.any() and np.array_equal(wrong, members & alive):
            constant = np.ptp(factors[wrong]) <= SAME * np.abs(factors[wrong]).max()
            code = Bug.SLOPE_WRONG if constant else Bug.SIGN_DEPENDENT
            size = f": {factors[wrong][0]:.6g} times what it should be" if constant else ""
            message = f"what comes back from {side} outputs is wrong{size}"
            yield Hypothesis(code, message, "use the slope of the forward's branch", 0.8, values)
    if alive.all() and (by_index := _by_index(measured, factors, values)) is not None:
        yield by_index
    elif np.ptp(factors[alive]) > SAME:
        message = (
            "each output's gradient is off by a factor of its own, between "
            f"{factors[alive].min():.4g} and {factors[alive].max():.4g}: the derivative between "
            "the output and the rest of the layer is wrong"
        )
        fix = "take the derivative at what went into the layer's last function"
        yield Hypothesis(Bug.DERIVATIVE_AT_WRONG_POINT, message, fix, 1.15, values)


def _by_index(measured: MeasuredJacobian, factors: Array, values: Array) -> Hypothesis | None:
    """Whether the factor is the same for all outputs at an index of one axis."""
    for axis in range(factors.ndim):
        others = other_axes(factors.ndim, axis)
        if not others or not np.all(np.ptp(factors, axis=others) <= SAME):
            continue
        row = factors.mean(axis=others)
        for other, value in measured.observation.point.tensors.items():
            for how, code, numbers in (
                ("is missing", Bug.PATH_MISSING, 1 / value),
                ("is counted twice", Bug.CONSTANT_FACTOR, value),
            ):
                if value.shape == row.shape and np.allclose(row, numbers, rtol=SAME):
                    message = f"the factor {other} {how} in the gradient of {measured.name}"
                    fix = f"delta = cotangent * {other}  # once"
                    return Hypothesis(code, message, fix, 0.7, values)
        wrong = np.flatnonzero(np.abs(row - 1) > SAME)
        if 0 < 2 * len(wrong) <= len(row):  # those that are wrong say where to look
            sizes = ", ".join(f"{row[i]:.4g}" for i in wrong[:4])
            message = (
                f"what comes back from the indices {wrong.tolist()} of axis {axis} of the output "
                f"is {sizes} times what it should be, and right from the others"
            )
            fix = "look at what the backward does at these indices: the border, a mask, a count"
            return Hypothesis(Bug.REGION_DEPENDENT, message, fix, 0.95, values)
        message = (
            f"what comes back from each index of axis {axis} of the output has a factor of its "
            f"own, from {row.min():.4g} to {row.max():.4g}"
        )
        fix = f"a scale along axis {axis} is missing, doubled, or that of another index"
        return Hypothesis(Bug.CONSTANT_FACTOR, message, fix, 1.0, values)
    return None
