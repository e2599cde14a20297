"""Right at some entries and wrong at others: what tells them apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.least_squares import other_axes

# A rule that picks the wrong entries is no accident where fewer than one in 45 of all choices
# of as many entries would obey a rule of its kind.
BITS = 5.5

# Fewer entries than this always lie between others.
FEWEST_BETWEEN = 4

# Wrong entries are few up to this share of all.
FEW = 0.34

USE_MASK = "use the mask of the forward in the backward"


def support(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Wrong are only entries where one of analytic and numerical gradient vanishes."""
    wrong, gradient, name = measured.wrong, measured.gradient, measured.name
    none_returned = np.abs(measured.analytic) <= measured.bound * 1e-3
    none_due = np.abs(gradient) <= measured.bound
    if not np.all((none_returned | none_due)[wrong]):
        return
    values = np.where(wrong, measured.analytic, gradient)
    spent = int((wrong & ~none_returned).sum()) or int(wrong.sum())
    if np.all(none_due[wrong]):
        slope = _constant_slope(measured)
        if slope is not None:
            message = (
                f"{spent} entries get {slope:.6g} times the cotangent, where the forward has "
                "slope zero"
            )
            fix = f"d{name} = cotangent * (0 where the forward is flat, not {slope:.6g})"
            sloped = np.where(wrong, slope * measured.cotangents[0], gradient)
            yield Hypothesis(Bug.SLOPE_WRONG, message, fix, 0.3, sloped, 1)
        clip = is_clip(measured.value, wrong)
        limits = ": those beyond the limits at which the forward clips" if clip else ""
        code = Bug.CLIP_IGNORED if clip else Bug.MASK_NOT_APPLIED
        message = f"entries that do not act on the output have a gradient, {spent} of them{limits}"
        fix = f"d{name} = d{name} * mask  # zero where the forward lets nothing through"
        yield Hypothesis(code, message, fix, 0.4, values, spent)
    elif np.all(none_returned[wrong]):
        yield _lost(measured, values, spent)
    else:
        message = "the gradient is let through at other entries than the forward lets through"
        yield Hypothesis(Bug.WRONG_MASK, message, USE_MASK, 0.4, values, spent)


def _lost(measured: MeasuredJacobian, values: Array, spent: int) -> Hypothesis:
    name, (rule, where) = measured.name, _rule(measured) or (None, f"at {spent} entries")
    message = f"the gradient is zero {where}, where it should not be"
    if rule in (None, Bug.FEW_ENTRIES):
        # no mask of the forward goes through a parameter entry by entry
        parameter = measured.observation.evaluator.target.role(name) == "parameter"
        code = Bug.FEW_ENTRIES if rule or parameter else Bug.WRONG_MASK
        return Hypothesis(code, message, USE_MASK, 0.6, values, spent)
    code = Bug.SLOPE_WRONG if rule is Bug.SIGN_DEPENDENT else Bug.WRONG_MASK
    fix = f"d{name} has a slope there too: np.where({name} > 0, cotangent, slope * cotangent)"
    return Hypothesis(code, message, fix, 0.4, values, spent)


