"""Arithmetic in which every operation makes a rounding error, drawn at random.

A computation repeated in it spreads as one may that rounds differently: the spread shows how its
conditioning enlarges roundings, for every entry of a result. After D. Stott Parker, Monte Carlo
Arithmetic (UCLA CSD-970002, 1997), and J. Vignes, Math. Comput. Simulation 35 (1993) 233-261.
Sums are off by sqrt(n) roundings of the sum of magnitudes of their n terms: N. J. Higham and
T. Mary, SIAM J. Sci. Comput. 41 (2019) A2815-A2835.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.formats import Format


@dataclass
class RoundedArithmetic:
    """An arithmetic with the errors of two formats.

    Parameters
    ----------
    intermediates
        What operations return; None: they make no errors, and are only watched.
    accumulator
        What sums are added up in.
    rng
        Source of the errors.
    kept
        What a forward keeps its values in for the backward; None: the intermediates.

    Attributes
    ----------
    longest_sum
        Terms of the longest sum computed so far.
    formats
        Names of the formats that results of operations were computed in so far.
    kept_formats
        Names of those in which values were seen to be kept for a backward; None: not looked at.
    """

    intermediates: Format | None
    accumulator: Format
    rng: np.random.Generator
    kept: Format | None = None
    longest_sum: float = 1.0
    formats: set[str] = field(default_factory=set)
    kept_formats: set[str] | None = None

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Compute a forward of which a backward is to use the values."""
        own = self.intermediates
        self.intermediates = self.kept or own
        try:
            yield
        finally:
            self.intermediates = own

    def of_result(self, magnitude: Array) -> Array:
        """Return the errors of an operation's result, from its magnitude.

        One part is common to all entries: that of a constant, or of a biased approximation.
        """
        assert self.intermediates is not None
        # where a result is subnormal, the error is as large as any of them
        size = self.intermediates.unit * magnitude + self.intermediates.smallest * (magnitude > 0)
        return self._drawn(size)

    def of_sum(self, magnitude: Array, terms: float, *, running: bool = False) -> Array:
        """Return the errors of sums, from the sums of the magnitudes of their terms.

        Of ``running`` sums every one is a result, and the next is made of it.
        """
        assert self.intermediates is not None
        self.longest_sum = max(self.longest_sum, terms)
        added_up_in = self.intermediates if running else self.accumulator
        return self._drawn(added_up_in.unit * max(terms, 1.0) ** 0.5 * magnitude)

    def _drawn(self, size: Array) -> Array:
        """Return errors of this size each way, those that are not finite none."""
        signs = self.rng.integers(0, 2, size.shape) + self.rng.integers(0, 2) - 1.0
        return np.where(np.isfinite(size), 2.0 * signs * size, 0.0)


_current: ContextVar[RoundedArithmetic | None] = ContextVar("rounded_arithmetic", default=None)


def current() -> RoundedArithmetic | None:
    """Return the arithmetic that code is to be run in, None for its own."""
    return _current.get()


@contextmanager
def computing_in(arithmetic: RoundedArithmetic) -> Iterator[None]:
    """Have what runs inside, in this thread, make the errors of an arithmetic."""
    token = _current.set(arithmetic)
    try:
        yield
    finally:
        _current.reset(token)
