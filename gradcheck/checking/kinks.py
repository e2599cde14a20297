"""The verdict on a tensor where the first look does not settle it: kinks, low precision, noise."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.checking.directional_test import DirectionalTest
from gradcheck.checking.evaluator import OUTSIDE
from gradcheck.checking.linearization import NUDGE, CheckContext, Linearization
from gradcheck.checking.measurement import Measurer
from gradcheck.checking.rounding_errors import spread
from gradcheck.checking.signal import AWAY, EMPTY, nothing_to_project, reaction_to_others
from gradcheck.checking.tensor_verdict import TensorVerdict
from gradcheck.report.data import Verdict
from gradcheck.target import TargetError

# A subgradient lies between the gradients on all sides of a kink. They are heard at a few points
# only, and a little beside it: this share of their spread, and of the gradient, is allowed.
BETWEEN = 0.1

MANY_KINKS = (
    "so many kinks meet at it that the gradients around do not show which are possible; "
    "check at another input"
)

# Sides looked at beside the first ones, where a claim seems to be no subgradient.
MORE_SIDES = 8

# Share of the way to a side where claims that are continuous are close to the one at the point.
NEARER = 2.0**-12


def decide(
    context: CheckContext, point: Linearization, name: str, directions: int = 2
) -> TensorVerdict:
    """Judge the gradient of ``name`` at ``point``, and beside it where there is a kink.

    ``directions`` are looked along at least.

    Several kinks at one point defeat one-sided derivatives: along a direction their slopes add up,
    and a valid choice of subgradients need not lie between the sums. Beside the point the function
    is smooth, and there the claim is judged. What is claimed at the point itself must then lie
    between the claims on all sides, as a member of the Clarke subdifferential does (F. H. Clarke,
    "Optimization and Nonsmooth Analysis", 1983, theorem 2.5.1).
    """
    reason = nothing_to_project(point)
    if reason:
        return TensorVerdict(Verdict.UNDECIDED, reason)
    if context.native.target.tensors[name].size == 0:
        return _of_empty(context, point, name)
    judgement = _decide(context, point, name, directions)
    convention = context.native.target.convention
    if judgement.verdict is Verdict.FAIL and convention is not None:
        reason = convention(name, np.asarray(point.claimed[name]))
        if reason:
            return TensorVerdict(Verdict.UNDECIDED, reason)
    return judgement


def _decide(
    context: CheckContext, point: Linearization, name: str, directions: int
) -> TensorVerdict:
    tensors = context.native.target.tensors
    judgement = _judge(context, tensors, point, name).judge(directions)
    if judgement.verdict is Verdict.FAIL and context.widened:
        judgement = _in_own_precision(context, judgement, name)
    at_kink = any(m.derivative.kink is not None for m in judgement.measurements)
    if judgement.verdict is Verdict.PASS and not at_kink:
        return judgement
    try:
        beside = _judge_beside(context, name)
    except OUTSIDE as error:
        beside = TensorVerdict(Verdict.UNDECIDED, f"beside the point the layer raises: {error}")
    if beside.verdict is Verdict.PASS:
        verdict, why = _against_sides(context, point, name)
        if verdict is Verdict.PASS:
            beside.notes = ["judged beside the point, where it is smooth", *judgement.notes]
            return beside
        return TensorVerdict(verdict, f"right beside the point, but {why}", judgement.measurements)
    if judgement.verdict is Verdict.FAIL:
        return judgement
    if beside.verdict is Verdict.FAIL and at_kink:
        beside.reason += ", beside the kink at the point"
        return beside
    judgement.verdict = Verdict.UNDECIDED
    judgement.reason = judgement.reason or beside.reason
    if "; " not in judgement.reason:  # by convention what follows is a way out
        judgement.reason += _way_out(context)
    return judgement


def _judge(
    context: CheckContext, tensors: Tensors, point: Linearization, name: str
) -> DirectionalTest:
    ask = partial(context.claim, tensors, name=name)
    rounding = partial(spread, context, tensors, point.cotangents, name)
    return DirectionalTest(
        Measurer(context.wide, point, name, context.eps, ask, rounding), context.rng
    )


def _of_empty(context: CheckContext, point: Linearization, name: str) -> TensorVerdict:
    """Judge a tensor without entries: right beside others that show something, else unknown."""
    if reaction_to_others(context.wide, point, name, context.rng) > 0:
        return TensorVerdict(Verdict.PASS, notes=["empty: nothing to differentiate"])
    return TensorVerdict(Verdict.UNDECIDED, EMPTY)


def _judge_beside(context: CheckContext, name: str) -> TensorVerdict:
    """Judge at a point a little beside the base, away from its kinks and ties."""
    value = context.native.target.tensors[name]
    tensors = context.random_side(name)
    nearby, fault = comparable(context.point(tensors), name, value)
    return fault or _judge(context, tensors, nearby, name).judge()


def _against_sides(context: CheckContext, point: Linearization, name: str) -> tuple[Verdict, str]:
    """Compare the claim at the point with those around it: the verdict, and why unless PASS."""
    positive = tuple(np.abs(v) for v in context.native_base.cotangents)
    tensors = context.native.target.tensors
    here = context.claim(tensors, positive, name)
    try:
        sides = list(context.sides(name))
        around = [context.claim(moved, positive, name) for moved in sides]
        if _beyond(here, around).any():  # a tie may have been broken otherwise every time
            preferred = np.where(here > np.mean(around, axis=0), 1.0, -1.0)
            sides += [context.side(name, preferred), context.side(name, -preferred)]
            around += [context.claim(moved, positive, name) for moved in sides[-2:]]
        for share in (NEARER, NEARER**3):
            near = [context.claim(_nearer(tensors, m, name, share), positive, name) for m in sides]
            if _is_limit(here, near, around):
                return Verdict.PASS, ""
        wrong = beyond = _beyond(here, around)
        if wrong.any():  # whether they are all the gradients there are, more sides show
            sides += [context.random_side(name) for _ in range(MORE_SIDES)]
            around += [context.claim(moved, positive, name) for moved in sides[-MORE_SIDES:]]
            beyond = _beyond(here, around)
            wrong = beyond & _exhausted(around)
        chosen = _like_here(here, around, [m[name] - tensors[name] for m in sides])
        around.append(context.claim(context.side(name, chosen), positive, name))
    except OUTSIDE:
        return Verdict.PASS, ""
    low, high = np.min(around, axis=0), np.max(around, axis=0)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        return Verdict.FAIL, (
            f"at it {int(wrong.sum())} of {wrong.size} entries are no subgradient: at {index} "
            f"the analytic gradient is {here[index]:.4g}, those around are {low[index]:.4g} to "
            f"{high[index]:.4g}"
        )
    sums = [float(g.sum()) for g in around]
    total, spread = float(here.sum()), max(sums) - min(sums)
    allowed = BETWEEN * spread + _curved(around) * np.sqrt(here.size)
    if not min(sums) - allowed <= total <= max(sums) + allowed:
        return Verdict.FAIL, (
            f"at it the entries add up to {total:.4g}, around it to {min(sums):.4g} to "
            f"{max(sums):.4g}: a tie is counted more than once, or not at all"
        )
    if beyond.any():
        return Verdict.UNDECIDED, MANY_KINKS
    return Verdict.PASS, ""


def _exhausted(around: list[Array]) -> Array:
    """Return the entries whose gradients around the point come again, so that few are unseen.

    At a single kink an entry has two gradients, at k of them up to 2^k. Where all that were seen
    differ, nearly as many are unseen as there are (Good's estimate of the unseen share is the
    share of those seen once), and one outside of them may be a subgradient all the same.
    """
    values = np.sort(np.stack(around), axis=0)
    repeated = np.diff(values, axis=0) <= _curved(around)
    return np.asarray(repeated.sum(axis=0) >= len(around) // 2)


def _like_here(here: Array, around: list[Array], moves: list[Array]) -> Array:
    """Return for every entry the sign of the move after which its claim is closest to that here."""
    closest = np.argmin(np.abs(np.stack(around) - here), axis=0)
    return np.asarray(np.sign(np.take_along_axis(np.stack(moves), closest[None], axis=0)[0]))


def _nearer(base: Tensors, side: Tensors, name: str, share: float) -> Tensors:
    """Return the tensors on the way to a side, a small share of it from the point."""
    origin = base[name]
    with np.errstate(all="ignore"):
        moved = (origin + share * (side[name] - origin)).astype(origin.dtype)
    return {**base, name: moved}


def _is_limit(here: Array, near: list[Array], around: list[Array]) -> bool:
    """Whether the claims tend to the one at the point, where the function then is smooth."""
    far = max(float(np.max(np.abs(claim - here), initial=0.0)) for claim in around)
    close = max(float(np.max(np.abs(claim - here), initial=0.0)) for claim in near)
    return close <= math.sqrt(NEARER) * far


def _beyond(here: Array, around: list[Array]) -> Array:
    """Return which entries lie outside of the claims around, by more than the slack allows."""
    low, high = np.min(around, axis=0), np.max(around, axis=0)
    slack = BETWEEN * (high - low) + _curved(around)
    return np.asarray(~((here >= low - slack) & (here <= high + slack)))


def _curved(around: list[Array]) -> float:
    """Return how far a smooth gradient may bend over so small a move."""
    return BETWEEN * NUDGE * 16 * float(np.sqrt(np.mean(np.square(around))))


def _in_own_precision(context: CheckContext, judgement: TensorVerdict, name: str) -> TensorVerdict:
    """Let the layer as it is contradict a failure seen only in its copy of higher precision."""
    point, fault = comparable(context.native_base, name, context.native.target.tensors[name])
    own = (
        fault
        or DirectionalTest(Measurer(context.native, point, name, context.eps), context.rng).judge()
    )
    if own.verdict is Verdict.PASS and judgement.relative_error > 2 * own.resolution:
        own.notes.append("computed in float64 the layer is another function: judged as it is")
        return own
    return judgement


def _way_out(context: CheckContext) -> str:
    if context.eps > np.finfo(np.float64).eps and not context.widened:
        return "; the forward computes in low precision: rerun with x.astype(np.float64)"
    return f"; {AWAY}"


def comparable(
    point: Linearization, name: str, value: Array
) -> tuple[Linearization, TensorVerdict | None]:
    """Return the point with the claim in the tensor's shape, or the verdict if that cannot be."""
    claim = point.claimed.get(name)
    if claim is None:
        claim = np.zeros(value.shape)
        point = replace(point, unsure={**point.unsure, name: np.zeros(())})
    if claim.dtype.kind not in "fiub":
        raise TargetError(f"the gradient of {name} has dtype {claim.dtype}; expected real numbers")
    if not np.isfinite(claim).all():
        count = int(np.sum(~np.isfinite(claim)))
        verdict = (
            Verdict.FAIL if all(np.isfinite(y).all() for y in point.outputs) else Verdict.UNDECIDED
        )
        return point, TensorVerdict(verdict, f"{count} of {claim.size} entries are not finite")
    if claim.shape == value.shape:
        return replace(point, claimed={**point.claimed, name: claim}), None
    if claim.size == value.size:
        fitted = claim.reshape(value.shape)
    else:
        try:
            fitted = np.broadcast_to(claim, value.shape)
        except ValueError:
            return point, TensorVerdict(
                Verdict.FAIL, f"the gradient has shape {claim.shape}, the tensor {value.shape}"
            )
    unsure = {**point.unsure, name: np.zeros(())}
    return replace(point, claimed={**point.claimed, name: fitted}, unsure=unsure), None
