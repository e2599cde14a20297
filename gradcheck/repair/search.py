"""Looks for the one change of the user's own code that makes the gradients right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.memory import Memory
from gradcheck.point import Lab
from gradcheck.repair.candidates import Candidate, calls, candidates
from gradcheck.repair.influence import likeliest_first
from gradcheck.repair.program import Call
from gradcheck.repair.trial import Trial, quietly
from gradcheck.result import Entry

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

    @classmethod
    def by(
        cls, candidate: Candidate, tensors: tuple[str, ...], *, of_forward: bool = False
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
    lab: Lab, failed: Mapping[str, tuple[Entry, ...]], *, mixes: bool = False
) -> list[Repair]:
    """Return the changes that together mend most of the failed tensors, each as short as can be.

    Parameters
    ----------
    lab
        Where claims are heard and numbers are measured.
    failed
        The tensors whose gradients are wrong, with their wrong entries as far as known.
    mixes
        Whether samples of a batch depend on one another in the forward: then it, too, may be the
        one to change, whatever mends the backward.
    """
    base = lab.base.claimed
    claimed = {n: e for n, e in failed.items() if n in base and np.isfinite(base[n]).all()}
    forward, backward = calls(lab)
    with quietly():
        trial = Trial(lab, claimed, Memory(_globals([*forward, *backward])))
    if not trial.failed:
        return []
    tries = MOST_LINES // _effort(lab, [*forward, *backward])
    possible = likeliest_first(trial, candidates(lab, forward, backward))
    found = _mending(trial, possible[:tries])
    chosen = _chosen(found)
    if not chosen or (mixes and all(repair.code in SLIPS for repair in chosen)):
        slips = [
            c
            for c in possible
            if c.forward and c.edit.code in SLIPS and c.edit.cost <= MOST_OF_SLIP
        ]
        chosen += _agreeing(trial, slips[:tries])
    return chosen


def _globals(seen: Sequence[Call]) -> list[Any]:
    """Return what the functions reach by names that are not their own."""
    return [
        call.namespace[name]
        for call in seen
        for name in (*call.code.co_names, *call.code.co_freevars)
        if name in call.namespace and name not in call.code.co_varnames
    ]


def _mending(trial: Trial, possible: Sequence[Candidate]) -> list[Repair]:
    """Return the changes that leave the outputs as they are and make gradients right."""
    found: list[Repair] = []
    enough = float("inf")
    for candidate in possible:
        if candidate.cost > enough + TIE:
            break
        code = candidate.code()
        mended = trial.mended(candidate.routine, code) if code is not None else ()
        if mended and code is not None:
            mended = trial.confirmed(candidate.routine, code, mended)
        if mended:
            found.append(Repair.by(candidate, mended))
            if len(mended) == len(trial.failed):
                enough = min(enough, candidate.cost)
    return found


def _agreeing(trial: Trial, possible: Sequence[Candidate]) -> list[Repair]:
    """Return the first change of the forward for which the backward is right, if there is one."""
    for candidate in possible:
        code = candidate.code()
        if code is not None and trial.agrees_otherwise(candidate.routine, code):
            return [Repair.by(candidate, tuple(trial.failed), of_forward=True)]
    return []


def _effort(lab: Lab, seen: Sequence[Call]) -> int:
    """Return what one trial costs, in lines."""
    sizes = sum(value.size for value in lab.native_base.tensors.values())
    return COMPILING + sum(call.lines for call in seen) + sizes // ENTRIES_PER_LINE


def _chosen(found: list[Repair]) -> list[Repair]:
    """Choose the shortest change that mends most tensors, then one for those that are left."""
    chosen: list[Repair] = []
    left = {name for repair in found for name in repair.tensors}
    while left:
        best = max(found, key=lambda repair: len(left.intersection(repair.tensors)))
        chosen.append(best)
        left -= set(best.tensors)
    return chosen
