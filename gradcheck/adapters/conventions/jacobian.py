"""A function and its Jacobian, said to be one: dense, sparse or banded, with its pattern."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import numpy as np

from gradcheck.adapters.callable_target import CallableTarget
from gradcheck.adapters.conventions.function_pair import described_as
from gradcheck.adapters.signatures.error_hints import Mismatch
from gradcheck.adapters.signatures.readings import Gives, Reading
from gradcheck.array_containers import is_sparse
from gradcheck.checking.jacobian.claimed import ClaimedJacobian
from gradcheck.checking.jacobian.sparsity import is_covered
from gradcheck.target import Target
from gradcheck.values import TargetError

FORM = "a function and its Jacobian, as check_jacobian takes them"


@dataclass(frozen=True)
class FunctionAndJacobian:
    """What `gradcheck.check_jacobian` was given.

    Attributes
    ----------
    function, jacobian
        Functions of the same arguments.
    sparsity
        Where the Jacobian may be other than zero, (outputs, entries); None where nothing is said.
    banded
        How many diagonals below and above the main one are stored as `scipy.linalg.solve_banded`
        takes them; None where the Jacobian comes as a matrix.
    """

    function: Callable[..., Any]
    jacobian: Callable[..., Any]
    sparsity: Any = None
    banded: tuple[int, int] | None = None


def describe(thing: Any, arguments: Sequence[Any], params: Any = None) -> Target | Mismatch:
    """Return the target of what `gradcheck.check_jacobian` was given."""
    del params  # those of functions of arrays are their arguments
    if not isinstance(thing, FunctionAndJacobian):
        return Mismatch(FORM)
    jacobian = thing.jacobian
    if thing.banded is not None:
        jacobian = _unpacked(jacobian, thing.banded)
    reading = Reading.of_inputs(len(arguments), Gives.JACOBIAN)
    try:
        description = described_as((thing.function, jacobian), arguments, [reading])
    except ValueError as error:
        raise TargetError(f"jac: {error}; return one row for each output") from error
    target = CallableTarget(replace(description, owed=())).target()
    if thing.sparsity is not None:
        promise = _has_pattern(target, thing.sparsity)
        target.promises = {**target.promises, "sparsity": promise}
    return target


def _unpacked(jacobian: Callable[..., Any], banded: tuple[int, int]) -> Callable[..., Any]:
    """Return what returns the matrix of which ``jacobian`` returns the diagonals."""
    lower, upper = banded

    @wraps(jacobian)
    def unpacked(*arguments: Any) -> Any:
        from scipy.sparse import dia_array

        stored = np.asarray(jacobian(*arguments))
        if stored.ndim != 2 or len(stored) != lower + upper + 1:
            raise TargetError(
                f"banded={banded} asks for {lower + upper + 1} diagonals, an array of shape "
                f"({lower + upper + 1}, n) as scipy.linalg.solve_banded takes it; jac returned "
                f"shape {stored.shape}"
            )
        size = stored.shape[1]
        return dia_array((stored, np.arange(upper, -lower - 1, -1)), shape=(size, size)).tocsr()

    return unpacked


def _has_pattern(target: Target, sparsity: Any) -> Callable[[], tuple[bool | None, str]]:
    """Return what tells whether the Jacobian is zero outside of the pattern that was declared."""
    from scipy.sparse import csr_array

    assert target.jacobians is not None
    name, matrix = next(iter(target.jacobians(target.tensors).items()))
    if not (is_sparse(sparsity) or np.ndim(sparsity) == 2):
        raise TargetError(
            f"sparsity={sparsity!r:.60}: expected an array or a sparse matrix of truth values, of "
            f"the Jacobian's shape {matrix.shape}"
        )
    pattern = csr_array(sparsity) != 0
    if pattern.shape != matrix.shape:
        raise TargetError(
            f"sparsity has shape {pattern.shape}; the Jacobian has shape {matrix.shape}, a row for "
            f"each output and a column for each entry of {name}"
        )
    return lambda: is_covered(ClaimedJacobian.at_point_of(target, name, matrix), pattern)
