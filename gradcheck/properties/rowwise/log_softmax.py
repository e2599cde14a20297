"""The properties of a log-softmax: ``x - max - log(sum(exp(x - max)))`` for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties import inputs, tolerance
from gradcheck.properties.array_function import ARRAY_FUNCTION, any_logits
from gradcheck.properties.assertions import require_close
from gradcheck.properties.known_bugs import Suspect, Vjp, answers_of, recognise, recognise_backward
from gradcheck.properties.property import Property
from gradcheck.properties.registry import Suite
from gradcheck.properties.rowwise.backward import ROW_BACKWARD
from gradcheck.properties.rowwise.laws import ROW_WISE
from gradcheck.properties.rowwise.row_function import RowFunction
from gradcheck.properties.tolerance import Tolerance


class LogSoftmaxUnderTest(RowFunction):
    """A log-softmax under test.

    Parameters
    ----------
    fn, axis, backward, ndims
        As for `RowFunction`.
    softmax
        The softmax whose logarithm it is, to be compared with it.
    """

    def __init__(
        self,
        fn: Any,
        axis: int = -1,
        backward: Callable[..., Any] | None = None,
        softmax: Callable[..., Any] | None = None,
        ndims: int | Iterable[int] | None = None,
    ) -> None:
        super().__init__(fn, axis, backward, ndims)
        self._softmax = softmax and RowFunction(softmax, axis)

    def missing(self, need: str) -> str:
        """Return why ``need`` is not there."""
        if need == "softmax":
            return "" if self._softmax else "no softmax was given"
        return super().missing(need)

    def exp(self, x: Array) -> Array:
        """Return the given softmax of ``x``."""
        if self._softmax is None:
            raise ValueError("no softmax was given")
        return self._softmax(x)

    def tolerance(self, x: Array) -> Tolerance:
        """Return the allowance for each entry, ``x - logsumexp(x)`` being admitted."""
        shifted = tolerance.log_probability(x)
        unshifted = tolerance.probability(x)
        return Tolerance(
            "2 (2 R + n + 8) eps, and as much again as exp(x - logsumexp(x)) is granted",
            absolute=shifted.absolute + unshifted.relative,
        )

    def likely_cause(self, failed: Property) -> str:
        """Return the known bug that would explain what the function does."""
        if self.missing("batch"):
            return ""
        return self._backward_cause if "backward" in failed.needs else self._forward_cause

    @cached_property
    def _forward_cause(self) -> str:
        named = recognise(answers_of(self), [Suspect(_log_softmax, "right"), *SUSPECTS])
        return named if named != "right" else ""

    @cached_property
    def _backward_cause(self) -> str:
        return recognise_backward(self.vjp, BACKWARD_SUSPECTS)


LAWS = Suite("log-softmax laws", LogSoftmaxUnderTest)

# Offsets at which the logits are still exact multiples of 1/8, in both dtypes.
FAR_OFFSETS = (("float64", 1e8), ("float64", -1e10), ("float32", 1e4), ("float32", -1e6))


def reference(x: Array) -> Array:
    """Return the log-softmax of each row in extended precision."""
    wide = x.astype(np.longdouble)
    shifted = wide - wide.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _logits_and_dtype(fn: LogSoftmaxUnderTest) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(any_logits(fn), st.sampled_from([np.float64, np.float32]))
    return pairs.map(lambda pair: {"x": pair[0]["x"].astype(pair[1])})


@LAWS.register(
    any_logits, why="Probabilities do not exceed 1; a positive entry makes a negative loss."
)
def never_positive(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """No entry is above zero."""
    y = fn(x)
    require_close(np.maximum(y, 0), np.zeros_like(y), fn.tolerance(x), "an entry is positive")


@LAWS.register(any_logits, why="The entries are read as logarithms of probabilities.")
def exponentials_sum_to_one(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """The exponentials of each row sum to one."""
    total = np.exp(fn(x).astype(np.longdouble)).sum(axis=-1, keepdims=True)
    allowance = fn.tolerance(x)
    require_close(
        total,
        np.ones_like(total),
        Tolerance(allowance.origin, absolute=2 * allowance.absolute),
        "the exponentials of a row do not sum to 1",
        unit="row",
    )


@LAWS.register(
    _logits_and_dtype, why="It is the definition; the other properties say which part fails."
)
def agrees_with_reference(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Every entry is that of a computation in extended precision."""
    require_close(fn(x), reference(x), fn.tolerance(x), "an entry differs from the exact one")


