"""A function of one or many variables, restricted to a line along one of them or several."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.numerics.polynomial_fit import FloatArray
from gradcheck.numerics.samples import Samples, first_step

FloatType = Callable[[float], Any]


def real(value: Any) -> FloatArray:
    """Return ``value`` as float64 array; TypeError where it is not made of real numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"f must return real numbers, got {value!r}")
    return array.astype(np.float64)


def float_type(value: Any) -> FloatType:
    """Return the floating type of ``value`` if it is narrower than float64, or else float."""
    dtype = np.asarray(value).dtype
    return dtype.type if dtype in (np.float16, np.float32) else float


def epsilon(dtype: Any) -> float:
    """Return the distance of 1 to the next number of a floating type."""
    return float(np.finfo(dtype).eps)


# Leaps of the search for the end of a flat stretch, each by a factor of about 50.
HORIZON = 3


class Line:
    """The values of f(origin + step), remembered, as arrays.

    Parameters
    ----------
    f
        The function; given scalars of ``kind``.
    origin
        The point, exact in ``kind``.
    kind
        The floating type of the arguments.
    scale
        Distance over which f varies; by default a guess from ``origin``.
    vectorized
        Whether f is given an array of points, and returns its values there along the first axis.
    beside
        Another line through the same point, from which the value there is taken.
    """

    def __init__(
        self,
        f: Callable[[Any], Any],
        origin: float,
        kind: FloatType,
        scale: float | None,
        *,
        vectorized: bool = False,
        beside: Line | None = None,
    ) -> None:
        if scale is not None and not 0 < scale < math.inf:
            raise ValueError(f"scale must be positive and finite, got {scale!r}")
        if not math.isfinite(origin):
            raise ValueError(f"the point must be finite, got {origin!r}")
        self.f = f
        self.origin = origin
        self.kind = kind
        self.vectorized = vectorized
        self.known: dict[float, FloatArray] = {}
        self.evaluations_of_base = 0 if beside else 1
        if beside is None:
            with np.errstate(all="ignore"):
                value = self._value(kind(origin))
            self.base = real(value)
            self.value_eps = epsilon(float_type(value))
        else:
            self.base, self.value_eps = beside.base, beside.value_eps

        self.eps = max(self.value_eps, epsilon(kind))
        self.longest = first_step(scale or max(abs(origin), 1.0), self.eps)
        self.closest = max(
            epsilon(kind) ** 0.75 * (scale or min(abs(origin) or 1.0, 1.0)),
            2**8 * abs(float(np.spacing(kind(origin)))),
        )

    @property
    def evaluations(self) -> int:
        """Number of calls of f."""
        return self.evaluations_of_base + len(self.known)

    @property
    def only(self) -> Samples:
        """The samples of a function of which the value is one number."""
        if self.base.size != 1:
            raise ValueError(f"f must return one number, got shape {self.base.shape}; see jacobian")
        return next(self.components())

    def components(self) -> Iterator[Samples]:
        """Yield the samples of every component of f, less its value at the origin."""
        for index in np.ndindex(self.base.shape):
            yield Samples(
                partial(self._change, index),
                self.longest,
                offset=float(self.base[index]),
                eps=self.value_eps,
                step=self._representable,
                horizon=HORIZON,
                prefetch=self._prefetch if self.vectorized else None,
            )

    def _prefetch(self, steps: list[float]) -> None:
        """Evaluate f at all steps that are new with one call."""
        new = {step: None for step in map(self._representable, steps) if step not in self.known}
        points = np.array([self.kind(self.origin + step) for step in new])
        try:
            with np.errstate(all="ignore"):
                changes = real(self.f(points)) - self.base
        except (ArithmeticError, AssertionError, ValueError):
            return  # one of them may be outside of the domain: they will be asked for one by one
        if changes.shape == (len(new), *self.base.shape):
            self.known.update(zip(new, changes, strict=True))

    def _value(self, argument: Any) -> Any:
        if not self.vectorized:
            return self.f(argument)
        values = self.f(np.array([argument]))
        if np.shape(values)[:1] != (1,):
            raise ValueError(
                "vectorized=True: f must return one value for every point along the first axis, "
                f"got shape {np.shape(values)} for one point"
            )
        return values[0]

    def _representable(self, step: float) -> float:
        with np.errstate(over="ignore"):
            representable = float(self.kind(self.origin + step))
        return representable - self.origin

    def _change(self, index: tuple[int, ...], step: float) -> float:
        if step not in self.known:
            with np.errstate(all="ignore"):
                self.known[step] = self._evaluate(self.kind(self.origin + step)) - self.base
        return float(self.known[step][index])

    def _evaluate(self, argument: Any) -> FloatArray:
        """Return f there, NaN where it is undefined."""
        try:
            value = real(self._value(argument))
        except (ArithmeticError, AssertionError, ValueError, TypeError):
            return np.full(self.base.shape, math.nan)
        if value.shape != self.base.shape:
            raise ValueError(
                f"f must keep its shape: {self.base.shape} at the point, {value.shape} beside it"
            )
        return value


class Diagonal(Line):
    """The values of f(point + step * moves), by steps that are exact in every entry that moves.

    Parameters
    ----------
    f, point, vectorized
        As in `lines_of`.
    moves
        By index of an entry, how far it moves in one step: powers of two, or minus those. Steps
        of 1 are what a first window should span.
    beside
        A line along one of the entries.
    """

    def __init__(
        self,
        f: Callable[[Any], Any],
        point: NDArray[Any],
        moves: Mapping[tuple[int, ...], float],
        *,
        vectorized: bool,
        beside: Line,
    ) -> None:
        self.entries = [(abs(float(point[index])), abs(move)) for index, move in moves.items()]

        def f_of_step(step: Any) -> Any:
            moved = _copies(point, step)
            for index, move in moves.items():
                moved[_everywhere(index)] += np.multiply(step, move, dtype=np.float64)
            return f(moved)

        super().__init__(f_of_step, 0.0, beside.kind, 1.0, vectorized=vectorized, beside=beside)
        self.longest = 1.0
        self.closest = max(self.closest, 2**8 * self._spacing(0.0))

    def _spacing(self, step: float) -> float:
        """Return what steps about this long are multiples of, in float64 a power of two."""
        with np.errstate(all="ignore"):
            return max(
                float(np.spacing(self.kind(size + abs(step) * move))) / move
                for size, move in self.entries
            )

    def _representable(self, step: float) -> float:
        spacing = self._spacing(step)
        return round(step / spacing) * spacing if math.isfinite(spacing) else step


def lines_of(
    f: Callable[[Any], Any], point: NDArray[Any], scale: float | None, vectorized: bool
) -> list[Line]:
    """Return a function of an array along each of its entries; they share its value there."""

    def restricted(index: tuple[int, ...]) -> Callable[[Any], Any]:
        def f_of_entry(entry: Any) -> Any:
            moved = _copies(point, entry)
            moved[_everywhere(index)] = entry
            return f(moved)

        return f_of_entry

    kind = float_type(point)
    lines: list[Line] = []
    for index in np.ndindex(point.shape):
        beside = lines[0] if lines else None
        origin = float(point[index])
        lines.append(
            Line(restricted(index), origin, kind, scale, vectorized=vectorized, beside=beside)
        )
    return lines


def _copies(point: NDArray[Any], stack: Any) -> NDArray[Any]:
    """Return copies of a point, as many as there are numbers in ``stack``, along its axes."""
    stacked: tuple[int, ...] = np.shape(stack)
    return np.broadcast_to(point, stacked + point.shape).copy()


def _everywhere(index: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the index of an entry in all copies of a point."""
    return (..., *index)