def region(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The wrong entries are those on one side of a limit, or at certain indices."""
    rule = _rule(measured) if _partly(measured) else None
    if rule is None:
        return
    (code, where), wrong, gradient = rule, measured.wrong, measured.gradient
    by_sign_alone, spent = code is Bug.SIGN_DEPENDENT, int(wrong.sum())
    ratio = _constant_ratio(measured)
    if ratio is not None and spent >= 2:
        slope = Bug.SLOPE_WRONG if by_sign_alone else code
        size = f"{ratio:.6g}"
        message = f"the gradient is {size} times what it should be {where}, and right elsewhere"
        fix = f"divide d{measured.name} by {size} {where}"
        values = np.where(wrong, ratio * gradient, gradient)
        yield Hypothesis(slope, message, fix, 0.3 if by_sign_alone else 0.9, values, 1)
    message = f"the gradient is wrong {where}, and right elsewhere"
    fix, cost = f"look at what backward does {where}", 0.8 if code is Bug.FEW_ENTRIES else 0.6
    values = np.where(wrong, measured.analytic, gradient)
    yield Hypothesis(code, message, fix, cost, values, spent)


def off_diagonal(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Entries beside the diagonal of a symmetric matrix, twice or half of what they should be.

    Each stands there twice: a derivative by its n(n+1)/2 free numbers has both in one.
    """
    value, gradient, name = measured.value, measured.gradient, measured.name
    if value.ndim != 2 or value.shape[0] != value.shape[1] or not np.array_equal(value, value.T):
        return
    even = np.abs(gradient - gradient.T) <= 2 * measured.bound
    beside = ~np.eye(len(value), dtype=bool)
    if not np.all(even) or not np.array_equal(measured.wrong, beside & measured.known):
        return
    for factor, why, fix in (
        (
            2.0,
            "counted twice: that is the gradient by the free numbers of a symmetric matrix, each "
            "of which stands in it twice",
            f"d{name} = (d{name} + np.diag(np.diag(d{name}))) / 2",
        ),
        (
            0.5,
            "counted half, as if the two places of a free number shared its gradient",
            f"d{name} = 2 * d{name} - np.diag(np.diag(d{name}))",
        ),
    ):
        message = f"the entries of {name} beside its diagonal are {why}"
        values = np.where(beside, factor * gradient, gradient)
        yield Hypothesis(Bug.FACTOR_TWO, message, f"{fix}  # every entry by itself", 0.3, values)


def few_entries(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """A few entries are wrong, the others right."""
    wrong = measured.wrong
    if not _partly(measured) or wrong.sum() > max(1, FEW * measured.known.sum()):
        return
    places = [tuple(place) for place in np.argwhere(wrong).tolist()]
    some = f"{len(places)} of {wrong.size} entries"
    message = f"{some} are wrong, the others right: {named_places(places)}"
    fix = "look at what backward does at these indices: first, last, repeated?"
    values = np.where(wrong, measured.analytic, measured.gradient)
    yield Hypothesis(Bug.FEW_ENTRIES, message, fix, 0.9, values, len(places))


def named_places(places: Sequence[tuple[int, ...]]) -> str:
    """Name the first places where entries are."""
    return ", ".join(map(str, places[:6])) + (", ..." if len(places) > 6 else "")


def _partly(measured: MeasuredJacobian) -> bool:
    return bool(measured.wrong.any() and not measured.wrong[measured.known].all())


def _constant_ratio(measured: MeasuredJacobian) -> float | None:
    """Return analytic / numerical where it is the same at all wrong entries."""
    wrong = measured.wrong
    gradient, analytic = measured.gradient[wrong], measured.analytic[wrong]
    square = float(np.sum(gradient**2))
    ratio = float(np.sum(gradient * analytic)) / square if square else 0.0
    same = square and np.all(np.abs(analytic - ratio * gradient) <= measured.bound[wrong] * 2)
    return ratio if same else None


def _constant_slope(measured: MeasuredJacobian) -> float | None:
    """Return the slope used by a layer acting entry by entry, where it is the same, not one."""
    if not measured.local or measured.wrong.sum() < 2:
        return None
    slopes = measured.analytic[measured.wrong] / measured.cotangents[0][measured.wrong]
    slope = float(np.median(slopes))
    return slope if np.allclose(slopes, slope, rtol=1e-6) and abs(slope - 1) > 1e-6 else None


def _rule(measured: MeasuredJacobian) -> tuple[Bug, str] | None:
    """Say which rule picks out the wrong entries: code and words; None where none does."""
    wrong, known = measured.wrong, measured.known
    chosen, total = int(wrong.sum()), int(known.sum())
    surprise = math.log2(math.comb(total, chosen))
    quantities = [(measured.name, measured.value)]
    if measured.keeps_shape:
        quantities.append(("the output", measured.output))
    for other, value in measured.observation.point.tensors.items():
        if value.shape == measured.shape and other != measured.name:
            quantities.append((f"{measured.name} - {other}", measured.value - value))
            quantities.append((other, value))
    if surprise >= BITS - 1:
        for what, value in quantities:
            if _by_sign(value, wrong):
                side = "negative" if np.all(value[wrong] <= 0) else "positive"
                return Bug.SIGN_DEPENDENT, f"where {what} is {side}"
    if surprise >= BITS:
        for what, value in quantities:
            if _beyond(value, wrong):
                return Bug.REGION_DEPENDENT, f"where {what} is {_limits(value, wrong)}"
    return _by_index(measured, surprise)


def is_clip(value: Array, wrong: Array) -> bool:
    """Whether entries lie beyond limits, as a clip's do, and not on one side of zero."""
    return _beyond(value, wrong) and not _by_sign(value, wrong)


def _by_sign(value: Array, wrong: Array) -> bool:
    """Whether the wrong entries are those of one sign, where there are both."""
    inside, outside = value[wrong], value[~wrong]
    if outside.size == 0 or not value.min() < 0 < value.max():
        return False
    return any(np.all(s * inside <= 0) and np.all(s * outside >= 0) for s in (1, -1))


def _beyond(value: Array, wrong: Array) -> bool:
    """Whether the wrong entries are the largest, the smallest, or those in between."""
    inside, outside = value[wrong], value[~wrong]
    if outside.size == 0:
        return False
    if np.all((inside > outside.max()) | (inside < outside.min())):
        return True
    between = (outside > inside.max()) | (outside < inside.min())
    return inside.size >= FEWEST_BETWEEN and bool(between.all())


def _limits(value: Array, wrong: Array) -> str:
    inside, outside = value[wrong], value[~wrong]
    low, high = outside.min(), outside.max()
    if np.all(inside > high):
        return f"above {high:.4g}"
    if np.all(inside < low):
        return f"below {low:.4g}"
    if np.all((inside > high) | (inside < low)):
        return f"below {low:.4g} or above {high:.4g}"
    return f"from {inside.min():.4g} to {inside.max():.4g}"


def _by_index(measured: MeasuredJacobian, surprise: float) -> tuple[Bug, str] | None:
    """Whether whole slices along an axis are wrong, and all others right."""
    wrong = measured.wrong
    for axis, length in enumerate(wrong.shape):
        others = other_axes(wrong.ndim, axis)
        some, every = wrong.any(axis=others), (wrong | ~measured.known).all(axis=others)
        indices = np.flatnonzero(some)
        if wrong.ndim > 1 and np.array_equal(some, every) and len(indices) < length:
            border = set(indices) <= {0, length - 1}
            few = len(indices) <= max(1, length // 2) and surprise >= BITS
            if border or few:
                return Bug.FEW_ENTRIES, f"at the indices {indices.tolist()} of axis {axis}"
    return None
