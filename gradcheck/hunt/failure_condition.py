"""What sets failing inputs apart from passing ones, as far as it was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.hunt.example import Example, ExampleOutcome, HuntTrial

# Of fewer failing or passing inputs, anything might set one kind apart from the other.
LEAST = 4
# A condition under which fewer of the inputs fail says little.
LEAST_SHARE = 0.5
# Halvings of a gap between a failing and a passing value.
HALVINGS = 14

Try = Callable[[Example], HuntTrial]


@dataclass(frozen=True)
class Feature:
    """A number that every example has, of which large values may be what fails.

    Attributes
    ----------
    measure
        Returns the number.
    where
        Puts into words that it is above a limit.
    move
        Returns the example with the number put to another; None where it can only be counted.
    """

    measure: Callable[[Example], float]
    where: Callable[[float], str]
    move: Callable[[Example, float], Example] | None = None


@dataclass(frozen=True)
class Split:
    """A limit on a feature, beyond which all failures lie.

    Attributes
    ----------
    fails, passes
        Values on both sides of the limit: all failures have at least the one, at most the other
        is passed.
    inside, outside
        Passing inputs beyond the limit, and before it.
    """

    feature: Feature
    fails: float
    passes: float
    failing: int
    inside: int
    outside: int

    @property
    def share(self) -> float:
        """Share of failures among the inputs beyond the limit."""
        return self.failing / (self.failing + self.inside)


def describe(trials: Iterable[HuntTrial], minimal: Example, attempt: Try) -> str:
    """Say beyond which limit all failures lie; empty where no limit separates them.

    Parameters
    ----------
    trials
        Everything that was tried.
    minimal
        The smallest failing example.
    attempt
        Tries an example, for the bisection of a limit.
    """
    every = list(trials)
    failing, passing = _distinct(every, ExampleOutcome.FAIL), _distinct(every, ExampleOutcome.PASS)
    if not passing and len(failing) >= LEAST:
        return f"at every input tried: {len(failing)} of {len(failing)}"
    if min(len(failing), len(passing)) < LEAST:
        return ""
    splits = [_split(feature, failing, passing) for feature in _features(minimal)]
    telling = [split for split in splits if split is not None and split.share >= LEAST_SHARE]
    for split in sorted(telling, key=lambda split: -split.share):
        where = _bisected(split, minimal, attempt)
        counts = f"{split.failing} of {split.failing + split.inside} against 0 of {split.outside}"
        if where and split.inside:
            return f"only {where}: {counts} elsewhere"
        if where:
            return f"always {where}, never elsewhere: {counts}"
    return ""


def _distinct(trials: list[HuntTrial], outcome: ExampleOutcome) -> list[Example]:
    """Return the examples with an outcome, each once."""

    def key(example: Example) -> Any:
        parts = ((np.shape(x), np.asarray(x).tobytes()) for x in example.inputs)
        return example.calls, *parts

    return list({key(t.example): t.example for t in trials if t.outcome is outcome}.values())


def _split(feature: Feature, failing: list[Example], passing: list[Example]) -> Split | None:
    """Put the limit between the failures and the nearest passing inputs; None for too few."""
    bad = [feature.measure(example) for example in failing]
    good = [feature.measure(example) for example in passing]
    fails = min(bad)
    outside = [value for value in good if value < fails]
    if len(outside) < LEAST:
        return None
    inside = len(good) - len(outside)
    return Split(feature, fails, max(outside), len(bad), inside, len(outside))


def _bisected(split: Split, minimal: Example, attempt: Try) -> str:
    """Put the limit into words, narrowed where the feature can be moved; empty if it does not flip.

    Only what happens to the smallest failing example counts, all else in it unchanged.
    """
    move, fails, passes = split.feature.move, split.fails, split.passes
    if move is None:
        return split.feature.where(passes)
    ends = [attempt(move(minimal, value)).outcome for value in (fails, passes)]
    if ends != [ExampleOutcome.FAIL, ExampleOutcome.PASS]:
        return ""
    for _ in range(HALVINGS):
        middle = (fails + passes) / 2
        outcome = attempt(move(minimal, middle)).outcome
        if outcome is ExampleOutcome.FAIL:
            fails = middle
        elif outcome is ExampleOutcome.PASS:
            passes = middle
        else:
            break
    if fails == 0:  # at exactly zero, which is no limit
        return ""
    limit, error = (fails + passes) / 2, (fails - passes) / 2
    if passes == 0:
        limit, error = 0.0, fails
    return f"{split.feature.where(limit)} (bisected to ± {error:.1g} in the smallest input)"


def _features(minimal: Example) -> Iterator[Feature]:
    """Yield what may set inputs apart, the simplest first."""
    yield Feature(lambda e: e.calls, lambda limit: f"from call {limit + 2:.0f} on")
    yield Feature(lambda e: -e.calls, lambda limit: f"up to call {-limit:.0f}")
    for position, value in enumerate(minimal.inputs):
        if isinstance(value, np.ndarray):
            for axis in range(value.ndim):
                yield from _of_sizes(position, axis)
    for position, value in enumerate(minimal.inputs):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size:
            yield from _of_values(position)


def _of_sizes(position: int, axis: int) -> Iterator[Feature]:
    what = ("batch" if axis == 0 else f"size along axis {axis}") + _owner(position)

    def size(example: Example) -> int:
        return int(np.shape(example.inputs[position])[axis])

    yield Feature(size, lambda limit: f"for a {what} of more than {limit:.0f}")
    yield Feature(lambda e: -size(e), lambda limit: f"for a {what} of less than {-limit:.0f}")
    yield Feature(lambda e: size(e) % 2, lambda limit: f"for an odd {what}")
    yield Feature(lambda e: -(size(e) % 2), lambda limit: f"for an even {what}")


# Of which numbers the least or the largest decides, with which sign it grows towards failures, and
# in words that it lies beyond a limit: an extreme entry in any direction, or in size.
_EXTREMES: tuple[tuple[Callable[[Array], Array], Callable[[Array], Any], int, str], ...] = (
    (np.positive, np.argmin, -1, "an entry{} is below {:.4g}"),
    (np.positive, np.argmax, 1, "an entry{} is above {:.4g}"),
    (np.positive, np.argmin, 1, "every entry{} is above {:.4g}"),
    (np.positive, np.argmax, -1, "every entry{} is below {:.4g}"),
    (np.abs, np.argmin, -1, "an entry{} is smaller than {:.4g} in size"),
    (np.abs, np.argmax, 1, "an entry{} is larger than {:.4g} in size"),
)


def _values(example: Example, position: int) -> Array:
    return np.asarray(example.inputs[position], dtype=np.float64)


def _of_values(position: int) -> Iterator[Feature]:
    zero = f"where an entry{_owner(position)} is zero"
    tied = f"where two entries of one sample{_owner(position)} are equal"
    yield Feature(lambda e: bool((_values(e, position) == 0).any()), lambda _: zero)
    yield Feature(lambda e: _has_ties(_values(e, position)), lambda _: tied)
    for extreme in _EXTREMES:
        yield _of_extreme(position, *extreme)


def _of_extreme(
    position: int,
    key: Callable[[Array], Array],
    pick: Callable[[Array], Any],
    sign: int,
    words: str,
) -> Feature:
    def measure(example: Example) -> float:
        numbers = key(_values(example, position))
        return sign * float(numbers.flat[pick(numbers)])

    def move(example: Example, number: float) -> Example:
        inputs = list(example.inputs)
        moved = np.array(inputs[position])
        index, value = pick(key(moved)), sign * number
        moved.flat[index] = math.copysign(value, moved.flat[index]) if key is np.abs else value
        inputs[position] = moved
        return replace(example, inputs=tuple(inputs))

    def where(limit: float) -> str:
        return f"where {words.format(_owner(position), sign * limit)}"

    return Feature(measure, where, move)


def _has_ties(x: Array) -> bool:
    rows = x.reshape(len(x), -1) if x.ndim else x.reshape(1, 1)
    return any(len(np.unique(row)) < row.size for row in rows)


def _owner(position: int) -> str:
    return f" of input {position + 1}" if position else ""
