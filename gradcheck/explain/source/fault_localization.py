"""Which expressions can hold the slip: those that reach wrong gradients, and no right ones.

Every value that a statement assigns or returns is disturbed once. What is disturbed with a right
gradient is hardly wrong itself, and neither is what no wrong gradient depends on: changes there are
tried last. A run each saves the many that all changes of the expression would take.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gradcheck.explain.source.candidates import Candidate
from gradcheck.explain.source.functions import Routine
from gradcheck.explain.source.mutations import Mutation, Role, Site, expression
from gradcheck.explain.source.mutations.sites import spots
from gradcheck.explain.source.validate import MutationTrial

# A disturbance that no sum, product or normalisation cancels.
DISTURBED = "({}) * 1.25 + 0.0625"

# Expressions whose value is no array.
NO_NUMBERS = (ast.Tuple, ast.List, ast.Dict, ast.Constant, ast.ListComp, ast.Slice)

# What a change costs more where it cannot be the one, for all that is seen.
ASIDE = 1.0


def likeliest_first(trial: MutationTrial, possible: Sequence[Candidate]) -> list[Candidate]:
    """Return the changes with those of idle expressions, or of right ones, at a higher cost."""
    routines = {id(c.routine): c for c in possible}
    aside = {
        id(node)
        for c in routines.values()
        for site in _values(c.routine)
        if not _is_suspect(trial, c, site)
        for node in ast.walk(site.node)
    }
    weighed = [
        replace(c, cost=c.cost + ASIDE) if id(c.edit.site.node) in aside else c for c in possible
    ]
    return sorted(weighed, key=lambda candidate: candidate.cost)


def _values(routine: Routine) -> Iterator[Site]:
    for site in spots(routine.tree):
        is_value = isinstance(site.node, ast.expr) and site.is_whole and site.role is Role.VALUE
        if is_value and not isinstance(site.node, NO_NUMBERS):
            yield site


def _is_suspect(trial: MutationTrial, like: Candidate, site: Site) -> bool:
    """Whether a disturbance shows in wrong gradients alone, or breaks down before it shows."""
    disturbed = expression(DISTURBED.format(ast.unparse(site.node)))
    edit = Mutation(site, disturbed, "", "", 0.0)
    code = replace(like, edit=edit).code()
    return code is None or trial.reaches_wrong_alone(like.routine, code) is not False
