"""check_jacobian(): a function and its Jacobian, whatever form that comes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.adapters.conventions.jacobian import FunctionAndJacobian
from gradcheck.check import check
from gradcheck.report.report import Report
from gradcheck_arguments import NonNegativeInt, checked


@checked
def check_jacobian(
    f: Callable[..., Any],
    jac: Callable[..., Any],
    x: Any,
    *args: Any,
    sparsity: Any = None,
    banded: tuple[NonNegativeInt, NonNegativeInt] | None = None,
    **options: Any,
) -> Report:
    """Check a Jacobian against numerical derivatives; ``check((f, jac), x)`` recognises most.

    Parameters
    ----------
    f
        The function, of arrays of any shape.
    jac
        Returns its Jacobian for the same arguments: a row for each output and a column for each
        entry of ``x``, or the axes of the output and then those of ``x``; an array, a sparse matrix
        or a linear operator. Of one output a row may come without its axis.
    x
        The point.
    *args
        More arguments of both functions, which are not differentiated.
    sparsity
        Where the Jacobian may be other than zero, an array or sparse matrix (outputs, entries): it
        is verified that nothing outside of it acts.
    banded
        ``(l, u)`` where ``jac`` returns the diagonals of a square matrix with l below and u above
        the main one, as `scipy.linalg.solve_banded` takes them.
    **options
        As for `check`.

    Returns
    -------
    Report
        ``report.tensors["x"].jacobian`` says which rows and columns of a wrong one are wrong.

    Examples
    --------
    >>> import numpy as np
    >>> import gradcheck
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> check_jacobian(lambda x: x**2, lambda x: 2 * x[None], x, banded=(0, 0)).ok
    True
    """
    if banded is not None and (len(banded) != 2 or min(banded) < 0):
        raise ValueError(f"banded={banded}: expected (l, u), two integers of at least 0")
    claim = FunctionAndJacobian(f, jac, sparsity, banded)
    return check(claim, x, *args, **options)
