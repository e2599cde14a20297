"""Every single change of a function's source that may correct a mistake.

A wrong backward is most often one mistake away from a right one (the competent programmer
hypothesis: DeMillo, Lipton and Sayward, "Hints on Test Data Selection", IEEE Computer 11(4), 1978).
The changes are made by the mutation operators of that literature, read backwards, with NumPy's own
added.
"""

from __future__ import annotations

import ast
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator

from gradcheck.explain.source.function_source import FunctionSource
from gradcheck.explain.source.mutations import (
    activation_derivatives,
    conjugates,
    missing_factors,
    reductions,
    rewrite_table,
    statements,
    variables,
)
from gradcheck.explain.source.mutations.mutation import Block, Change, Mutation, mutant_of
from gradcheck.explain.source.mutations.scope import Scope
from gradcheck.explain.source.mutations.sites import Site, TreePosition, sites
from gradcheck.explain.source.mutations.syntax import text

__all__ = ["OPERATORS", "Mutation", "Scope", "Site", "mutant_of", "mutations", "sites"]

# What each yields, of one sort, that a site allows. Of operators that make the same change the
# first one names it.
OPERATORS: tuple[Callable[[Site, Scope], Iterator[Change]], ...] = (
    activation_derivatives.forgotten,
    activation_derivatives.at_another,
    activation_derivatives.too_many,
    conjugates.missing,
    conjugates.superfluous,
    variables.wrapped,
    missing_factors.factors,
    missing_factors.derivatives,
    missing_factors.deltas,
    missing_factors.means,
    missing_factors.products,
    missing_factors.terms,
    variables.exchanged,
    variables.renamed,
    variables.indices,
    variables.slices,
    variables.numbers,
    variables.axes,
    rewrite_table.rewritten,
    variables.masks,
    statements.early,
    statements.dedented,
    statements.indented,
    reductions.functions,
    reductions.reductions,
    statements.all_accumulated,
    statements.superfluous,
    statements.swapped,
)

# Blanks and parentheses: most change nothing.
OPTIONAL = str.maketrans("", "", " ()\n")


def mutations(
    function: FunctionSource, scope: Scope, wanted: Callable[[Site], bool] = lambda site: True
) -> Iterator[Mutation]:
    """Yield the changes of a function, of the sites that are wanted, each once."""
    seen: dict[tuple[TreePosition, str], list[Mutation]] = defaultdict(list)
    for site in filter(wanted, sites(function.tree)):
        for operator in OPERATORS:
            with contextlib.suppress(SyntaxError):  # what cannot be written so is no change
                for change in operator(site, scope):
                    mutation = Mutation.of(site, change, function)
                    alike = seen[mutation.site.position, _letters(change[0])]
                    if all(mutation.tree != other.tree for other in alike):
                        alike.append(mutation)
                        yield mutation


def _letters(new: str | ast.AST | Block) -> str:
    """Return a source without what may be written or not: only few trees need to be compared."""
    if isinstance(new, str):
        source = new
    else:
        source = "".join(map(text, new)) if isinstance(new, Block) else text(new)
    return source.translate(OPTIONAL)
