"""Looks for the one change of the user's own code that makes the gradients right."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from gradcheck.checking.context import CheckContext
from gradcheck.explain.catalogue import Bug, Trait
from gradcheck.explain.invalid_gradients import is_unused
from gradcheck.explain.source.call_sites import CallSite
from gradcheck.explain.source.candidates import calls, changeable
from gradcheck.explain.source.fault_localization import Suspicion
from gradcheck.explain.source.limits import Limits
from gradcheck.explain.source.mutation_trial import MutationTrial
from gradcheck.explain.source.mutations import Mutation, mutant_of
from gradcheck.explain.source.repair import Repair, Repairs
from gradcheck.explain.source.verification import Verification
from gradcheck.isolation import Lost
from gradcheck.state import StateSnapshot

# Lines of the user's code that are run in all trials together, a few seconds: so many entries of a
# tensor count for a line, and to compile a change takes as long as so many.
MOST_LINES = 600_000
ENTRIES_PER_LINE = 1024
COMPILING = 200

# Changes that are this much longer than the shortest that corrects all are not looked at.
TIE = 0.1

# As many of them are tried: one on another line makes a change less sure, none makes it no surer.
RIVALS = 100

# How long a change of the forward is at most.
MOST_OF_FORWARD = 0.7


def repairs(
    context: CheckContext,
    failed: Sequence[str],
    *,
    mixes: bool = False,
    until: float = math.inf,
) -> Repairs:
    """Return the changes that together correct most of the failed tensors, each as short as can be.

    Changed code runs in processes of its own, and nowhere else.

    Parameters
    ----------
    context
        Where gradients are computed and derivatives are measured.
    failed
        The tensors whose gradients are wrong.
    mixes
        Whether samples of a batch depend on one another in the forward: then it, too, may be the
        one to change, whatever corrects the backward.
    until
        When the search ends, by `time.monotonic`.
    """
    base = context.base.analytic
    wrong = [
        name
        for name in failed
        if name in base
        # to make a gradient vanish where the forward does not use the tensor mends nothing
        and not is_unused(context.wide, context.base, name)
    ]
    forward, backward = calls(context)
    began = time.monotonic()
    trial = MutationTrial(context, wrong, StateSnapshot(_globals([*forward, *backward])))
    if not trial.failed:
        return Repairs()
    limits = Limits.after(time.monotonic() - began, until)
    entries = sum(value.size for value in context.native_base.tensors.values())
    lines = sum(call.lines for call in [*forward, *backward])
    tries = MOST_LINES // (COMPILING + lines + entries // ENTRIES_PER_LINE)
    verification, found = Verification(trial), Repairs()
    # what the code given calls of installed packages is looked at where itself is right
    for installed in sorted({False, *(call.is_installed for call in [*forward, *backward])}):
        functions = changeable(context, forward, backward, limits, installed=installed)
        suspicion = Suspicion.of(trial, functions, limits)
        here = _Search(trial, verification, limits, suspicion).run(tries, mixes=mixes)
        untried, places = found.untried + here.untried, found.places or here.places
        found = replace(here, untried=untried, places=places)
        if found.found:
            break
    return found


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

    A rival came after one that was verified, and was not looked at further.
    """

    mutation: Mutation
    tensors: tuple[str, ...]
    altered: frozenset[str] = frozenset()
    restored: frozenset[str] = frozenset()
    is_rival: bool = False


