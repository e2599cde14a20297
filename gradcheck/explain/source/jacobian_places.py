"""Which expressions make the wrong entries of a claimed Jacobian, and no right ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.jacobian.claimed import ClaimedJacobian
from gradcheck.explain.source.function_source import Mutant
from gradcheck.explain.source.limits import Limits
from gradcheck.explain.source.mutation_trial import MutationTrial
from gradcheck.isolation import Lost


def of_wrong_entries(
    trial: MutationTrial, mutants: Sequence[Callable[[], Mutant]], limits: Limits
) -> list[bool]:
    """Return which mutants, made on demand, change wrong entries of the Jacobian alone.

    All do where there is no Jacobian that is known entry by entry, and where no mutant does: of
    what is left out, the whole is to blame.
    """
    every = [True] * len(mutants)
    target = trial.context.native.target
    if target.jacobians is None or len(trial.failed) != 1:
        return every
    (name,) = trial.failed
    claimed = ClaimedJacobian.of(trial.context, trial.context.base, name)
    entries = None if claimed is None else claimed.entries()
    if claimed is None or entries is None or not entries.is_whole:
        return every
    wrong, before = entries.dense(entries.wrong) != 0, _dense(claimed.matrix)
    right = ~wrong & (before != 0)  # a disturbed block fills its zeros

    def keeps_right(make: Callable[[], Mutant]) -> bool:
        assert target.jacobians is not None
        with trial.trying(make()):
            changed = _dense(target.jacobians(target.tensors)[name]) != before
        return bool(np.any(changed & wrong) and not np.any(changed & right))

    found = [not isinstance(kept, Lost) and kept for kept in limits.each(keeps_right, mutants)]
    return found if any(found) else every


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)
