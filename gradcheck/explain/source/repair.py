"""Looks for the one change of the user's own code that makes the gradients right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.checking.linearization import CheckContext
from gradcheck.explain.catalogue import Bug, Trait
from gradcheck.explain.source.call_sites import CallSite, suppress_output
from gradcheck.explain.source.candidates import calls, candidates
from gradcheck.explain.source.fault_localization import likeliest_first
from gradcheck.explain.source.mutations import Mutation, mutant_of
from gradcheck.explain.source.validate import MutationTrial
from gradcheck.explain.source.verification import Verification
from gradcheck.report.data import Edit, Entry
from gradcheck.state import StateSnapshot

# Lines of the user's code that are run in all trials together, a few seconds: so many entries of a
# tensor count for a line, and to compile a change takes as long as so many.
MOST_LINES = 600_000
ENTRIES_PER_LINE = 1024
COMPILING = 200

# Changes that are this much longer than the shortest that corrects all are not looked at.
TIE = 0.1

# How long a change of the forward is at most.
MOST_OF_FORWARD = 0.7


@dataclass(frozen=True)
class Repair:
    """A change that was seen to correct gradients, as plain data.

    Attributes
    ----------
    code, message, cost
        The bug that it corrects, by its name and in words, and the description length.
    edit, instruction
        The statement that is changed; what to do, where it is no change of one statement.
    tensors
        Those whose gradients it makes right.
    of_forward
        Whether it changes what the forward computes, so that the backward is right for it.
    rivals
        Changes of other lines, as short, that were verified as well.
    restored
        Required promises of the contract that are broken without it and kept with it.
    """

    code: str
    message: str
    cost: float
    edit: Edit
    tensors: tuple[str, ...]
    of_forward: bool = False
    instruction: str = ""
    rivals: int = 0
    restored: frozenset[str] = frozenset()

    @classmethod
    def by(
        cls, mutation: Mutation, tensors: tuple[str, ...], *, of_forward: bool = False
    ) -> Repair:
        """Return a change of the code that was tried."""
        code, message, cost = mutation.code, mutation.message, mutation.cost
        return cls(code, message, cost, mutation.edit, tensors, of_forward, mutation.instruction)

    @property
    def line(self) -> str:
        """The line to change, and how."""
        at, edit = self.edit.place, self.edit
        if self.instruction:
            return f"{at}: {self.instruction}"
        if not edit.before:
            return f"before {at}: put `{edit.after}`"
        if not edit.after:
            return f"{at}: take out `{edit.before}`"
        return f"{at}: `{edit.before}` -> `{edit.after}`"


def repairs(
    context: CheckContext, failed: Mapping[str, tuple[Entry, ...]], *, mixes: bool = False
) -> list[Repair]:
    """Return the changes that together correct most of the failed tensors, each as short as can be.

    Parameters
    ----------
    context
        Where gradients are computed and derivatives are measured.
    failed
        The tensors whose gradients are wrong, with their wrong entries as far as known.
    mixes
        Whether samples of a batch depend on one another in the forward: then it, too, may be the
        one to change, whatever corrects the backward.
    """
    base = context.base.claimed
    wrong = {n: e for n, e in failed.items() if n in base and np.isfinite(base[n]).all()}
    forward, backward = calls(context)
    with suppress_output():
        trial = MutationTrial(context, wrong, StateSnapshot(_globals([*forward, *backward])))
    if not trial.failed:
        return []
    tries = MOST_LINES // _effort(context, [*forward, *backward])
    possible = likeliest_first(trial, candidates(context, forward, backward))
    verification = Verification(trial)
    found = _found(trial, verification, possible[:tries])
    chosen = _chosen(trial, verification, found)
    if not chosen or (mixes and all(_is_structural(repair.code) for repair in chosen)):
        structural = [
            m
            for m in possible
            if m.in_forward and _is_structural(m.code) and m.cost <= MOST_OF_FORWARD
        ]
        chosen += _of_forward(trial, verification, structural[:tries])
    return chosen


def _is_structural(code: str) -> bool:
    """Whether the bug is one that a forward has, too.

    What it computes is changed in its structure only: a number or a factor that makes it fit a
    wrong backward can nearly always be found.
    """
    return Trait.STRUCTURAL in Bug(code).traits


def _globals(seen: Sequence[CallSite]) -> list[Any]:
    """Return what the functions reach by names that are not their own."""
    return [
        call.namespace[name]
        for call in seen
        for name in (*call.code.co_names, *call.code.co_freevars)
        if name in call.namespace and name not in call.code.co_varnames
    ]


@dataclass(frozen=True)
class _Correction:
    """A change, what it makes right, and the gradients and broken promises that it alters besides.

    Attributes
    ----------
    mutation, tensors
        The change, and the tensors whose gradients it makes right at two points.
    altered, restored
        Other wrong gradients that it changes, and broken promises that are kept with it.
    is_rival
        Whether it came after one that was verified, and was not looked at further.
    """

    mutation: Mutation
    tensors: tuple[str, ...]
    altered: frozenset[str] = frozenset()
    restored: frozenset[str] = frozenset()
    is_rival: bool = False


def _found(
    trial: MutationTrial, verification: Verification, possible: Sequence[Mutation]
) -> list[_Correction]:
    """Return the changes that make gradients right and keep all else that a check looks at."""
    found: list[_Correction] = []
    enough = float("inf")
    for mutation in possible:
        if mutation.cost > enough + TIE:
            break
        mutant = mutant_of(mutation)
        corrected = trial.corrected(mutant) if mutant is not None else ()
        if mutant is None or not corrected:
            continue
        corrected = trial.confirmed(mutant, corrected)
        if not corrected:
            continue
        if enough < float("inf"):  # one is verified, others only make it less sure
            found.append(_Correction(mutation, corrected, is_rival=True))
            continue
        restored = verification.kept_promises(mutation, mutant, corrected)
        if restored is not None:
            altered = trial.altered(mutant, corrected)
            found.append(_Correction(mutation, corrected, altered, restored))
            if len(corrected) == len(trial.failed):
                enough = min(enough, mutation.cost)
    return found


def _of_forward(
    trial: MutationTrial, verification: Verification, possible: Sequence[Mutation]
) -> list[Repair]:
    """Return the first change of the forward for which the backward is right, if there is one."""
    for mutation in possible:
        mutant = mutant_of(mutation)
        if mutant is None or not trial.is_right_otherwise(mutant):
            continue
        if verification.breaks_none(mutant):
            return [Repair.by(mutation, tuple(trial.failed), of_forward=True)]
    return []


def _effort(context: CheckContext, seen: Sequence[CallSite]) -> int:
    """Return what one trial costs, in lines."""
    sizes = sum(value.size for value in context.native_base.tensors.values())
    return COMPILING + sum(call.lines for call in seen) + sizes // ENTRIES_PER_LINE


def _chosen(
    trial: MutationTrial, verification: Verification, found: Sequence[_Correction]
) -> list[Repair]:
    """Choose the shortest change that corrects most tensors, then one for those that are left.

    Several have to be right when they are all made; and one that alters a wrong gradient without
    making it right is chosen only if the others then do.
    """
    chosen: list[_Correction] = []
    verified = [change for change in found if not change.is_rival]
    left = {name for change in verified for name in change.tensors}
    done: set[str] = set()
    while left:
        ranked = sorted(verified, key=lambda m: -len(left.intersection(m.tensors)))
        best = next(
            (m for m in ranked if left.intersection(m.tensors) and _fits(verification, chosen, m)),
            None,
        )
        if best is None:
            break
        chosen.append(best)
        left -= set(best.tensors)
        done |= set(best.tensors)
    kept = [change for change in chosen if change.altered <= done]
    return [
        replace(Repair.by(m.mutation, m.tensors), rivals=_rivals(m, found), restored=m.restored)
        for m in kept
    ]


def _fits(verification: Verification, chosen: Sequence[_Correction], another: _Correction) -> bool:
    together = [*chosen, another]
    names = {name for change in together for name in change.tensors}
    return not chosen or verification.together([m.mutation for m in together], sorted(names))


def _rivals(chosen: _Correction, found: Sequence[_Correction]) -> int:
    """Count the other lines with a change about as short that corrects as much."""
    lines = {
        other.mutation.line
        for other in found
        if other.mutation.cost <= chosen.mutation.cost + TIE
        and set(other.tensors) >= set(chosen.tensors)
    }
    return len(lines - {chosen.mutation.line})
