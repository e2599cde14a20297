"""A softmax as the properties see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.softmax import softmax
from gradcheck.properties import tolerance
from gradcheck.properties.assertions import FunctionRaisedError, PropertyViolationError
from gradcheck.properties.known_bugs import PROBES
from gradcheck.properties.property import Property
from gradcheck.properties.rowwise.row_function import RowFunction
from gradcheck.properties.softmax.known_bugs import BACKWARD_BUGS, forward_cause
from gradcheck.properties.tolerance import Tolerance

VECTOR_AS_COLUMN = (
    "batches come out right, but a vector is taken for something else than one row, as if it were "
    "a column of samples; use axis=-1 or refuse vectors (or pass the option ndims=2 if it is meant "
    "for batches only)"
)


class SoftmaxUnderTest(RowFunction):
    """A softmax under test.

    Parameters
    ----------
    fn, axis, backward, ndims
        As for `RowFunction`.
    log_softmax
        The logarithm of the same softmax, ``log_softmax(x)``, to be compared with it.
    """

    backward_imitations = BACKWARD_BUGS

    def __init__(
        self,
        fn: Any,
        axis: int = -1,
        backward: Callable[..., Any] | None = None,
        log_softmax: Callable[..., Any] | None = None,
        ndims: int | Iterable[int] | None = None,
    ) -> None:
        super().__init__(fn, axis, backward, ndims, log_softmax=log_softmax)

    def tolerance(self, x: Array) -> Tolerance:
        """Return the allowance for each probability."""
        return tolerance.probability(x)

    def likely_cause(self, failed: Property) -> str:
        """Return the known bug that would explain what the function does."""
        only_vectors = "backward" not in failed.needs and "batch" not in failed.needs
        return super().likely_cause(failed) or (self._vector_cause if only_vectors else "")

    @cached_property
    def forward_cause(self) -> str:
        """The known bug that the function has."""
        return forward_cause(self)

    @cached_property
    def _vector_cause(self) -> str:
        """What is wrong where batches come out right and the vectors in them do not."""
        if self.missing("batch") or self.missing("vector"):
            return ""
        batch = PROBES[1]
        try:
            vectors_right = np.allclose([self(row) for row in batch], reference(batch), rtol=1e-9)
            batch_right = np.allclose(self(batch), reference(batch), rtol=1e-9)
        except (FunctionRaisedError, PropertyViolationError):
            return ""
        return VECTOR_AS_COLUMN if batch_right and not vectors_right else ""


def reference(x: Array) -> Array:
    """Return the softmax of each row in extended precision."""
    return softmax(x.astype(np.longdouble))
