"""Fault localization: which expressions reach wrong gradients, and no right ones.

Every value that a statement assigns or returns is disturbed once. What is disturbed with a right
gradient, or with the outputs, is hardly wrong itself: changes there are not tried. Those of what
only some wrong gradients depend on, or none, as on a buffer of which the type alone counts, are
tried last. A run each saves the many that all changes of the expression would take.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from gradcheck.checking.context import CheckContext
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.source.candidates import Changeable, calls
from gradcheck.explain.source.function_source import FunctionSource, Mutant
from gradcheck.explain.source.jacobian_places import of_wrong_entries
from gradcheck.explain.source.limits import Limits
from gradcheck.explain.source.mutation_trial import MutationTrial
from gradcheck.explain.source.mutations import Mutation, Site, mutant_of, sites
from gradcheck.isolation import Lost

# A disturbance that no sum, product or normalisation cancels.
DISTURBED = "({}) * 1.25 + 0.0625"

# What only hands on what was computed elsewhere.
HANDS_ON = (ast.Name, ast.Attribute)

# More statements than these are not worth reading: they are the backward.
MOST_PLACES = 3

# Expressions whose value is no array.
NO_NUMBERS = (ast.Tuple, ast.List, ast.Dict, ast.Constant, ast.ListComp, ast.Slice)

# What a change costs more where it would spoil what is right, so that it is not tried.
SPOILING = 2.0

# Where it can hardly correct anything, for all that is seen.
IDLE = 1.0

# And where it can correct a part of what is wrong at most: there may be two bugs.
PARTLY = 0.3


@dataclass(frozen=True)
class Suspicion:
    """What was seen of the expressions of a layer's functions.

    Attributes
    ----------
    context
        Where the layer runs.
    functions
        Those whose changed code the layer runs.
    penalties
        What a change of an expression, by its node, costs more; nothing where it may correct all.
    places
        File and line of the statements that compute what all that is wrong depends on and nothing
        that is right; none where they are many.
    """

    context: CheckContext
    functions: Sequence[Changeable]
    penalties: Mapping[int, float]
    places: tuple[str, ...] = ()

    @classmethod
    def of(cls, trial: MutationTrial, functions: Sequence[Changeable], limits: Limits) -> Suspicion:
        """Disturb every value once."""
        values = [
            (changeable.function, site)
            for changeable in functions
            for site in sites(changeable.function.tree)
            if site.is_value and site.is_whole and not isinstance(site.node, NO_NUMBERS)
        ]
        reached = list(limits.each(lambda value: _reach(trial, *value), values))
        penalties: dict[int, float] = {}
        for (_, site), reach in zip(values, reached, strict=True):
            for node in ast.walk(site.node):
                if not isinstance(reach, Lost):
                    penalties[id(node)] = max(penalties.get(id(node), 0.0), _penalty(reach))
        suspects = [
            (function, site)
            for (function, site), reach in zip(values, reached, strict=True)
            if reach == 1
            and isinstance(site.node, ast.expr)
            and not isinstance(site.node, HANDS_ON)
        ]
        mutants = [partial(_disturbed, *suspect) for suspect in suspects]
        kept = of_wrong_entries(trial, mutants, limits)
        found = {
            (Path(function.call.code.co_filename).name, site.node.lineno)
            for (function, site), is_kept in zip(suspects, kept, strict=True)
            if is_kept and isinstance(site.node, ast.expr)
        }
        few = sorted(found) if len(found) <= MOST_PLACES else ()
        places = tuple(f"{file}:{line}" for file, line in few)
        return cls(trial.context, functions, penalties, places)

    @property
    def likely(self) -> list[Mutation]:
        """Mutations that may correct all that is wrong, by their cost."""
        return self._mutations(self.functions, lambda penalty: penalty == 0)

    @property
    def unlikely(self) -> list[Mutation]:
        """Mutations of expressions that are idle, or have a part in some of what is wrong alone."""
        return self._mutations(self.functions, lambda penalty: 0 < penalty < SPOILING)

    @property
    def of_forward(self) -> list[Mutation]:
        """Mutations of what the forward runs, which may change the outputs."""
        return self._mutations([f for f in self.functions if f.in_forward], lambda _: True)

    def _penalty(self, site: Site) -> float:
        return self.penalties.get(id(site.node), 0.0)

    def _mutations(
        self, functions: Sequence[Changeable], wanted: Callable[[float], bool]
    ) -> list[Mutation]:
        """Return the mutations of functions at sites of the penalties that are wanted."""
        calls(self.context)  # leaves the layer's attributes as its functions knew them
        found = (m for f in functions for m in f.mutations(lambda s: wanted(self._penalty(s))))
        weighed = (replace(m, penalty=m.penalty + self._penalty(m.site)) for m in found)
        return sorted(weighed, key=lambda mutation: mutation.total_cost)


def _reach(trial: MutationTrial, function: FunctionSource, site: Site) -> float | None:
    """Return what a disturbance reaches of the wrong gradients; raises if it breaks down."""
    return trial.reach(_disturbed(function, site))


def _disturbed(function: FunctionSource, site: Site) -> Mutant:
    change = (DISTURBED.format(site.text), Bug.UNEXPLAINED, "", 0.0)
    return mutant_of(Mutation.of(site, change, function))


def _penalty(reach: float | None) -> float:
    if reach is None:
        return SPOILING
    if not reach:
        return IDLE
    return PARTLY if reach < 1 else 0.0
