"""Decides PASS, FAIL or UNDECIDED for a tensor: at the point, beside its kinks, amid noise."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

import numpy as np

from gradcheck._types import Tensors
from gradcheck.checking.context import CheckContext
from gradcheck.checking.directional_test import DirectionalTest
from gradcheck.checking.evaluator import OUTSIDE, Linearization
from gradcheck.checking.joint_test import measured_together
from gradcheck.checking.measurer import Measurer
from gradcheck.checking.rounding_errors import spread
from gradcheck.checking.signal import AWAY, EMPTY, nothing_to_project, reaction_to_others
from gradcheck.checking.subgradients import against_sides, diverges
from gradcheck.checking.tensor_verdict import TensorVerdict
from gradcheck.report.data import Verdict


def decide(
    context: CheckContext, point: Linearization, name: str, directions: int = 2
) -> TensorVerdict:
    """Test the gradient of ``name`` at ``point``, and beside it where there is a kink.

    ``directions`` are looked along at least.

    Several kinks at one point defeat one-sided derivatives: along a direction their slopes add up,
    and a valid choice of subgradients need not lie between the sums. Beside the point the function
    is smooth, and there the analytic gradient is tested. That at the point itself must then lie
    between those on all sides, as a member of the Clarke subdifferential does; see
    `gradcheck.checking.subgradients`.
    """
    reason = nothing_to_project(point)
    if reason:
        return TensorVerdict(Verdict.UNDECIDED, reason)
    if context.native.target.tensors[name].size == 0:
        return _of_empty(context, point, name)
    outcome = _decide(context, point, name, directions)
    defined = context.native.target.by_definition
    if outcome.verdict is Verdict.FAIL and defined is not None:
        reason = defined(name, np.asarray(point.analytic[name]))
        if reason:
            return TensorVerdict(Verdict.UNDECIDED, reason)
    return outcome


def decide_together(
    context: CheckContext, names: Collection[str], directions: int = 2
) -> dict[str, TensorVerdict]:
    """Return the verdicts on the tensors of which directions that move several show enough: PASS.

    Where the layer computes in low precision there are none: the roundings allowed for one tensor
    are too large beside those of another.
    """
    point, tensors = context.base, context.native.target.tensors
    if len(names) < 2 or context.is_narrow or nothing_to_project(point):
        return {}
    comparables = []
    for name in names:
        if tensors[name].size:
            point, fault = comparable(context, point, name)
            comparables += [name] if fault is None else []
    tests = [_test(context, tensors, point, name) for name in comparables]
    outcomes = {
        test.measurer.name: test.run(directions, known)
        for test, known in measured_together(tests, directions)
    }
    return {name: outcome for name, outcome in outcomes.items() if _is_settled(outcome)}


def _is_settled(outcome: TensorVerdict) -> bool:
    """Whether the verdict is PASS, at a point where the function is smooth."""
    smooth = all(m.derivative.kink is None for m in outcome.measurements)
    return outcome.verdict is Verdict.PASS and smooth


def _decide(
    context: CheckContext, point: Linearization, name: str, directions: int
) -> TensorVerdict:
    tensors = context.native.target.tensors
    outcome = _test(context, tensors, point, name).run(directions)
    if outcome.verdict is Verdict.FAIL and context.widened:
        outcome = _in_own_precision(context, outcome, name)
    if _is_settled(outcome):
        return outcome
    at_kink = any(m.derivative.kink is not None for m in outcome.measurements)
    try:
        beside = _test_beside(context, name)
    except OUTSIDE as error:
        beside = TensorVerdict(Verdict.UNDECIDED, f"beside the point the layer raises: {error}")
    if beside.verdict is Verdict.PASS:
        verdict, why = against_sides(context, name)
        if verdict is Verdict.PASS:
            beside.notes = ["tested beside the point, where it is smooth", *outcome.notes]
            return beside
        return TensorVerdict(verdict, f"right beside the point, but {why}", outcome.measurements)
    if outcome.verdict is Verdict.FAIL:
        return outcome
    if beside.verdict is Verdict.FAIL and at_kink:
        beside.reason += ", beside the kink at the point"
        return beside
    outcome.verdict = Verdict.UNDECIDED
    outcome.reason = outcome.reason or beside.reason
    if "; " not in outcome.reason:  # by convention what follows is a way out
        outcome.reason += _way_out(context)
    return outcome


def _test(
    context: CheckContext, tensors: Tensors, point: Linearization, name: str
) -> DirectionalTest:
    ask = partial(context.gradient, tensors, name=name)
    rounding = partial(spread, context, tensors, point.cotangents, name)
    return DirectionalTest(
        Measurer(context.wide, point, name, context.eps, ask, rounding), context.rng
    )


def _of_empty(context: CheckContext, point: Linearization, name: str) -> TensorVerdict:
    """Test a tensor without entries: right beside others that show something, else unknown."""
    if reaction_to_others(context.wide, point, name, context.rng) > 0:
        return TensorVerdict(Verdict.PASS, notes=["empty: nothing to differentiate"])
    return TensorVerdict(Verdict.UNDECIDED, EMPTY)


def _test_beside(context: CheckContext, name: str) -> TensorVerdict:
    """Test at a point a little beside the base, away from its kinks and ties."""
    tensors = context.side(name)
    nearby, fault = comparable(context, context.point(tensors), name)
    return fault or _test(context, tensors, nearby, name).run()


def _in_own_precision(context: CheckContext, outcome: TensorVerdict, name: str) -> TensorVerdict:
    """Let the layer as it is contradict a failure seen only in its copy of higher precision."""
    point, fault = comparable(context, context.native_base, name)
    own = (
        fault
        or DirectionalTest(Measurer(context.native, point, name, context.eps), context.rng).run()
    )
    if own.verdict is Verdict.PASS and outcome.relative_error > 2 * own.resolution:
        own.notes.append("computed in float64 the layer is another function: tested as it is")
        return own
    return outcome


def _way_out(context: CheckContext) -> str:
    if context.native.unit:
        return "; the forward computes in float32 what it is given as float64: keep float64 inside"
    if context.is_narrow and not context.widened:
        return "; the forward computes in low precision: rerun with x.astype(np.float64)"
    return f"; {AWAY}"


def comparable(
    context: CheckContext, point: Linearization, name: str
) -> tuple[Linearization, TensorVerdict | None]:
    """Return the point, the gradient in the tensor's shape, or the verdict if that cannot be."""
    value = point.tensors[name]
    analytic = point.analytic.get(name)
    if analytic is None:
        analytic = np.zeros(value.shape)
        point = replace(point, unsure={**point.unsure, name: np.zeros(())})
    if not np.isfinite(analytic).all():
        count = int(np.sum(~np.isfinite(analytic)))
        reason = f"{count} of {analytic.size} entries are not finite"
        if not all(np.isfinite(y).all() for y in point.outputs):
            return point, TensorVerdict(Verdict.UNDECIDED, reason)
        if diverges(context, point, name):
            return point, TensorVerdict(Verdict.UNDECIDED, f"{reason}, and the derivative is not")
        return point, TensorVerdict(Verdict.FAIL, reason)
    if analytic.shape == value.shape:
        return replace(point, analytic={**point.analytic, name: analytic}), None
    if analytic.size == value.size:
        fitted = analytic.reshape(value.shape)
    else:
        try:
            fitted = np.broadcast_to(analytic, value.shape)
        except ValueError:
            return point, TensorVerdict(
                Verdict.FAIL, f"the gradient has shape {analytic.shape}, the tensor {value.shape}"
            )
    unsure = {**point.unsure, name: np.zeros(())}
    return replace(point, analytic={**point.analytic, name: fitted}, unsure=unsure), None
