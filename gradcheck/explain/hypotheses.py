"""All hypotheses that are tried, by the evidence that they need: the order settles equal costs.

Those along directions act on the cotangent or the gradient of a tensor of any size. Those at every
entry need a Jacobian small enough to be measured, those of matrices one that was claimed as such,
those on the way back a forward that can be recorded. Each kind of evidence names bugs that the
others do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.jacobian import (
    additive_term,
    chain_rule_terms,
    elementwise,
    index_moves,
    jacobian_misuse,
    loss_formulas,
    matrix_places,
    matrix_values,
    output_factors,
    precision,
    ratios,
    reductions,
    regions,
)
from gradcheck.explain.jacobian.claimed_matrix import ClaimedMatrix
from gradcheck.explain.jacobian.measured_jacobian import MeasuredJacobian
from gradcheck.explain.observation import Observation
from gradcheck.explain.operators import conjugate, layout, other_forward
from gradcheck.explain.trace import (
    accumulation,
    indexing,
    local_derivatives,
    other_loss,
    saved_values,
)
from gradcheck.explain.trace.backward_pass import BackwardPass

ALONG_DIRECTIONS: tuple[Callable[[Observation], Iterator[Hypothesis]], ...] = (
    other_forward.gradient_of_other_loss,
    other_forward.predictions_of_rows_alone,
    conjugate.conjugate_missing,
    layout.last_sample_only,
    layout.summed_to_scalar,
    layout.transposed,
    other_forward.swapped,
    other_forward.other_tensor_moved,
)

AT_EVERY_ENTRY: tuple[Callable[[MeasuredJacobian], Iterator[Hypothesis]], ...] = (
    additive_term.additive_term,
    regions.support,
    regions.off_diagonal,
    regions.region,
    regions.few_entries,
    elementwise.local_derivative,
    elementwise.wrong_branch,
    elementwise.formula_of_the_derivative,
    elementwise.ratio_by_formula,
    elementwise.other_function_of_the_entry,
    ratios.ratio_of_derivative,
    ratios.derivative_of_other_function,
    ratios.ratio_of_tensor,
    ratios.ratio_by_index,
    loss_formulas.other_formula,
    jacobian_misuse.jacobian_misused,
    jacobian_misuse.blocks,
    output_factors.output_factor,
    chain_rule_terms.normalisation_path,
    chain_rule_terms.identity_branch,
    index_moves.moved,
    index_moves.moved_cotangent,
    precision.whole_numbers,
    precision.inaccurate,
    reductions.summed_over_other_axis,
    reductions.reduced_and_spread,
    reductions.sum_along_other_axis,
    reductions.overwritten,
    reductions.weights_on_another_axis,
)

OF_MATRICES: tuple[Callable[[ClaimedMatrix], Iterator[Hypothesis]], ...] = (
    matrix_values.multiples,
    matrix_values.asymmetric,
    matrix_places.transposed,
    matrix_places.exchanged,
    matrix_places.shifted_diagonals,
    matrix_places.displaced_diagonal,
    matrix_values.identity,
    matrix_values.scaled_rows,
    matrix_values.added,
    matrix_values.misplaced,
    matrix_values.inaccurate,
)

ON_THE_WAY_BACK: tuple[Callable[[BackwardPass], Iterator[Hypothesis]], ...] = (
    local_derivatives.skipped,
    other_loss.other_losses,
    accumulation.overwritten,
    accumulation.over_other_axes,
    indexing.shifted,
    indexing.crowded,
    indexing.in_another_order,
    saved_values.remembered,
    saved_values.transposed,
    local_derivatives.paths,
    local_derivatives.slopes,
)
