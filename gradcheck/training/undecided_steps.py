"""Steps whose gradients cannot be told, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gradcheck.explain.catalogue import Bug, Trait
from gradcheck.report.data import TensorReports, Verdict
from gradcheck.report.report import Report


def as_undecided(report: Report, reason: str, names: Iterable[str] | None = None) -> Report:
    """Return a report of steps whose gradients, or those of some parameters, cannot be told."""
    chosen = set(report.tensors if names is None else names)
    tensors = {
        name: replace(part, verdict=Verdict.UNDECIDED, reason=reason, explanations=(), worst=())
        for name, part in report.tensors.items()
        if name in chosen
    }
    return replace(report, tensors=TensorReports({**report.tensors, **tensors}), explanations=())


def unless_it_remembers(later: Report, turns: int) -> Report:
    """Return the judgement of a later step, undecided where momentum may be all that is seen.

    The first step of the same loop was right. Only a bug with a name of its own is sure to be none
    of the memory that steps may have of one another.
    """
    bugs = {Bug(explanation.code) for explanation in later.explanations} - {Bug.CONSTANT_FACTOR}
    named = any(Trait.DESCRIPTION not in bug.traits for bug in bugs)
    if later.verdict is not Verdict.FAIL or named:
        return later
    reason = (
        f"right where it begins, and another step after {turns} turns: momentum or a changing rate "
        "does that, and so does a bug that weights of zero hide; check one turn of its loop"
    )
    return as_undecided(later, reason)
