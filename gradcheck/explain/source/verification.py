"""Whether a change that mends numbers is one to offer: the rest of the contract, and other states.

A change can make a gradient right at one point and still be no mending: it may write into what the
caller owns, depend on an earlier call, switch off code that the point happens to run, or be right
only for the parameters at hand. So everything that a check would look at next is looked at before
the change is offered.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType, FrameType
from typing import Any

from gradcheck.checking.contract import check_contract
from gradcheck.explain.source.candidates import Candidate
from gradcheck.explain.source.functions import Routine
from gradcheck.explain.source.validate import MutationTrial, suppress_output
from gradcheck.report.data import Verdict

# What breaks one of these promises may be all that makes the numbers wrong: a change beside it
# would only make up for it.
SIDE_EFFECTS = frozenset(
    {"input_not_mutated", "cotangent_not_mutated", "parameters_not_mutated", "fresh_cache"}
)

NO_SHIFTS: Mapping[CodeType, int] = {}


@dataclass(frozen=True)
class Joint:
    """Several functions that are run changed at once."""

    routines: tuple[Routine, ...]

    @contextmanager
    def patched(self, codes: Sequence[CodeType]) -> Iterator[None]:
        """Run each with the code of its own."""
        with ExitStack() as stack:
            for routine, code in zip(self.routines, codes, strict=True):
                stack.enter_context(routine.patched(code))
            yield


@dataclass
class Verification:
    """Looks at changes that mend, as the next check would.

    Parameters
    ----------
    trial
        Where claims of changed code are heard.
    """

    trial: MutationTrial
    _lines: dict[str, set[int]] = field(default_factory=dict)

    def holds(
        self, candidate: Candidate, code: CodeType, names: Sequence[str]
    ) -> frozenset[str] | None:
        """Say whether a change that makes ``names`` right keeps all else that a check looks at.

        Returns
        -------
        frozenset or None
            The required promises that were broken and are kept with the change; None where it
            breaks one or leaves a side effect, is right at this point alone, or cuts off code.
        """
        routine = candidate.routine
        if not self.trial.agrees_elsewhere(routine, code, names) or self._cut_off(candidate, code):
            return None
        broken = self._broken(routine, code)
        if not broken <= self._broken_before or broken & SIDE_EFFECTS:
            return None
        return self._broken_before - broken

    def keeps_promises(self, routine: Routine, code: CodeType) -> bool:
        """Whether a change breaks no required promise of the contract that is kept without it."""
        return self._broken(routine, code) <= self._broken_before

    def together(self, chosen: Sequence[Candidate], names: Sequence[str]) -> bool:
        """Whether changes make ``names`` right when all are made: two may contradict each other."""
        by_routine: dict[int, Routine] = {id(c.routine): c.routine for c in chosen}
        places = [c.edit.site.place for c in chosen]
        before = [place.node for place in places]
        for candidate, place in zip(chosen, places, strict=True):
            place.put(candidate.edit.node)
        try:
            codes = [routine.compiled() for routine in by_routine.values()]
        finally:
            for place, own in zip(reversed(places), reversed(before), strict=True):
                place.put(own)
        made = [code for code in codes if code is not None]
        if len(made) < len(codes):
            return False
        joint = Joint(tuple(by_routine.values()))
        return set(names) <= set(self.trial.mended(joint, made))

    @cached_property
    def _broken_before(self) -> frozenset[str]:
        """Required promises that the code breaks as it is."""
        return self._broken(Joint(()), ())

    def _broken(self, routine: Routine | Joint, code: Any) -> frozenset[str]:
        """Return the required promises that changed code breaks."""
        context = self.trial.context
        context.native.target.state.restore(everything=True)
        with self.trial.trying(routine, code):
            reports = check_contract(context)
        return frozenset(n for n, r in reports.items() if r.required and r.verdict is Verdict.FAIL)

    def _cut_off(self, candidate: Candidate, code: CodeType) -> bool:
        """Whether code that ran before is not reached any more, and is not what was taken out.

        A change of a condition that merely switches off what follows it is right at this point for
        no reason that holds at another.
        """
        file = candidate.routine.file
        if file not in self._lines:
            self._lines[file] = self._run_lines(file, Joint(()), ())
        host = candidate.routine.host
        shift = host.lineno - code.co_firstlineno  # a decorator's line, from which lines count
        after = self._run_lines(file, candidate.routine, code, {code: shift})
        tree = candidate.routine.tree  # what another function did for it may well be too much
        own = set(range(tree.lineno, (tree.end_lineno or tree.lineno) + 1))
        return bool((self._lines[file] & own) - after - _taken_out(candidate))

    def _run_lines(
        self,
        file: str,
        routine: Routine | Joint,
        code: Any,
        shifts: Mapping[CodeType, int] = NO_SHIFTS,
    ) -> set[int]:
        """Return the lines of a file that forward and backward run."""
        context = self.trial.context
        base = context.native_base
        context.native.target.state.restore(everything=True)
        with self.trial.trying(routine, code):
            return lines_run(
                file,
                lambda: context.native.pull(context.native.run(base.tensors), base.cotangents),
                shifts,
            )


def _taken_out(candidate: Candidate) -> set[int]:
    """Return the lines that a change replaces: with their block only where it takes that out."""
    node, new = candidate.edit.site.node, candidate.edit.node
    if isinstance(node, ast.If | ast.For | ast.While) and not isinstance(new, ast.Pass):
        node = node.iter if isinstance(node, ast.For) else node.test
    first = getattr(node, "lineno", None)
    if first is None:
        return set()
    return set(range(first, (getattr(node, "end_lineno", None) or first) + 1))


def lines_run(
    file: str, action: Callable[[], Any], shifts: Mapping[CodeType, int] = NO_SHIFTS
) -> set[int]:
    """Return the lines of a file that ``action`` runs.

    Parameters
    ----------
    file
        As code objects name it.
    action
        Called once; what it raises goes through.
    shifts
        By code object, what its line numbers are short of those in the file.
    """
    found: set[int] = set()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != file:
            return None
        if event == "line":
            found.add(frame.f_lineno + shifts.get(frame.f_code, 0))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with suppress_output():
            action()
    finally:
        sys.settrace(before)
    return found
