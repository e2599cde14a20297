"""Looks for the one change of the user's own code that makes the gradients right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.checking.linearization import CheckContext
from gradcheck.explain.source.call_sites import CallSite
from gradcheck.explain.source.candidates import Candidate, calls, candidates
from gradcheck.explain.source.fault_localization import likeliest_first
from gradcheck.explain.source.validate import MutationTrial, suppress_output
from gradcheck.explain.source.verification import Verification
from gradcheck.report.data import Entry
from gradcheck.state import StateSnapshot

# Lines of the user's code that are run in all trials together, a few seconds: so many entries of a
# tensor count for a line, and to compile a change takes as long as so many.
MOST_LINES = 600_000
ENTRIES_PER_LINE = 1024
COMPILING = 200

# Changes that are this much longer than the shortest that mends are not looked at.
TIE = 0.1

# What the forward computes is changed in its structure only: a number or a factor that makes it fit
# a wrong backward can nearly always be found.
SLIPS = {"wrong_axis", "wrong_index", "transposed", "kernel_flipped", "summed_to_scalar"}
MOST_OF_SLIP = 0.7


@dataclass(frozen=True)
class Repair:
    """A change, and what it mends, as plain data.

    Attributes
    ----------
    code, message, cost
        The bug that it mends, by its name and in words, and the description length of the change.
    place
        File and line.
    before, after
        The statement that is changed, without and with it.
    tensors
        Those whose gradients it makes right.
    of_forward
        Whether it changes what the forward computes, so that the backward is right for it.
    told
        What to do, where that is no change of one statement.
    rivals
        Changes of other lines, as short, that were verified as well.
    restored
        Required promises of the contract that are broken without it and kept with it.
    """

    code: str
    message: str
    cost: float
    place: str
    before: str
    after: str
    tensors: tuple[str, ...]
    of_forward: bool = False
    told: str = ""
    rivals: int = 0
    restored: frozenset[str] = frozenset()

    @classmethod
    def by(
        cls,
        candidate: Candidate,
        tensors: tuple[str, ...],
        *,
        of_forward: bool = False,
    ) -> Repair:
        """Return a change that was seen to mend."""
        edit = candidate.edit
        place = f"{Path(candidate.routine.file).name}:{candidate.line}"
        before, after = candidate.sources()
        return cls(
            edit.code, edit.message, edit.cost, place, before, after, tensors, of_forward,
            candidate.told,
        )  # fmt: skip

    @property
    def line(self) -> str:
        """The line to change, and how."""
        if self.told:
            return f"{self.place}: {self.told}"
        if not self.before:
            return f"before {self.place}: put `{self.after}`"
        if not self.after:
            return f"{self.place}: take out `{self.before}`"
        return f"{self.place}: `{self.before}` -> `{self.after}`"


def repairs(
    context: CheckContext, failed: Mapping[str, tuple[Entry, ...]], *, mixes: bool = False
) -> list[Repair]:
    """Return the changes that together mend most of the failed tensors, each as short as can be.

    Parameters
    ----------
    context
        Where claims are heard and numbers are measured.
    failed
        The tensors whose gradients are wrong, with their wrong entries as far as known.
    mixes
        Whether samples of a batch depend on one another in the forward: then it, too, may be the
        one to change, whatever mends the backward.
    """
    base = context.base.claimed
    claimed = {n: e for n, e in failed.items() if n in base and np.isfinite(base[n]).all()}
    forward, backward = calls(context)
    with suppress_output():
        trial = MutationTrial(context, claimed, StateSnapshot(_globals([*forward, *backward])))
    if not trial.failed:
        return []
    tries = MOST_LINES // _effort(context, [*forward, *backward])
    possible = likeliest_first(trial, candidates(context, forward, backward))
    verification = Verification(trial)
    found = _found(trial, verification, possible[:tries])
    chosen = _chosen(trial, verification, found)
    if not chosen or (mixes and all(repair.code in SLIPS for repair in chosen)):
        slips = [
            c
            for c in possible
            if c.forward and c.edit.code in SLIPS and c.edit.cost <= MOST_OF_SLIP
        ]
        chosen += _agreeing(trial, verification, slips[:tries])
    return chosen


def _globals(seen: Sequence[CallSite]) -> list[Any]:
    """Return what the functions reach by names that are not their own."""
    return [
        call.namespace[name]
        for call in seen
        for name in (*call.code.co_names, *call.code.co_freevars)
        if name in call.namespace and name not in call.code.co_varnames
    ]


@dataclass(frozen=True)
class _Right:
    """A change, what it makes right, and the claims and broken promises that it alters besides.

    Attributes
    ----------
    candidate, tensors
        The change, and the tensors whose gradients it makes right at two points.
    altered, restored
        Other wrong gradients that it changes, and broken promises that are kept with it.
    is_rival
        Whether it came after one that was verified, and was not looked at further.
    """

    candidate: Candidate
    tensors: tuple[str, ...]
    altered: frozenset[str] = frozenset()
    restored: frozenset[str] = frozenset()
    is_rival: bool = False


def _found(
    trial: MutationTrial, verification: Verification, possible: Sequence[Candidate]
) -> list[_Right]:
    """Return the changes that make gradients right and keep all else that a check looks at."""
    found: list[_Right] = []
    enough = float("inf")
    for candidate in possible:
        if candidate.cost > enough + TIE:
            break
        code, routine = candidate.code(), candidate.routine
        mended = trial.mended(routine, code) if code is not None else ()
        if mended and code is not None:
            mended = trial.confirmed(routine, code, mended)
        if not mended or code is None:
            continue
        if enough < float("inf"):  # one is verified, others only make it less sure
            found.append(_Right(candidate, mended, is_rival=True))
            continue
        restored = verification.holds(candidate, code, mended)
        if restored is not None:
            altered = trial.altered(routine, code, mended)
            found.append(_Right(candidate, mended, altered, restored))
            if len(mended) == len(trial.failed):
                enough = min(enough, candidate.cost)
    return found


def _agreeing(
    trial: MutationTrial, verification: Verification, possible: Sequence[Candidate]
) -> list[Repair]:
    """Return the first change of the forward for which the backward is right, if there is one."""
    for candidate in possible:
        code, routine = candidate.code(), candidate.routine
        if code is None or not trial.agrees_otherwise(routine, code):
            continue
        if verification.keeps_promises(routine, code):
            return [Repair.by(candidate, tuple(trial.failed), of_forward=True)]
    return []


def _effort(context: CheckContext, seen: Sequence[CallSite]) -> int:
    """Return what one trial costs, in lines."""
    sizes = sum(value.size for value in context.native_base.tensors.values())
    return COMPILING + sum(call.lines for call in seen) + sizes // ENTRIES_PER_LINE


def _chosen(
    trial: MutationTrial, verification: Verification, found: Sequence[_Right]
) -> list[Repair]:
    """Choose the shortest change that mends most tensors, then one for those that are left.

    Several have to be right when they are all made; and one that alters a wrong gradient without
    making it right is chosen only if the others then do.
    """
    chosen: list[_Right] = []
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
        replace(Repair.by(m.candidate, m.tensors), rivals=_rivals(m, found), restored=m.restored)
        for m in kept
    ]


def _fits(verification: Verification, chosen: Sequence[_Right], another: _Right) -> bool:
    together = [*chosen, another]
    names = {name for change in together for name in change.tensors}
    return not chosen or verification.together([m.candidate for m in together], sorted(names))


def _rivals(chosen: _Right, found: Sequence[_Right]) -> int:
    """Count the other lines with a change about as short as the chosen one that mends as much."""
    lines = {
        other.candidate.line
        for other in found
        if other.candidate.cost <= chosen.candidate.cost + TIE
        and set(other.tensors) >= set(chosen.tensors)
    }
    return len(lines - {chosen.candidate.line})
