"""Every single change of a function's source that a slip of the pen may call for.

A wrong backward is most often one slip away from a right one (the competent programmer hypothesis:
DeMillo, Lipton and Sayward, "Hints on Test Data Selection", IEEE Computer 11(4), 1978). The kinds
of change are the mutation operators of that literature, read backwards, with NumPy's own added.
"""

from gradcheck.explain.source.mutations import (  # noqa: F401 # isort: skip (the order of their tries)
    missing_factors,
    variables,
    constants,
    operators,
    statement_order,
    reductions,
    activation_derivatives,
    assignments,
)
from gradcheck.explain.source.mutations.mutation import (
    KINDS,
    Before,
    Block,
    Mutation,
    Role,
    Scope,
    Site,
    expression,
)
from gradcheck.explain.source.mutations.sites import spots

__all__ = ["KINDS", "Before", "Block", "Mutation", "Role", "Scope", "Site", "expression", "spots"]
