"""A softmax as the properties see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.properties import tolerance
from gradcheck.properties.assertions import FunctionRaisedError, PropertyViolationError
from gradcheck.properties.known_bugs import PROBES
from gradcheck.properties.property import Property
from gradcheck.properties.rowwise.row_function import RowFunction
from gradcheck.properties.softmax.known_bugs import backward_cause, forward_cause
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

    def __init__(
        self,
        fn: Any,
        axis: int = -1,
        backward: Callable[..., Any] | None = None,
        log_softmax: Callable[..., Any] | None = None,
        ndims: int | Iterable[int] | None = None,
    ) -> None:
        super().__init__(fn, axis, backward, ndims)
        self._log_softmax = log_softmax and RowFunction(log_softmax, axis)

    def missing(self, need: str) -> str:
        """Return why ``need`` is not there."""
        if need == "log_softmax":
            return "" if self._log_softmax else "no log_softmax was given"
        return super().missing(need)

    def tolerance(self, x: Array) -> Tolerance:
        """Return the allowance for each probability."""
        return tolerance.probability(x)

    def log(self, x: Array) -> Array:
        """Return the given log-softmax of ``x``."""
        if self._log_softmax is None:
            raise ValueError("no log_softmax was given")
        return self._log_softmax(x)

    def likely_cause(self, failed: Property) -> str:
        """Return the known bug that would explain what the function does."""
        if self.missing("batch"):
            return ""
        if "backward" in failed.needs:
            return self._backward_cause
        return self._forward_cause or ("" if "batch" in failed.needs else self._vector_cause)

    @cached_property
    def _forward_cause(self) -> str:
        return forward_cause(self)

    @cached_property
    def _vector_cause(self) -> str:
        """What is wrong where batches come out right and the vectors in them do not."""
        if self.missing("vector"):
            return ""
        batch = PROBES[1]
        try:
            vectors_right = np.allclose([self(row) for row in batch], reference(batch), rtol=1e-9)
            batch_right = np.allclose(self(batch), reference(batch), rtol=1e-9)
        except (FunctionRaisedError, PropertyViolationError):
            return ""
        return VECTOR_AS_COLUMN if batch_right and not vectors_right else ""

    @cached_property
    def _backward_cause(self) -> str:
        return backward_cause(self.vjp)


def reference(x: Array) -> Array:
    """Return the softmax of each row in extended precision."""
    wide = x.astype(np.longdouble)
    e = np.exp(wide - wide.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))
