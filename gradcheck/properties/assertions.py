"""What a property says when it does not hold, and the comparisons that make it say so."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gradcheck._types import Array
from gradcheck.properties.tolerance import Tolerance

# Characters of two numbers that still fit beside a sentence.
HEADLINE = 44


class PropertyViolationError(AssertionError):
    """A property does not hold at one input.

    Parameters
    ----------
    what
        What went wrong, in a sentence.
    where
        Row, index or array.
    got, expected
        The two things that should have agreed.
    allowed
        The error that would have been accepted, and where that figure comes from.
    cause
        The likely cause and its remedy, where this input alone tells it.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        got: object = None,
        expected: object = None,
        allowed: str = "",
        cause: str = "",
    ) -> None:
        self.what = what
        self.parts = {
            "where": where,
            "got": _text(got),
            "expected": _text(expected),
            "allowed": allowed,
            "cause": cause,
        }
        super().__init__(what)

    def __str__(self) -> str:
        lines = [f"  {label:<9} {text}" for label, text in self.parts.items() if text]
        return "\n".join([self.headline, *lines])

    @property
    def headline(self) -> str:
        """What went wrong, with the two numbers where they are short."""
        got, expected = self.parts["got"], self.parts["expected"]
        if not got or not expected or len(got) + len(expected) > HEADLINE:
            return self.what
        return f"{self.what}: got {got}, expected {expected}"


class FunctionRaisedError(Exception):
    """The function under test raised where it should have answered; its error is the cause."""


def require(condition: object, what: str, **parts: Any) -> None:
    """Raise a `PropertyViolationError` with ``parts`` unless ``condition`` is true."""
    if not condition:
        raise PropertyViolationError(what, **parts)


def require_shape(array: Array, shape: tuple[int, ...], what: str, *, cause: str = "") -> None:
    """Raise unless an array has that shape."""
    require(array.shape == shape, what, got=array.shape, expected=shape, cause=cause)


def require_close(
    got: ArrayLike,
    expected: ArrayLike,
    tolerance: Tolerance,
    what: str,
    *,
    unit: str = "entry",
    cause: str = "",
) -> None:
    """Raise at the worst entry unless ``got`` equals ``expected`` within ``tolerance``.

    A NaN in either fails; infinities agree only with themselves.

    Raises
    ------
    PropertyViolationError
        Naming the entry whose error exceeds its allowance by the largest factor.
    """
    actual, desired = np.broadcast_arrays(np.asarray(got), np.asarray(expected))
    bound = np.broadcast_to(tolerance.bound(desired), actual.shape)
    with np.errstate(all="ignore"):
        error = np.where(actual == desired, 0.0, np.abs(actual - desired))
    # Written so that a NaN error counts as exceeded.
    exceeded = ~(error <= bound)
    if not exceeded.any():
        return
    excess = np.where(exceeded, np.nan_to_num(error, nan=np.inf) - bound, -np.inf)
    worst = np.unravel_index(int(np.argmax(excess)), excess.shape)
    raise PropertyViolationError(
        what,
        where=_place(worst, actual.shape, unit),
        got=actual[worst],
        expected="a number" if np.isnan(desired[worst]) else desired[worst],
        allowed=f"{float(bound[worst]):.2g}: {tolerance.origin}",
        cause=cause,
    )


def require_same(got: Array, expected: Array, what: str, *, cause: str = "") -> None:
    """Raise unless the two arrays hold the same values, NaN being equal to NaN."""
    different = ~((got == expected) | ((got != got) & (expected != expected)))
    if different.any():
        first = tuple(int(i) for i in np.argwhere(different)[0])
        raise PropertyViolationError(
            what,
            where=_place(first, got.shape, "entry"),
            got=got[first],
            expected=expected[first],
            allowed="0: the same numbers are expected, bit for bit",
            cause=cause,
        )


def _place(index: tuple[Any, ...], shape: tuple[int, ...], unit: str) -> str:
    """Return "entry (0, 2) of shape (3, 4)"; for a row, the last axis is left out."""
    if unit == "row":
        index, shape = index[:-1], shape[:-1]
    if not index:
        return ""
    place = int(index[0]) if len(index) == 1 else tuple(int(i) for i in index)
    return f"{unit} {place} of {shape[0]}" if len(index) == 1 else f"{unit} {place} of {shape}"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, np.generic) and value.dtype.kind == "f":
        return repr(float(value)) if value.dtype.itemsize <= 8 else f"{value:.17g}"
    if isinstance(value, np.ndarray):
        return str(value.tolist())
    return str(value)
