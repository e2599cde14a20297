"""Errors that no cause explains, in words: a few wrong entries, or what is seen of the error."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradcheck._types import Array
from gradcheck.array_containers import is_sparse
from gradcheck.checking.jacobian.claimed import ClaimedJacobian
from gradcheck.checking.jacobian.sparsity import named, outside, rows_beyond
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.jacobian.claimed_matrix import ClaimedMatrix
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.jacobian.regions import named_places
from gradcheck.explain.observation import Observation
from gradcheck.report.data import Entry, Explanation, Support

# Entries behind which a correlation is no accident, and its least size.
FEWEST = 10
CORRELATED = 0.8


def unexplained(observation: Observation) -> Explanation:
    """Return what is known of an error that fits no bug."""
    with np.errstate(all="ignore"):
        measured = MeasuredJacobian.of(observation)
        facts = [] if measured is None else _facts(measured)
    name = observation.name
    evidence = "; ".join(["no known bug predicts these numbers within the error bounds", *facts])
    message = f"the gradient of {name} is wrong in a way that fits no known bug"
    fix = "see the entries listed: which of them are wrong often tells the line"
    nothing = Support("nothing")
    return Explanation(Bug.UNEXPLAINED, (name,), 0.0, evidence, message, fix, nothing)


def _facts(measured: MeasuredJacobian) -> list[str]:
    """Say which entries are wrong, along which axes they gather, and what the error follows."""
    known, wrong = measured.known, measured.wrong
    facts = [f"{int(wrong.sum())} of {int(known.sum())} entries measured are wrong"]
    for axis, length in enumerate(wrong.shape):
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        right = np.flatnonzero(~wrong.any(axis=others))
        if wrong.ndim > 1 and 0 < len(right) < length:
            facts.append(f"all are right at the indices {right.tolist()} of axis {axis}")
    right_signs = np.sign(measured.analytic[wrong]) == np.sign(measured.gradient[wrong])
    if right_signs.all():
        facts.append("every sign is right")
    facts += _sides(measured)
    facts += _constant(measured)
    size = np.abs(measured.excess[known])
    for what, values in _companions(measured).items():
        other = np.abs(values[known].astype(np.float64))
        if len(size) >= FEWEST and np.ptp(size) > 0 and np.ptp(other) > 0:
            correlation = float(np.corrcoef(size, other)[0, 1])
            if abs(correlation) >= CORRELATED:
                grows = "grows" if correlation > 0 else "falls"
                facts.append(f"the error {grows} with the size of {what}")
    return facts


def _companions(measured: MeasuredJacobian) -> dict[str, Array]:
    """Return the arrays of the tensor's shape that an error may follow."""
    found = {"the entry": measured.value, "the gradient": measured.gradient}
    alike = [v for v in measured.cotangents if v.shape == measured.shape]
    return {**found, "the cotangent": alike[0]} if alike else found


def _sides(measured: MeasuredJacobian) -> Iterator[str]:
    """Say where one sign of the entry, or of the cotangent, is all right."""
    for what, values in _companions(measured).items():
        for sign, members in (("negative", values < 0), ("positive", values > 0)):
            seen = members & measured.known
            if seen.sum() >= FEWEST // 2 and not (measured.wrong & seen).any():
                yield f"all are right where {what} is {sign}"


def _constant(measured: MeasuredJacobian) -> Iterator[str]:
    """Say along which axes the error is the same number."""
    excess = np.where(measured.known, measured.excess, np.nan)
    size = float(np.nanmax(np.abs(excess)))
    for axis, length in enumerate(excess.shape):
        highest = np.where(measured.known, excess, -np.inf).max(axis)
        lowest = np.where(measured.known, excess, np.inf).min(axis)
        spread = (highest - lowest)[highest >= lowest]
        if length > 1 and spread.max() <= 1e-6 * size:
            yield f"the error is the same all along axis {axis}"


def explain_region(matrix: ClaimedMatrix) -> Explanation:
    """Return where a claimed Jacobian is wrong, the rest being right."""
    worst, count = matrix.entries.report().worst[0], int(matrix.wrong.sum())
    evidence = (
        f"all other entries agree within their bounds; at {list(worst.index)} {worst.analytic:.6g} "
        f"is returned, {worst.numerical:.6g} is right"
    )
    message = f"wrong is {matrix.region}, and nothing else"
    fix = f"differentiate anew {matrix.region}"
    if matrix.is_hessian:
        fix += "; J.T @ J of Gauss and Newton leaves out the second derivatives of the residuals"
    acting = int(((matrix.claimed != 0) | (matrix.right != 0)).sum())
    code = Bug.FEW_ENTRIES if 2 * count <= acting else Bug.UNEXPLAINED
    support = Support("description", acting, count)
    return Explanation(code, (matrix.name,), 1 - count / acting, evidence, message, fix, support)


def left_out(claimed: ClaimedJacobian) -> list[list[Explanation]]:
    """Return the explanation that a large sparse Jacobian lacks entries, where it does."""
    if not is_sparse(claimed.matrix):
        return []
    pattern = claimed.pattern()
    rows = rows_beyond(claimed, pattern)
    found = outside(claimed, pattern, rows) if rows is not None else []
    if not found:
        return []
    message = f"entries that are no part of the sparse Jacobian are not zero: {named(found)}"
    fix = "add these entries to the pattern, and their derivatives"
    evidence = "these entries alone move outputs that the columns stored in their rows do not"
    return [[Explanation(Bug.SPARSITY_TOO_SMALL, (claimed.name,), 1.0, evidence, message, fix)]]


def explain_few(observation: Observation, worst: tuple[Entry, ...]) -> list[list[Explanation]]:
    """Return the explanation that the entries known, or a slice through them, are all wrong."""
    for where, members in _sets(observation.shape, [entry.index for entry in worst]):
        count, size, entry = int(members.sum()), members.size, worst[0]
        if 2 * count <= size and _right_elsewhere(observation, members):
            evidence = (
                "without them analytic and numerical gradient agree along "
                f"{len(observation.directions)} directions; at {entry.index} {entry.analytic:.6g} "
                f"is returned, {entry.numerical:.6g} is right"
            )
            message = f"{count} of {size} entries are wrong, the others right: {where}"
            fix = "look at what backward does at these indices: first, last, repeated?"
            code, name, sure = Bug.FEW_ENTRIES, observation.name, 1 - count / size
            support = Support("description", size, count)
            return [[Explanation(code, (name,), sure, evidence, message, fix, support)]]
    return []


def _sets(shape: tuple[int, ...], places: list[tuple[int, ...]]) -> list[tuple[str, Array]]:
    """Return the sets of entries that may be wrong: those found, and slices that hold them all."""
    if not places:
        return []
    found = np.zeros(shape, dtype=bool)
    for place in places:
        found[place] = True
    sets = [(named_places(places), found)]
    for axis in range(len(shape)):
        indices = sorted({place[axis] for place in places})
        slices = np.zeros(shape, dtype=bool)
        np.moveaxis(slices, axis, 0)[indices] = True
        sets.append((f"the indices {indices} of axis {axis}", slices))
    return sets


def _right_elsewhere(observation: Observation, members: Array) -> bool:
    for direction in observation.directions:
        rest = np.where(members, 0.0, direction)
        analytic, numerical = observation.analytic_along(rest), observation.numerical(rest)
        if not abs(analytic.value - numerical.value) <= MARGIN * (analytic.bound + numerical.bound):
            return False
    return True
