"""Claims of single outputs that are right but for a factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.jacobian.ratios import COMMON

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


def output_factor(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """What is claimed for an output is a multiple of the right row of the Jacobian."""
    factors = _factors(measured)
    if factors is None:
        return
    v = measured.cotangent
    values = measured.along(np.nan_to_num(factors) * v)
    dead = np.isnan(factors)
    if measured.claims is not None:
        values = values + ((v * dead).reshape(-1) @ measured.claims).reshape(measured.shape)
    alive = factors[~dead]
    if np.all(np.abs(alive - 1) <= 1e-6):
        if dead.any():
            yield Hypothesis(
                Bug.MASK_NOT_APPLIED,
                "outputs that the forward cuts off pass a gradient back all the same",
                "multiply by the mask of the forward before anything else",
                0.7,
                values,
            )
        return
    yield from _kept_or_lost(measured, factors, values)
    yield from _by_output(measured, factors, values)


def _factors(measured: MeasuredJacobian) -> Array | None:
    """Return claimed over right for every output; NaN where the right row vanishes."""
    claims = measured.claims
    if claims is None or not measured.single or measured.local or measured.output.size < 2:
        return None
    right, bound = measured.jacobian, measured.claims_bound
    acts = np.abs(right) > MARGIN * measured.error
    if acts.any() and np.median(acts.sum(axis=1)[acts.any(axis=1)]) < 2:
        return None  # a multiple of one number proves nothing
    square = np.sum(np.where(acts, right, 0) ** 2, axis=1)
    with np.errstate(all="ignore"):
        factors = np.sum(np.where(acts, right, 0) * claims, axis=1) / square
    alive = square > 0
    gap = np.abs(claims - factors[:, None] * right)
    if not np.all(gap[alive] <= (bound * np.maximum(1, np.abs(factors))[:, None])[alive]):
        return None
    idle = ~alive & (np.abs(claims) <= bound).all(axis=1)
    factors = np.where(idle, 1.0, factors)
    return np.asarray(np.where(alive | idle, factors, np.nan)).reshape(measured.output.shape)


def _kept_or_lost(
    measured: MeasuredJacobian, factors: Array, values: Array
) -> Iterator[Hypothesis]:
    """Outputs whose claim is right, and others that have none."""
    lost = np.abs(factors) <= 1e-9
    if not np.all(lost | (np.abs(factors - 1) <= 1e-6)):
        return
    name = measured.name
    for axis in range(factors.ndim):
        others = tuple(i for i in range(factors.ndim) if i != axis)
        if np.array_equal(lost.any(axis=others), lost.all(axis=others)):
            which = np.flatnonzero(lost.any(axis=others)).tolist()
            one_left = len(which) == factors.shape[axis] - 1 and axis == 0
            yield Hypothesis(
                Bug.LAST_SAMPLE_ONLY if one_left else Bug.PATH_MISSING,
                f"what the outputs at the indices {which} of axis {axis} contribute is missing",
                f"d{name} += ...  # for every index of axis {axis}",
                0.8,
                values,
            )
            return
    yield Hypothesis(
        Bug.WRONG_MASK,
        f"{int(lost.sum())} of {lost.size} outputs pass no gradient back, though they should",
        "use the mask of the forward in the backward",
        0.9,
        values,
    )


def _by_output(measured: MeasuredJacobian, factors: Array, values: Array) -> Iterator[Hypothesis]:
    y = measured.output
    alive = np.isfinite(factors)
    with np.errstate(all="ignore"):
        for layer, function in COMMON.items():
            if function.from_output is None:
                continue
            right = np.asarray(function.from_output(y))
            for how, mistaken in MISTAKES.items():
                ratio = mistaken(y, right) / right
                if np.isfinite(ratio[alive]).all() and np.allclose(
                    factors[alive], ratio[alive], rtol=1e-6
                ):
                    yield Hypothesis(
                        Bug.ACTIVATION_DERIVATIVE_MISSING
                        if how == "missing"
                        else Bug.DERIVATIVE_AT_WRONG_POINT,
                        f"the factor of every output is that of a {layer} whose derivative is "
                        f"{how}",
                        f"delta = cotangent * {layer}'(z), with z what went into the {layer}",
                        0.7,
                        values,
                    )
    wrong = alive & (np.abs(factors - 1) > 1e-6)
    for side, members in (("negative", y < 0), ("positive", y > 0)):
        if wrong.any() and np.array_equal(wrong, members & alive):
            constant = np.ptp(factors[wrong]) <= 1e-6 * np.abs(factors[wrong]).max()
            yield Hypothesis(
                Bug.SLOPE_WRONG if constant else Bug.SIGN_DEPENDENT,
                f"what comes back from {side} outputs is wrong"
                + (f": {factors[wrong][0]:.6g} times what it should be" if constant else ""),
                "use the slope of the forward's branch",
                0.8,
                values,
            )
    if alive.all() and (by_index := _by_index(measured, factors, values)) is not None:
        yield by_index
        return
    if np.ptp(factors[alive]) > 1e-6:
        yield Hypothesis(
            Bug.DERIVATIVE_AT_WRONG_POINT,
            "each output's gradient is off by a factor of its own, between "
            f"{factors[alive].min():.4g} and {factors[alive].max():.4g}: the derivative between "
            "the output and the rest of the layer is wrong",
            "take the derivative at what went into the layer's last function",
            1.15,
            values,
        )


def _by_index(measured: MeasuredJacobian, factors: Array, values: Array) -> Hypothesis | None:
    """Whether the factor is the same for all outputs at an index of one axis."""
    for axis in range(factors.ndim):
        others = tuple(i for i in range(factors.ndim) if i != axis)
        if not others or not np.all(np.ptp(factors, axis=others) <= 1e-6):
            continue
        row = factors.mean(axis=others)
        for other, value in measured.observation.point.tensors.items():
            for how, numbers in (("is missing", 1 / value), ("is counted twice", value)):
                if value.shape == row.shape and np.allclose(row, numbers, rtol=1e-6):
                    return Hypothesis(
                        Bug.PATH_MISSING if how == "is missing" else Bug.CONSTANT_FACTOR,
                        f"the factor {other} {how} in the gradient of {measured.name}",
                        f"delta = cotangent * {other}  # once",
                        0.7,
                        values,
                    )
        if (few := _at_few_indices(row, axis, values)) is not None:
            return few
        return Hypothesis(
            Bug.CONSTANT_FACTOR,
            f"what comes back from each index of axis {axis} of the output has a factor of its "
            f"own, from {row.min():.4g} to {row.max():.4g}",
            f"a scale along axis {axis} is missing, doubled, or that of another index",
            1.0,
            values,
        )
    return None


def _at_few_indices(row: Array, axis: int, values: Array) -> Hypothesis | None:
    """Whether most indices are right, so that those which are not say where to look."""
    wrong = np.flatnonzero(np.abs(row - 1) > 1e-6)
    if not 0 < 2 * len(wrong) <= len(row):
        return None
    sizes = ", ".join(f"{row[i]:.4g}" for i in wrong[:4])
    return Hypothesis(
        Bug.REGION_DEPENDENT,
        f"what comes back from the indices {wrong.tolist()} of axis {axis} of the output is "
        f"{sizes} times what it should be, and right from the others",
        "look at what the backward does at these indices: the border, a mask, a count",
        0.95,
        values,
    )
