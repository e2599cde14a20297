"""Whether a change that corrects numbers is one to offer: the rest of the contract, other states.

A change can make a gradient right at one point and still correct nothing: it may write into what
the caller owns, depend on an earlier call, switch off code that the point happens to run, or be
right only for the parameters at hand. So everything that a check would look at next is looked at
before the change is offered.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType

from gradcheck.checking.contract import check_contract
from gradcheck.explain.source.call_sites import lines_run
from gradcheck.explain.source.function_source import Mutant
from gradcheck.explain.source.mutation_trial import MutationTrial
from gradcheck.explain.source.mutations import Mutation, mutant_of
from gradcheck.report.data import Verdict

# What breaks one of these promises may be all that makes the numbers wrong: a change beside it
# would only make up for it.
SIDE_EFFECTS = frozenset(
    {"input_not_mutated", "cotangent_not_mutated", "parameters_not_mutated", "fresh_cache"}
)

UNCHANGED = Mutant()


@dataclass
class Verification:
    """Looks at changes that correct gradients, as the next check would.

    Parameters
    ----------
    trial
        Where mutants are run.
    """

    trial: MutationTrial
    _lines: dict[str, set[int]] = field(default_factory=dict)

    def look_at_original(self, mutation: Mutation) -> None:
        """Learn what the code does as it is, where a mutation will change it."""
        file = _file(mutation)
        if file not in self._lines:
            self._lines[file] = self._run_lines(file, UNCHANGED)
        _ = self._broken_before

    def kept_promises(self, mutation: Mutation, names: Sequence[str]) -> frozenset[str] | None:
        """Return the required promises that were broken and are kept with a change.

        None where it is not to be offered: it breaks another one or leaves a side effect, makes
        ``names`` right at this point alone, or cuts off code.
        """
        mutant = mutant_of(mutation)
        if not self.trial.agrees_elsewhere(mutant, names) or self._cuts_off(mutation, mutant):
            return None
        broken = self._broken(mutant)
        if not broken <= self._broken_before or broken & SIDE_EFFECTS:
            return None
        return self._broken_before - broken

    def breaks_none(self, mutant: Mutant) -> bool:
        """Whether a mutant breaks no required promise of the contract that is kept without it."""
        return self._broken(mutant) <= self._broken_before

    def together(self, chosen: Sequence[Mutation], names: Sequence[str]) -> bool:
        """Whether changes make ``names`` right when all are made: two may contradict each other."""
        return set(names) <= set(self.trial.corrected(mutant_of(*chosen)))

    @cached_property
    def _broken_before(self) -> frozenset[str]:
        """Required promises that the code breaks as it is."""
        return self._broken(UNCHANGED)

    def _broken(self, mutant: Mutant) -> frozenset[str]:
        """Return the required promises that a mutant breaks."""
        with self.trial.trying(mutant):
            reports = check_contract(self.trial.context)
        return frozenset(n for n, r in reports.items() if r.required and r.verdict is Verdict.FAIL)

    def _cuts_off(self, mutation: Mutation, mutant: Mutant) -> bool:
        """Whether code that ran before is not reached any more, and is not what was taken out.

        A change of a condition that merely switches off what follows it is right at this point for
        no reason that holds at another.
        """
        self.look_at_original(mutation)
        file = _file(mutation)
        # a decorator's line, from which lines count
        shifts = {code: f.host.lineno - code.co_firstlineno for f, code in mutant.codes}
        after = self._run_lines(file, mutant, shifts)
        tree = mutation.function.tree  # what another function did for it may well be too much
        own = set(range(tree.lineno, (tree.end_lineno or tree.lineno) + 1))
        return bool((self._lines[file] & own) - after - _taken_out(mutation))

    def _run_lines(
        self, file: str, mutant: Mutant, shifts: Mapping[CodeType, int] | None = None
    ) -> set[int]:
        """Return the lines of a file that forward and backward run."""
        context = self.trial.context
        base = context.native_base
        with self.trial.trying(mutant):
            return lines_run(
                file,
                lambda: context.native.pull(context.native.run(base.tensors), base.cotangents),
                shifts,
            )


def _file(mutation: Mutation) -> str:
    return mutation.function.call.code.co_filename


def _taken_out(mutation: Mutation) -> set[int]:
    """Return the lines that a change replaces: with their block only where it takes that out."""
    node, new = mutation.site.node, mutation.node
    if isinstance(node, ast.If | ast.For | ast.While) and not isinstance(new, ast.Pass):
        node = node.iter if isinstance(node, ast.For) else node.test
    first = getattr(node, "lineno", None)
    if first is None:
        return set()
    return set(range(first, (getattr(node, "end_lineno", None) or first) + 1))