@dataclass
class _Search:
    """The search among changes that were made of one layer's code."""

    trial: MutationTrial
    verification: Verification
    limits: Limits
    suspicion: Suspicion
    untried: int = 0

    def run(self, tries: int, *, mixes: bool) -> Repairs:
        """Try so many changes, and some of the forward where no backward is to be corrected.

        What has a part in some of the wrong gradients alone is changed where nothing else corrects
        all of them.
        """
        likely = self.suspicion.likely[:tries]
        found = self._found(likely)
        if len(likely) < tries and not any(self._corrects_all(c.tensors) for c in found):
            found += self._found(self.suspicion.unlikely[: tries - len(likely)])
        chosen = self._chosen(found)
        if not chosen or (mixes and all(_is_structural(repair.code) for repair in chosen)):
            chosen += self._of_forward(tries)
        places = () if chosen else self.suspicion.places
        return Repairs(tuple(chosen), self.untried, places=places)

    def _found(self, possible: Sequence[Mutation]) -> list[_Correction]:
        """Return the changes that make gradients right and keep all else that a check looks at."""
        found: list[_Correction] = []
        for number, mutation, corrected in self._tried(self.trial.corrects, possible):
            correction = self._verified(mutation, corrected) if corrected else None
            if correction is not None:
                found.append(correction)
                if self._corrects_all(corrected):
                    rivals = [
                        m for m in possible[number:] if m.total_cost < mutation.total_cost + TIE
                    ]
                    return found + self._rivals(rivals, {c.mutation.line for c in found})
        return found

    def _corrects_all(self, corrected: Sequence[str]) -> bool:
        return len(corrected) == len(self.trial.failed)

    def _rivals(self, possible: Sequence[Mutation], lines: set[int]) -> list[_Correction]:
        """Return a change on another line that corrects everything as well, if there is one.

        It makes those that are verified less sure, which more of them would not.
        """
        elsewhere = [mutation for mutation in possible if mutation.line not in lines]
        for _, mutation, corrected in self._tried(self.trial.corrects, elsewhere[:RIVALS]):
            if corrected and self._corrects_all(corrected):
                return [_Correction(mutation, corrected, is_rival=True)]
        return []

    def _tried(
        self, function: Callable[[Mutation], Any], possible: Sequence[Mutation]
    ) -> Iterator[tuple[int, Mutation, Any]]:
        """Yield the changes by number with what a function returns, None where it was cut off."""
        context = self.trial.context

        def answer(numbered: tuple[int, Mutation]) -> Any:
            context.begin(f"change {numbered[0]}")  # whatever was tried before it
            return function(numbered[1])

        with closing(self.limits.each(answer, list(enumerate(possible)))) as answers:
            for number, (mutation, found) in enumerate(zip(possible, answers, strict=True)):
                if self.limits.passed:
                    self.untried += len(possible) - number
                    return
                yield number, mutation, None if isinstance(found, Lost) else found

    def _verified(self, mutation: Mutation, corrected: tuple[str, ...]) -> _Correction | None:
        """Return a change that corrects gradients and is one to offer."""
        self.verification.look_at_original(mutation)

        def answer() -> Any:
            restored = self.verification.kept_promises(mutation, corrected)
            altered = self.trial.altered(mutation, corrected)
            return None if restored is None else (altered, restored)

        found = self.limits.one(answer)
        lost = found is None or isinstance(found, Lost)
        return None if lost else _Correction(mutation, corrected, *found)

    def _of_forward(self, tries: int) -> list[Repair]:
        """Return the first change of the forward for which the backward is right, if any."""
        structural = [
            m
            for m in self.suspicion.of_forward
            if _is_structural(m.code) and m.cost <= MOST_OF_FORWARD
        ]
        names = tuple(self.trial.failed)
        for _, mutation, is_right in self._tried(self._is_forward, structural[:tries]):
            if is_right:
                return [Repair.by(mutation, names, of_forward=True)]
        return []

    def _is_forward(self, mutation: Mutation) -> bool:
        mutant = mutant_of(mutation)
        right = self.trial.is_right_otherwise(mutant)
        return right and self.verification.breaks_none(mutant)

    def _chosen(self, found: Sequence[_Correction]) -> list[Repair]:
        """Choose the shortest change that corrects most tensors, then one for those that are left.

        Several have to be right when they are all made; and one that alters a wrong gradient
        without making it right is chosen only if the others then do.
        """
        chosen: list[_Correction] = []
        verified = [change for change in found if not change.is_rival]
        left = {name for change in verified for name in change.tensors}
        done: set[str] = set()
        while left:
            best = next((m for m in self._ranked(verified, left) if self._fits(chosen, m)), None)
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

    @staticmethod
    def _ranked(verified: Sequence[_Correction], left: set[str]) -> list[_Correction]:
        some = [change for change in verified if left.intersection(change.tensors)]
        return sorted(some, key=lambda m: -len(left.intersection(m.tensors)))

    def _fits(self, chosen: Sequence[_Correction], another: _Correction) -> bool:
        together = [*chosen, another]
        names = sorted({name for change in together for name in change.tensors})
        mutations = [change.mutation for change in together]
        return not chosen or (
            self.limits.one(lambda: self.verification.together(mutations, names)) is True
        )


def _rivals(chosen: _Correction, found: Sequence[_Correction]) -> int:
    """Count the other lines with a change about as short that corrects as much."""
    lines = {
        other.mutation.line
        for other in found
        if other.mutation.total_cost <= chosen.mutation.total_cost + TIE
        and set(other.tensors) >= set(chosen.tensors)
    }
    return len(lines - {chosen.mutation.line})
