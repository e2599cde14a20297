"""A library's gradient along one slice, beside the numbers: one dtype at a time."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.audit.formats import FORMATS
from benchmarks.audit.libraries.library import Floats, Library
from benchmarks.audit.points import points, representable
from benchmarks.audit.slices import Slice
from benchmarks.audit.truth import SAME_VALUE, UNDEFINED, Slope, truths
from gradcheck import derivative

# A derivative that the engine knows no better than this decides nothing.
DECISIVE = 1e-3


@dataclass(frozen=True)
class Numbers:
    """What the float64 function of a slice says at one point, whoever is judged by it.

    Attributes
    ----------
    value
        The function's value.
    measured
        The engine's one-sided derivatives; None where it knows none, or not well enough.
    bound
        The error bound of ``measured``.
    exact
        The formula's one-sided derivatives, None where there is no formula.
    """

    value: float
    measured: Slope | None
    bound: float
    exact: Slope | None


@dataclass(frozen=True)
class Reading:
    """A library's gradient at one point, in one dtype, and what it may be.

    Attributes
    ----------
    x
        The point.
    claimed
        The library's gradient.
    numbers
        What it is judged by.
    rounding
        How far it may be off in this dtype.
    """

    x: float
    claimed: float
    numbers: Numbers
    rounding: float

    @property
    def truth(self) -> Slope:
        """The one-sided derivatives: of the formula, or else as measured, if that is decisive."""
        return self.numbers.exact or self.numbers.measured or UNDEFINED

    @property
    def allowed(self) -> float:
        """How far from the truth the gradient may be."""
        return self.rounding + (0.0 if self.numbers.exact else self.numbers.bound)

    @property
    def distance(self) -> float:
        """How far the gradient is from every subgradient; NaN if it is NaN."""
        return self.truth.beyond(self.claimed)

    @property
    def error(self) -> float:
        """The distance relative to the truth."""
        return self.distance / self.truth.size if self.truth.size else math.inf

    @property
    def disagrees(self) -> bool:
        """Whether the gradient is further from the truth than allowed, where there is a truth."""
        return self.decided and not self.distance <= self.allowed

    @property
    def decided(self) -> bool:
        """Whether there is a derivative here, and it is known."""
        return self.truth is not UNDEFINED

    @property
    def engine_contradicts(self) -> bool:
        """Whether the engine's interval does not hold the formula's derivatives: an error of ours.

        But for what the values of operator and formula differ by, over a distance of ``|x|``. A
        flat formula says nothing of the engine: far out, every step of a staircase is a rounding.
        """
        n = self.numbers
        if n.measured is None or n.exact is None or n.exact is UNDEFINED or n.exact.size == 0:
            return False
        off = max(n.measured.beyond(n.exact.low), n.measured.beyond(n.exact.high))
        apart = SAME_VALUE * abs(n.value) / max(abs(self.x) / 8, 1)
        return off > n.bound + self.rounding + n.exact.unknown + apart


def measure(library: Library, each: Slice, dtypes: Sequence[str]) -> dict[str, list[Reading]]:
    """Return the readings of a slice by dtype, at all points where its function is finite."""
    at = points()
    values, _ = _quiet_slope(library, each, at, "float64")
    at, values = at[np.isfinite(values)], values[np.isfinite(values)]
    value = partial(library.value, each.function, dtype="float64")
    exact = truths(each, at, values)
    numbers = [
        _numbers(value, *one) for one in zip(at.tolist(), values.tolist(), exact, strict=True)
    ]
    return {dtype: _readings(library, each, at, numbers, dtype) for dtype in dtypes}


def _numbers(
    value: Callable[[Floats], Floats], x: float, at_x: float, exact: Slope | None
) -> Numbers:
    def f(t: Any) -> Any:
        return value(np.asarray(t, dtype=np.float64))

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = derivative(f, x, vectorized=True)
    if not math.isfinite(found.error_bound) or not math.isfinite(found.value):
        return Numbers(at_x, None, math.inf, exact)
    sides = sorted((found.kink.left, found.kink.right)) if found.kink else [found.value] * 2
    size = max(map(abs, sides))
    # values that are flat may have been rounded to that, beside a term of about one
    unseen = FORMATS["float64"].eps * (1 + abs(at_x)) / max(abs(x), 1)
    bound = max(found.side_bound, unseen)
    measured = Slope(*sides) if bound <= DECISIVE * size or size == 0 else None
    return Numbers(at_x, measured, bound, exact)


@np.errstate(all="ignore")
def _readings(
    library: Library, each: Slice, at: Floats, numbers: list[Numbers], dtype: str
) -> list[Reading]:
    """Return the readings of one dtype, where its function has the value that float64 gives it."""
    form = FORMATS[dtype]
    known = representable(at, form.dtype)
    at, numbers = at[known], [n for n, ok in zip(numbers, known, strict=True) if ok]
    if not len(at):
        return []
    try:
        got, claimed = _quiet_slope(library, each, at, dtype)
    except Exception:  # not for this dtype, which some libraries widen
        return []
    _, here = _quiet_slope(library, each, at, "float64")
    beside = [
        np.abs(_quiet_slope(library, each, at * (1 + shift), "float64")[1] - here)
        for shift in (-form.reach, -form.reach / 8, form.reach / 8, form.reach)
    ]
    moved = np.fmax.reduce([np.zeros(len(at)), *beside])  # a NaN allows nothing
    readings = []
    for x, n, y, slope, change in zip(at, numbers, got, claimed, moved, strict=True):
        truth = n.exact or n.measured or UNDEFINED
        size = 0.0 if truth is UNDEFINED else truth.size
        if size >= form.largest or not math.isfinite(y):
            continue
        if abs(y - n.value) > form.reach * (abs(n.value) + abs(x) * size) + form.absolute:
            continue
        rounding = form.reach * size + change + form.absolute
        readings.append(Reading(float(x), float(slope), n, float(rounding)))
    return readings


def _quiet_slope(library: Library, each: Slice, at: Floats, dtype: str) -> tuple[Floats, Floats]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return library.slope(each.function, at, dtype)
