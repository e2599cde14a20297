"""Every single change of a function's source that a slip of the pen may call for.

A wrong backward is most often one slip away from a right one (the competent programmer hypothesis:
DeMillo, Lipton and Sayward, "Hints on Test Data Selection", IEEE Computer 11(4), 1978). The kinds
of change are the mutation operators of that literature, read backwards, with NumPy's own added.
"""

from gradcheck.repair.edits import (  # noqa: F401 (they register their kinds)
    insertions,
    names,
    numbers,
    operators,
    places,
    reductions,
    slopes,
    statements,
)
from gradcheck.repair.edits.edit import KINDS, Before, Block, Edit, Role, Scope, Spot, expression
from gradcheck.repair.edits.spots import spots

__all__ = ["KINDS", "Before", "Block", "Edit", "Role", "Scope", "Spot", "expression", "spots"]
