"""Right at some entries and wrong at others: what tells them apart."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian

# A rule that picks the wrong entries is no accident where fewer than one in 45 of all choices
# of as many entries would obey a rule of its kind.
BITS = 5.5

# Fewer entries than this always lie between others.
FEWEST_BETWEEN = 4

# Wrong entries are few up to this share of all.
FEW = 0.34


def support(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """Wrong are only entries where one of claim and gradient vanishes."""
    wrong, gradient = measured.wrong, measured.gradient
    no_claim = np.abs(measured.claim) <= measured.bound * 1e-3
    no_gradient = np.abs(gradient) <= measured.bound
    if not np.all((no_claim | no_gradient)[wrong]):
        return
    values = np.where(wrong, measured.claim, gradient)
    name = measured.name
    spent = int((wrong & ~no_claim).sum()) or int(wrong.sum())
    if np.all(no_gradient[wrong]):
        slope = _constant_slope(measured)
        if slope is not None:
            yield Hypothesis(
                Bug.SLOPE_WRONG,
                f"{spent} entries get {slope:.6g} times the cotangent, where the forward has "
                "slope zero",
                f"d{name} = cotangent * (0 where the forward is flat, not {slope:.6g})",
                0.3,
                np.where(wrong, slope * measured.cotangents[0], gradient),
                1,
            )
        clipped = beyond(measured.value, wrong) and not by_sign(measured.value, wrong)
        yield Hypothesis(
            Bug.CLIP_IGNORED if clipped else Bug.MASK_NOT_APPLIED,
            f"{spent} entries are claimed that do not act on the output at all"
            + (": those beyond the limits at which the forward clips" if clipped else ""),
            f"d{name} = d{name} * mask  # zero where the forward lets nothing through",
            0.4,
            values,
            spent,
        )
        return
    if np.all(no_claim[wrong]):
        yield from _lost(measured, values, spent)
        return
    yield Hypothesis(
        Bug.WRONG_MASK,
        "the gradient is let through at other entries than the forward lets through",
        "use the mask of the forward in the backward",
        0.4,
        values,
        spent,
    )


def _is_parameter(measured: MeasuredJacobian) -> bool:
    """Whether the tensor is one that no mask of the forward goes through entry by entry."""
    return measured.observation.evaluator.target.role(measured.name) == "parameter"


def _lost(measured: MeasuredJacobian, values: Array, spent: int) -> Iterator[Hypothesis]:
    name, rule = measured.name, _rule(measured)
    if rule is None or rule[0] == Bug.FEW_ENTRIES:
        where = rule[1] if rule else f"at {spent} entries"
        yield Hypothesis(
            Bug.FEW_ENTRIES if rule or _is_parameter(measured) else Bug.WRONG_MASK,
            f"the gradient is zero {where}, where it should not be",
            "use the mask of the forward in the backward",
            0.6,
            values,
            spent,
        )
        return
    code = Bug.SLOPE_WRONG if rule[0] == Bug.SIGN_DEPENDENT else Bug.WRONG_MASK
    yield Hypothesis(
        code,
        f"the gradient is zero {rule[1]}, where it should not be",
        f"d{name} has a slope there too: np.where({name} > 0, cotangent, slope * cotangent)",
        0.4,
        values,
        spent,
    )


def region(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """The wrong entries are those on one side of a limit, or at certain indices."""
    if not _partly(measured):
        return
    wrong, gradient = measured.wrong, measured.gradient
    rule = _rule(measured)
    if rule is None:
        return
    code, where = rule
    name = measured.name
    spent = int(wrong.sum())
    ratio = _constant_ratio(measured)
    if ratio is not None and spent >= 2:
        yield Hypothesis(
            Bug.SLOPE_WRONG if code == Bug.SIGN_DEPENDENT else code,
            f"the gradient is {ratio:.6g} times what it should be {where}, and right elsewhere",
            f"divide d{name} by {ratio:.6g} {where}",
            0.3 if code == Bug.SIGN_DEPENDENT else 0.9,
            np.where(wrong, ratio * gradient, gradient),
            1,
        )
    yield Hypothesis(
        code,
        f"the gradient is wrong {where}, and right elsewhere",
        f"look at what backward does {where}",
        0.6 if code != Bug.FEW_ENTRIES else 0.8,
        np.where(wrong, measured.claim, gradient),
        spent,
    )


def few_entries(measured: MeasuredJacobian) -> Iterator[Hypothesis]:
    """A few entries are wrong, the others right."""
    wrong = measured.wrong
    if not _partly(measured) or wrong.sum() > max(1, FEW * measured.known.sum()):
        return
    places = [tuple(int(i) for i in place) for place in np.argwhere(wrong)]
    listed = ", ".join(map(str, places[:6])) + (", ..." if len(places) > 6 else "")
    yield Hypothesis(
        Bug.FEW_ENTRIES,
        f"{len(places)} of {wrong.size} entries are wrong, the others right: {listed}",
        "look at what backward does at these indices: first, last, repeated?",
        0.9,
        np.where(wrong, measured.claim, measured.gradient),
        len(places),
    )


def _partly(measured: MeasuredJacobian) -> bool:
    return bool(measured.wrong.any() and not measured.wrong[measured.known].all())


def _constant_ratio(measured: MeasuredJacobian) -> float | None:
    """Return claim / gradient where it is the same at all wrong entries."""
    wrong = measured.wrong
    gradient, claim = measured.gradient[wrong], measured.claim[wrong]
    square = float(np.sum(gradient**2))
    if square == 0:
        return None
    ratio = float(np.sum(gradient * claim)) / square
    return ratio if np.all(np.abs(claim - ratio * gradient) <= measured.bound[wrong] * 2) else None


def _constant_slope(measured: MeasuredJacobian) -> float | None:
    """Return claim / cotangent of a layer acting entry by entry, where it is the same, not one."""
    if not measured.local or measured.wrong.sum() < 2:
        return None
    slopes = measured.claim[measured.wrong] / measured.cotangents[0][measured.wrong]
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
            if by_sign(value, wrong):
                side = "negative" if np.all(value[wrong] <= 0) else "positive"
                return Bug.SIGN_DEPENDENT, f"where {what} is {side}"
    if surprise >= BITS:
        for what, value in quantities:
            if beyond(value, wrong):
                return Bug.REGION_DEPENDENT, f"where {what} is {_limits(value, wrong)}"
    return _by_index(measured, surprise)


def by_sign(value: Array, wrong: Array) -> bool:
    """Return whether the wrong entries are those of one sign, where there are both."""
    inside, outside = value[wrong], value[~wrong]
    if outside.size == 0 or not value.min() < 0 < value.max():
        return False
    return bool(
        (np.all(inside <= 0) and np.all(outside >= 0))
        or (np.all(inside >= 0) and np.all(outside <= 0))
    )


def beyond(value: Array, wrong: Array) -> bool:
    """Return whether the wrong entries are the largest, the smallest, or those in between."""
    inside, outside = value[wrong], value[~wrong]
    if outside.size == 0:
        return False
    return bool(
        np.all((inside > outside.max()) | (inside < outside.min()))
        or (
            inside.size >= FEWEST_BETWEEN
            and np.all((outside > inside.max()) | (outside < inside.min()))
        )
    )


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
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        some, every = wrong.any(axis=others), (wrong | ~measured.known).all(axis=others)
        indices = np.flatnonzero(some)
        if wrong.ndim > 1 and np.array_equal(some, every) and len(indices) < length:
            border = set(indices) <= {0, length - 1}
            few = len(indices) <= max(1, length // 2) and surprise >= BITS
            if border or few:
                return Bug.FEW_ENTRIES, f"at the indices {indices.tolist()} of axis {axis}"
    return None
