"""The properties of a log-softmax, ``x - max - log(sum(exp(x - max)))`` for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.softmax import log_softmax, log_softmax_vjp, softmax, softmax_vjp
from gradcheck.properties import inputs, tolerance
from gradcheck.properties.array_function import in_both_precisions
from gradcheck.properties.assertions import require_close
from gradcheck.properties.known_bugs import Imitations
from gradcheck.properties.property import for_all
from gradcheck.properties.rowwise.row_function import RowFunction
from gradcheck.properties.tolerance import Tolerance
from gradcheck_arguments import checked

# Offsets at which the logits are still exact multiples of 1/8, in both dtypes.
FAR_OFFSETS = (("float64", 1e8), ("float64", -1e10), ("float32", 1e4), ("float32", -1e6))

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

    @checked
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


@for_all(
    inputs.logits, why="Probabilities do not exceed 1; a positive entry makes a negative loss."
)
def never_positive(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """No entry is above zero."""
    y = fn(x)
    require_close(np.maximum(y, 0), np.zeros_like(y), fn.tolerance(x), "an entry is positive")


@for_all(inputs.logits, why="The entries are read as logarithms of probabilities.")
def exponentials_sum_to_one(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """The exponentials of each row sum to one."""
    total = np.exp(fn(x).astype(np.longdouble)).sum(axis=-1, keepdims=True)
    require_close(
        total,
        np.ones_like(total),
        fn.tolerance(x) * 2,
        "the exponentials of a row do not sum to 1",
        unit="row",
    )


@for_all(in_both_precisions, why="It is the definition; the other properties say which part fails.")
def agrees_with_reference(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Every entry is that of a computation in extended precision."""
    require_close(fn(x), reference(x), fn.tolerance(x), "an entry differs from the exact one")


@for_all(inputs.logits, why="It fixes base and scale, which the sum of exponentials leaves free.")
def differences_kept(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Within a row, entries differ as the logits do."""
    y = fn(x).astype(np.longdouble)
    require_close(
        y - y[..., :1],
        x - x[..., :1],
        fn.tolerance(x) * 2,
        "entries of a row do not differ as the logits do",
        cause="another base than e, a scale, clipping, or a number added before the logarithm",
    )


@for_all(
    inputs.shifted_logits,
    why="It is what allows the maximum to be subtracted; without it large logits overflow.",
)
def shift_invariant(fn: LogSoftmaxUnderTest, x: Array, c: Array) -> None:
    """Adding a constant to all logits of a row changes nothing."""
    require_close(
        fn(x + c),
        fn(x),
        fn.tolerance(x + c),
        "adding a constant to each row changes the result",
        cause="exp overflows or underflows: subtract each row's own maximum first",
    )


@for_all(
    pins=[{"dtype": dtype, "offset": offset} for dtype, offset in FAR_OFFSETS],
    why="x - logsumexp(x) is right on paper, but rounds a number as large as the logits: at 1e8 "
    "the cross-entropy of two equal logits comes out as 0 or 2e-8 off, in float32 far sooner.",
)
def digits_kept_far_from_zero(fn: LogSoftmaxUnderTest, dtype: str, offset: float) -> None:
    """Logits far from zero lose no digits."""
    x = (offset + np.array([[0.0, 0.0, -1.0], [2.0, -4.0, 1.0]])).astype(dtype)
    x = x if 2 in fn.ndims else x[1]
    require_close(
        fn(x),
        reference(x),
        tolerance.log_probability(x),
        "logits far from zero lose digits",
        cause="the maximum is added back before the subtraction, as in x - logsumexp(x); "
        "compute (x - max) - log(sum(exp(x - max)))",
    )


@for_all(
    pins=[
        {"x": np.array([1000.0, 0.0])},
        {"x": np.array([-1000.0, 0.0, -1000.0])},
        {"x": np.array([0.0, 1e300])},
    ],
    why="The logarithm of a softmax that underflowed is -inf, and so is the loss.",
)
def finite_where_softmax_underflows(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Where the probability underflows to zero, its logarithm is still a number."""
    x = fn.fitting(x)
    require_close(
        fn(x),
        reference(x),
        tolerance.log_probability(x),
        "the logarithm of a very small probability is wrong",
        cause="the softmax is computed first and its logarithm taken; "
        "compute (x - max) - log(sum(exp(x - max)))",
    )


@for_all(
    inputs.masked_logits,
    why="Minus infinity is how attention masks and padding are written.",
)
def minus_infinity_stays(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """An entry of minus infinity stays so; the others are as if it were not there."""
    require_close(fn(x), reference(x), fn.tolerance(x), "a masked row comes out wrong")


@for_all(inputs.logits, why="Its own result is normalised already.")
def idempotent(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Applied to its own result, the function changes nothing."""
    y = fn(x)
    require_close(
        fn(y), y, fn.tolerance(x) * 2, "applying the function twice is not the same as once"
    )


@for_all(
    inputs.logits,
    needs=["softmax"],
    why="Training uses the logarithm, prediction the softmax; they must describe one model.",
)
def agrees_with_softmax(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Its exponential is the given softmax."""
    require_close(
        np.exp(fn(x).astype(np.longdouble)),
        fn.companion("softmax", x),
        tolerance.probability(x) * 4,
        "exp(log_softmax(x)) is not softmax(x)",
    )
