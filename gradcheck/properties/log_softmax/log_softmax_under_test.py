"""A log-softmax as the properties see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.softmax import log_softmax, log_softmax_vjp, softmax, softmax_vjp
from gradcheck.properties import tolerance
from gradcheck.properties.known_bugs import Imitations
from gradcheck.properties.rowwise.row_function import RowFunction
from gradcheck.properties.tolerance import Tolerance

BUGS: Imitations = {
    "": log_softmax,
    "the maximum and the sum run over the whole array; use axis=-1, keepdims=True in both": (
        lambda x: log_softmax(x, None)
    ),
    "the function normalises along axis 0; use axis=-1": lambda x: log_softmax(x, 0),
    "no maximum is subtracted: exp overflows beyond 709; "
    "compute (x - max) - log(sum(exp(x - max)))": (
        lambda x: x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
    ),
    "the softmax is computed first and its logarithm taken, which is -inf where it underflows; "
    "compute (x - max) - log(sum(exp(x - max)))": lambda x: np.log(softmax(x)),
    "this is the softmax; its logarithm is missing": softmax,
    "the sign is flipped: this is the negative log-likelihood": lambda x: -log_softmax(x),
    "the logarithm is to base 2; use np.log": lambda x: log_softmax(x) / np.log(2),
    "the logarithm is to base 10; use np.log": lambda x: log_softmax(x) / np.log(10),
}

BACKWARD_BUGS: Imitations = {
    "the cotangent is passed through; return g - p * g.sum(axis=-1, keepdims=True)": lambda x, g: g,
    "this is the backward of the softmax; return g - p * g.sum(axis=-1, keepdims=True)": (
        lambda x, g: softmax_vjp(softmax(x), g)
    ),
    "p is subtracted without the factor sum(g); return g - p * g.sum(axis=-1, keepdims=True)": (
        lambda x, g: g - softmax(x)
    ),
    "the cotangent is summed over the whole array; use axis=-1, keepdims=True": (
        lambda x, g: g - softmax(x) * g.sum()
    ),
    "the sign is flipped; return g - p * g.sum(axis=-1, keepdims=True)": (
        lambda x, g: -log_softmax_vjp(softmax(x), g)
    ),
}


class LogSoftmaxUnderTest(RowFunction):
    """A log-softmax under test.

    Parameters
    ----------
    fn, axis, backward, ndims
        As for `RowFunction`.
    softmax
        The softmax whose logarithm it is, to be compared with it.
    """

    imitations = BUGS
    backward_imitations = BACKWARD_BUGS

    def __init__(
        self,
        fn: Any,
        axis: int = -1,
        backward: Callable[..., Any] | None = None,
        softmax: Callable[..., Any] | None = None,
        ndims: int | Iterable[int] | None = None,
    ) -> None:
        super().__init__(fn, axis, backward, ndims, softmax=softmax)

    def tolerance(self, x: Array) -> Tolerance:
        """Return the allowance for each entry, ``x - logsumexp(x)`` being admitted."""
        shifted = tolerance.log_probability(x)
        unshifted = tolerance.probability(x)
        return Tolerance(
            "2 (2 R + n + 8) eps, and as much again as exp(x - logsumexp(x)) is granted",
            absolute=shifted.absolute + unshifted.relative,
        )


def reference(x: Array) -> Array:
    """Return the log-softmax of each row in extended precision."""
    return log_softmax(x.astype(np.longdouble))