@LAWS.register(
    any_logits, why="It fixes base and scale, which the sum of exponentials leaves free."
)
def differences_kept(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Within a row, entries differ as the logits do."""
    y = fn(x).astype(np.longdouble)
    allowance = fn.tolerance(x)
    require_close(
        y - y[..., :1],
        x - x[..., :1],
        Tolerance(allowance.origin, absolute=2 * allowance.absolute),
        "entries of a row do not differ as the logits do",
        cause="another base than e, a scale, clipping, or a number added before the logarithm",
    )


@LAWS.register(
    lambda fn: inputs.shifted_logits(fn.ndims),
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


@LAWS.register(
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


@LAWS.register(
    pins=[
        {"x": np.array([1000.0, 0.0])},
        {"x": np.array([-1000.0, 0.0, -1000.0])},
        {"x": np.array([0.0, 1e300])},
    ],
    why="The logarithm of a softmax that underflowed is -inf, and so is the loss.",
)
def finite_where_softmax_underflows(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Where the probability underflows to zero, its logarithm is still a number."""
    x = x if x.ndim in fn.ndims else x[np.newaxis]
    require_close(
        fn(x),
        reference(x),
        tolerance.log_probability(x),
        "the logarithm of a very small probability is wrong",
        cause="the softmax is computed first and its logarithm taken; "
        "compute (x - max) - log(sum(exp(x - max)))",
    )


@LAWS.register(
    lambda fn: inputs.masked_logits(fn.ndims),
    why="Minus infinity is how attention masks and padding are written.",
)
def minus_infinity_stays(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """An entry of minus infinity stays so; the others are as if it were not there."""
    require_close(fn(x), reference(x), fn.tolerance(x), "a masked row comes out wrong")


@LAWS.register(any_logits, why="Its own result is normalised already.")
def idempotent(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Applied to its own result, the function changes nothing."""
    y = fn(x)
    allowance = fn.tolerance(x)
    require_close(
        fn(y),
        y,
        Tolerance(allowance.origin, absolute=2 * np.asarray(allowance.absolute)),
        "applying the function twice is not the same as once",
    )


@LAWS.register(
    any_logits,
    needs=["softmax"],
    why="Training uses the logarithm, prediction the softmax; they must describe one model.",
)
def agrees_with_softmax(fn: LogSoftmaxUnderTest, x: Array) -> None:
    """Its exponential is the given softmax."""
    value = tolerance.probability(x)
    require_close(
        np.exp(fn(x).astype(np.longdouble)),
        fn.exp(x),
        Tolerance(value.origin, 4 * value.relative, value.absolute),
        "exp(log_softmax(x)) is not softmax(x)",
    )


def _log_softmax(x: Array, axis: int | None = -1) -> Array:
    shifted = x - x.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def _pullback(x: Array, g: Array) -> Array:
    return np.asarray(g - np.exp(_log_softmax(x)) * g.sum(axis=-1, keepdims=True))


SUSPECTS = (
    Suspect(
        lambda x: _log_softmax(x, None),
        "the maximum and the sum run over the whole array; use axis=-1, keepdims=True in both",
    ),
    Suspect(lambda x: _log_softmax(x, 0), "the function normalises along axis 0; use axis=-1"),
    Suspect(
        lambda x: np.asarray(x - np.log(np.exp(x).sum(axis=-1, keepdims=True))),
        "no maximum is subtracted: exp overflows beyond 709; "
        "compute (x - max) - log(sum(exp(x - max)))",
    ),
    Suspect(
        lambda x: np.asarray(np.log(np.exp(_log_softmax(x)))),
        "the softmax is computed first and its logarithm taken, which is -inf where it underflows; "
        "compute (x - max) - log(sum(exp(x - max)))",
    ),
    Suspect(lambda x: np.exp(_log_softmax(x)), "this is the softmax; its logarithm is missing"),
    Suspect(lambda x: -_log_softmax(x), "the sign is flipped: this is the negative log-likelihood"),
    Suspect(lambda x: _log_softmax(x) / np.log(2), "the logarithm is to base 2; use np.log"),
    Suspect(lambda x: _log_softmax(x) / np.log(10), "the logarithm is to base 10; use np.log"),
)

BACKWARD_SUSPECTS: dict[str, Vjp] = {
    "the cotangent is passed through; return g - p * g.sum(axis=-1, keepdims=True)": lambda x, g: g,
    "this is the backward of the softmax; return g - p * g.sum(axis=-1, keepdims=True)": (
        lambda x, g: np.exp(_log_softmax(x)) * (g - (np.exp(_log_softmax(x)) * g).sum(-1)[:, None])
    ),
    "p is subtracted without the factor sum(g); return g - p * g.sum(axis=-1, keepdims=True)": (
        lambda x, g: g - np.exp(_log_softmax(x))
    ),
    "the cotangent is summed over the whole array; use axis=-1, keepdims=True": (
        lambda x, g: g - np.exp(_log_softmax(x)) * g.sum()
    ),
    "the sign is flipped; return g - p * g.sum(axis=-1, keepdims=True)": (
        lambda x, g: -_pullback(x, g)
    ),
}

SUITE = Suite(
    "log_softmax", LogSoftmaxUnderTest, include=[LAWS, ROW_WISE, ROW_BACKWARD, ARRAY_FUNCTION]
)
