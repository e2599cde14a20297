"""From a failing input to the smallest and simplest that still fails.

Greedy, like the reducers of A. Zeller and R. Hildebrandt, "Simplifying and isolating
failure-inducing input", IEEE Transactions on Software Engineering 28, 2002: halves first, then
smaller parts, as long as the failure stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.hunt.example import Example
from gradcheck.hunt.input_space import Space

# Checks that may be spent: a few seconds.
MOST_CHECKS = 120
# Arrays of more entries are simplified in blocks only.
MOST_ENTRIES = 48

Fails = Callable[[Example], bool]


@dataclass
class Shrinker:
    """Makes a failing example smaller while it fails.

    Parameters
    ----------
    space
        Which axes may be cut, and which values may be changed.
    fails
        Whether an example fails.
    """

    space: Space
    fails: Fails
    checks: int = 0

    def shrink(self, example: Example) -> Example:
        """Return the smallest failing example that was found."""
        before: Example | None = None
        while example is not before and self.checks < MOST_CHECKS:
            before = example
            for candidates in (self._fewer_calls, self._smaller, self._simpler_values):
                example = self._walk(example, candidates)
        return example

    def _walk(
        self, example: Example, candidates: Callable[[Example], Iterator[Example]]
    ) -> Example:
        """Take the first candidate that fails, and go on from it, until none does."""
        found: Example | None = example
        while found is not None:
            example = found
            found = next(filter(self._try, candidates(example)), None)
        return example

    def _try(self, example: Example) -> bool:
        if self.checks >= MOST_CHECKS:
            return False
        self.checks += 1
        return self.fails(example)

    def _fewer_calls(self, example: Example) -> Iterator[Example]:
        for calls in range(example.calls):
            yield replace(example, calls=calls)

    def _smaller(self, example: Example) -> Iterator[Example]:
        """Cut the batch, then every axis of one input that may vary."""
        slots = self.space.slots
        following = [position for position, slot in enumerate(slots) if slot.follows]
        if following:
            size = len(example.inputs[following[0]])
            for kept in _parts(size, 1):
                yield _cut(example, following, 0, kept)
        for position, slot in enumerate(slots):
            for axis, sizes in enumerate(slot.sizes):
                if isinstance(sizes, range):
                    size = example.inputs[position].shape[axis]
                    for kept in _parts(size, min(sizes)):
                        yield _cut(example, [position], axis, kept)

    def _simpler_values(self, example: Example) -> Iterator[Example]:
        for position, slot in enumerate(self.space.slots):
            value = example.inputs[position]
            if slot.domain == "free":
                candidates = _simpler_floats(value)
            elif slot.domain == "integers":
                candidates = _lower(value, slot.low)
            else:
                continue
            for candidate in candidates:
                inputs = list(example.inputs)
                inputs[position] = candidate.astype(value.dtype)
                yield replace(example, inputs=tuple(inputs))


def _parts(size: int, least: int) -> Iterator[Array]:
    """Yield which of ``size`` places to keep: one, halves, and all but a few."""
    every = np.arange(size)
    length = least
    while length < size:
        yield every[:length]
        yield every[-length:]
        length *= 2
    dropped = size // 2
    while dropped:
        if size - dropped >= least:
            for start in range(0, size, dropped):
                yield np.delete(every, slice(start, start + dropped))
        dropped //= 2


def _cut(example: Example, positions: list[int], axis: int, kept: Array) -> Example:
    inputs = list(example.inputs)
    for position in positions:
        inputs[position] = np.take(inputs[position], kept, axis=axis)
    return replace(example, inputs=tuple(inputs))


def _simpler_floats(value: Array) -> Iterator[Array]:
    """Yield the array with all, blocks, or single entries put to zero, one, or rounded."""
    flat = value.ravel()
    yield from _changed(value, np.zeros_like(flat), np.ones_like(flat), np.sign(flat))
    for start, stop in _blocks(flat.size):
        simpler = flat.copy()
        simpler[start:stop] = 0
        yield from _changed(value, simpler)
    yield from _changed(value, *(_rounded(flat, digits) for digits in (1, 2)))
    for index in range(flat.size if flat.size <= MOST_ENTRIES else 0):
        for number in _simpler_numbers(float(flat[index])):
            simpler = flat.copy()
            simpler[index] = number
            yield from _changed(value, simpler)


def _lower(value: Array, low: int) -> Iterator[Array]:
    flat = value.ravel()
    for start, stop in _blocks(flat.size):
        lower = flat.copy()
        lower[start:stop] = low
        if lower.sum() < flat.sum():
            yield lower.reshape(value.shape)


def _changed(value: Array, *candidates: Array) -> Iterator[Array]:
    """Yield those that are simpler than ``value``: no chain of changes ends where it began."""
    most = _complexity(value)
    for candidate in candidates:
        if _complexity(candidate) < most:
            yield candidate.reshape(value.shape)


def _complexity(values: Array) -> float:
    """Count what makes numbers hard to read: not 0, negative, not 1, no integer, many digits."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    size = np.abs(flat)
    digits = sum(np.count_nonzero(flat != _rounded(flat, n)) for n in (1, 2))
    kinds = (flat != 0, flat < 0, (size != 0) & (size != 1), flat != np.rint(flat))
    return float(digits + sum(np.count_nonzero(kind) for kind in kinds))


def _blocks(size: int) -> Iterator[tuple[int, int]]:
    """Yield everything, halves, quarters and so on; single entries of small arrays."""
    length, least = size, 1 if size <= MOST_ENTRIES else size // 16
    while length >= least and length:
        for start in range(0, size, length):
            yield start, start + length
        length //= 2


def _rounded(flat: Array, digits: int) -> Array:
    """Round every entry to significant digits."""
    return np.array([float(f"{number:.{digits}g}") for number in flat.tolist()], flat.dtype)


def _simpler_numbers(number: float) -> Iterator[float]:
    """Yield numbers that are easier to read, the simplest first."""
    if not np.isfinite(number):
        return
    candidates: list[Any] = [0.0, 1.0, -1.0, float(round(number))]
    candidates += [float(f"{number:.{digits}g}") for digits in (1, 2)]
    for candidate in candidates:
        if candidate == number:
            return
        yield candidate
