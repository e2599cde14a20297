"""How far a computed tensor may be from a reference by rounding, entry by entry and summed up.

An entry may be off by half an ulp of its format, for the rounding of the result, and by what the
roundings before it make of it. Those are measured: the reference is computed again and again in an
arithmetic that makes them at random, and the root mean square of its changes is taken `FACTOR`
times. Errors that agree with that one by one may still be none of rounding, if they all go the
same way: so sums over entries, in which roundings cancel, are judged likewise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.formats import Format

# With 16 draws the ratio of an error to their root mean square follows Student's t of 16 degrees of
# freedom, which is beyond 8 in one of 2e6; drawn errors being of full size, and true ones uniform
# up to it, theirs is sqrt(3) smaller, and beyond 8 in one of 3e9.
FACTOR = 8.0

# Errors of another computation in the same formats beside those drawn: their root mean square, and
# the largest. Drawn ones are of full size each; 5 is beyond one of 1e4 of them.
TYPICAL = 1.5
LARGEST = 5.0

# Entries whose result rounds the other way, beside those that are expected to.
FLIPS = 4.0

# Axes up to this length are summed up slice by slice.
LONGEST_AXIS = 4096

# Below this many entries a sum says no more than they do.
FEWEST = 16


@dataclass(frozen=True)
class Allowance:
    """A reference tensor, and how far another may be from it.

    Parameters
    ----------
    reference
        Its entries, float64.
    drawn
        The same computed in drawn arithmetic: one more axis in front.
    format
        What the other is kept in.
    truncated
        Whether results of the other are cut off toward zero, and not rounded to nearest.
    """

    reference: Array
    drawn: Array
    format: Format
    truncated: bool = False

    @cached_property
    def spread(self) -> Array:
        """Root mean square of what roundings on the way change; infinite where it is not known."""
        with np.errstate(all="ignore"):
            found = np.sqrt(np.mean(np.square(self.drawn - self.reference), axis=0))
        unknown = np.isfinite(self.reference) & ~np.isfinite(found)
        return np.where(unknown, np.inf, np.nan_to_num(found))

    def entries(self, got: Array, roundings: int = 1) -> Array:
        """Return how far every entry may be off, its result being rounded so many times."""
        return roundings * self._rounding(got) + FACTOR * self.spread

    @property
    def unknown(self) -> Array:
        """Which entries roundings on the way may change altogether."""
        return (self.spread > 0) & (FACTOR * self.spread >= np.abs(self.reference))

    def gap(self, got: Array) -> Array:
        """Return how far every entry is off; infinite where only one is finite."""
        with np.errstate(all="ignore"):
            both = (
                ~np.isfinite(got)
                & ~np.isfinite(self._stored)
                & (np.isnan(got) == np.isnan(self.reference))
            )
            saturated = np.isinf(self._stored) & (np.abs(got) >= self.format.largest)
            same = both | saturated | (got == self.reference)
            gap = np.where(same, 0.0, np.abs(got - self.reference))
        return np.where(np.isnan(gap), np.inf, gap)

    def beyond(self, got: Array, roundings: int = 1) -> Array:
        """Return which entries are off by more than rounding."""
        return np.asarray(~(self.gap(got) <= self.entries(got, roundings)))

    def looks_drawn(self, got: Array) -> bool:
        """Whether errors are as large as those drawn, of which roundings of other code are half."""
        with np.errstate(all="ignore"):
            ratio = np.nan_to_num(
                self.gap(got) / (self.spread + 0.5 * self.format.ulp(self.reference))
            )
        return bool(np.sqrt(np.mean(ratio * ratio)) <= TYPICAL and np.max(ratio) <= LARGEST)

    def biased(self, got: Array) -> bool:
        """Whether errors go the same way, over all entries or a slice, as no roundings do."""
        known = np.isfinite(self.spread) & np.isfinite(got) & np.isfinite(self._stored)
        if not known.all() or known.size < FEWEST:
            return False
        error, size = got - self._stored, self.format.ulp(self.reference)
        changes = self.drawn - self.reference
        return any(
            self._is_biased(weights, error, changes, size)
            for weights in (np.ones_like(self.reference), self.reference)
        )

    def _is_biased(self, weights: Array, error: Array, changes: Array, ulp: Array) -> bool:
        flips = np.square(weights * ulp) * np.minimum(self.spread / ulp, 1.0)
        for axes in _groups(self.reference.shape):
            total = np.abs(np.sum(weights * error, axis=axes))
            moved = np.sum(weights * changes, axis=tuple(a + 1 for a in axes))
            variance = np.mean(np.square(moved), axis=0) + np.sum(flips, axis=axes)
            largest = np.max(np.abs(weights) * ulp, axis=axes)
            if np.any(total > FACTOR * np.sqrt(variance) + FLIPS * largest):
                return True
        return False

    @cached_property
    def _stored(self) -> Array:
        """The reference in the format of the other."""
        return self.format.rounded(self.reference, toward_zero=self.truncated)

    def _rounding(self, got: Array) -> Array:
        """Return how far the rounding of the result may move it."""
        with np.errstate(all="ignore"):
            larger = np.fmax(np.abs(got), np.abs(self.reference))
            ulp = self.format.ulp(np.where(np.isfinite(larger), larger, 0.0))
            if not self.truncated:
                return 0.5 * ulp
            return np.where(np.abs(got) <= np.abs(self.reference), ulp, 0.0)


def _groups(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the axes to sum over: all of them, and all but one."""
    yield tuple(range(len(shape)))
    for axis, length in enumerate(shape):
        others = tuple(a for a in range(len(shape)) if a != axis)
        if others and length <= LONGEST_AXIS and np.prod([shape[a] for a in others]) >= FEWEST:
            yield others
