"""From a wrong gradient to its wrong entries: entry by entry where few, by bisection where many."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.context import CheckContext
from gradcheck.checking.entrywise import EntrywiseGradient
from gradcheck.checking.evaluator import DirectionalFunction, Linearization
from gradcheck.checking.jacobian.claimed import ClaimedJacobian
from gradcheck.checking.slices import (
    FEWEST_PER_SLICE,
    MOST_SLICES,
    holding,
    in_words,
    known_region,
)
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.numerics.blockwise import norm
from gradcheck.numerics.directions import varied
from gradcheck.report.data import Entry, JacobianReport

# Tensors of up to this many entries are measured entry by entry.
FEW_ENTRIES = 128

# Or as long as that takes no more than this share of the time: the causes are sought in the rest.
OF_TIME = 0.25
FORWARDS_PER_ENTRY = 8

# Bisection stops after this many forwards, or when this many wrong entries are named.
MOST_FORWARDS = 190
MOST_ENTRIES = 8

# Bisection follows what holds at least this share of the error it set out to place.
SHARE = 1 / 32

# An error of a hundred times this share of the gradient is known well enough to be placed.
COARSE = 1e-6

# Steps tried for its differences, largest first.
STEPS = (2.0**-10, 2.0**-14, 2.0**-18, 2.0**-22)


@dataclass(frozen=True)
class Located:
    """Where a gradient is wrong.

    Attributes
    ----------
    entries
        Up to `MOST_ENTRIES` wrong entries, worst first.
    numerical
        The whole numerical gradient where it was measured entry by entry, else None.
    region
        The rows, columns, samples or channels that hold all that is wrong; empty if none do.
    jacobian
        The same of the Jacobian that the gradient is made of, where one is claimed.
    unmeasured
        How many entries were not looked at for want of time.
    """

    entries: tuple[Entry, ...]
    numerical: Array | None
    region: str
    jacobian: JacobianReport | None = None
    unmeasured: int = 0


def wrong_entries(
    context: CheckContext,
    point: Linearization,
    name: str,
    *,
    everything: bool = False,
    until: float = math.inf,
) -> Located:
    """Find the entries of the analytic gradient that are wrong, worst first.

    Parameters
    ----------
    context, point, name
        Where to measure, the analytic gradients, and the tensor.
    everything
        Whether to measure every entry however many there are.
    until
        When to end with what is found by then, by `time.monotonic`.
    """
    claimed = ClaimedJacobian.of(context, point, name)
    measured = None if claimed is None else claimed.entries()
    if measured is not None and measured.is_whole:
        wrong, numerical = measured.of_gradient(point, name)
        wrong.sort(key=_gap, reverse=True)
        return Located(tuple(wrong[:MOST_ENTRIES]), numerical, "", measured.report())
    located = _located(context, point, name, until, everything=everything)
    if claimed is None:
        return located
    shape = point.tensors[name].shape
    suspects = [int(np.ravel_multi_index(entry.index, shape)) for entry in located.entries]
    measured = measured or claimed.of_columns(np.array(suspects, dtype=int))
    return replace(located, jacobian=measured.report())


def _located(
    context: CheckContext, point: Linearization, name: str, until: float, *, everything: bool
) -> Located:
    shape = point.tensors[name].shape
    batch = name in context.native.target.batch_tensors
    few = point.tensors[name].size <= FEW_ENTRIES and _affordable(context, point, name, until)
    if everything or few:
        entries = EntrywiseGradient(context, point, name).all(until)
        wrong = [entry for entry in entries if not _gap(entry) <= entry.bound]
        unmeasured = point.tensors[name].size - len(entries)
        if unmeasured:
            wrong.sort(key=_gap, reverse=True)
            return Located(tuple(wrong[:MOST_ENTRIES]), None, "", unmeasured=unmeasured)
        numerical = np.array([entry.numerical for entry in entries]).reshape(shape)
        region = known_region(wrong, shape, batch=batch)
    else:
        bisection = _Bisection(context, point, name, until)
        wrong, numerical = bisection.entries(), None
        region = "" if time.monotonic() >= until else bisection.region(wrong, batch=batch)
    wrong.sort(key=_gap, reverse=True)
    return Located(tuple(wrong[:MOST_ENTRIES]), numerical, region)


def _affordable(context: CheckContext, point: Linearization, name: str, until: float) -> bool:
    """Whether there is time to measure every entry, and for other things thereafter."""
    if until == math.inf:
        return True
    began = time.monotonic()
    context.wide.run(point.tensors)
    now = time.monotonic()
    calls = FORWARDS_PER_ENTRY * point.tensors[name].size
    return (now - began) * calls <= OF_TIME * (until - now)


@dataclass(eq=False)
class _Bisection:
    """Halves the set of entries, or of slices, always looking next where most of the error is.

    The error along a direction is additive over disjoint sets of entries, so that measuring one
    half tells the other: k wrong ones of n are found in about k log2(n) measurements.
    """

    context: CheckContext
    point: Linearization
    name: str
    until: float

    def __post_init__(self) -> None:
        self.value = self.point.tensors[self.name]
        self.analytic = np.asarray(self.point.analytic[self.name], dtype=np.float64)
        self.scale = self.context.wide.natural_scale(self.name, self.value)
        self.deadline = self.context.forwards + MOST_FORWARDS

    def entries(self) -> list[Entry]:
        """Return the wrong entries found, each measured by itself."""
        found: dict[int, Entry] = {}
        for _ in range(2):  # what cancels along one direction hardly does along another
            signs = varied(self.context.rng, self.scale, self.value)
            error, bound = self._measure(signs)
            for position, entry in found.items():
                error -= (entry.numerical - entry.analytic) * signs.flat[position]
                signs.flat[position] = 0.0
            if abs(error) <= MARGIN * bound + SHARE * abs(error):
                break
            rest = np.setdiff1d(np.arange(signs.size), list(found), assume_unique=True)
            for position in self._search(signs, error, np.ravel, rest):
                entry = self._entry(position)
                if _gap(entry) > entry.bound:
                    found[position] = entry
            if len(found) >= MOST_ENTRIES or time.monotonic() >= self.until:
                break
        return list(found.values())

    def region(self, found: list[Entry], *, batch: bool) -> str:
        """Name the slices that hold all that is wrong, if what lies outside of them is right.

        The wrong entries that were found suggest them. Where the error is spread too thinly for
        single entries to stand out, whole slices are searched, along one axis after the other.
        """
        shape = self.value.shape
        held = holding([entry.index for entry in found], shape)
        for axis, indices in self._candidates(held, len(found)):
            few = 0 < len(indices) <= min(MOST_SLICES, shape[axis] // 2)
            if few and self._right_outside(axis, indices):
                return f"within {in_words(axis, indices, shape, batch=batch)}"
        return ""

    def _candidates(
        self, held: tuple[int, list[int]] | None, found: int
    ) -> Iterator[tuple[int, list[int]]]:
        if held is not None:
            yield held
            yield held[0], self._slices(held[0])
        elif found < FEWEST_PER_SLICE and self.value.ndim > 1:
            yield from ((axis, self._slices(axis)) for axis in range(self.value.ndim))

    def _slices(self, axis: int) -> list[int]:
        """Return the indices along ``axis`` whose slices hold most of the error."""
        signs = varied(self.context.rng, self.scale, self.value)
        error, _ = self._measure(signs)
        self.deadline = self.context.forwards + MOST_FORWARDS // 2
        units = partial(np.moveaxis, source=axis, destination=0)
        return sorted(self._search(signs, error, units, np.arange(self.value.shape[axis])))

    def _right_outside(self, axis: int, indices: list[int]) -> bool:
        along: Array = np.indices(self.value.shape, sparse=True)[axis]
        elsewhere = np.where(np.isin(along, indices), 0.0, self.scale)
        error, bound = self._measure(varied(self.context.rng, elsewhere, self.value))
        return abs(error) <= MARGIN * bound

    def _search(
        self, signs: Array, error: float, units: Callable[[Array], Array], members: Array
    ) -> list[int]:
        """Return the units with most of the ``error`` along ``signs``, of those in ``members``.

        ``units`` returns a view of an array by its units, its entries or slices.
        """
        step = self._step(signs, error)
        smallest = SHARE * abs(error)
        queue = [(-abs(error), 0, members, error)]
        leaves: list[int] = []
        while queue and len(leaves) < MOST_ENTRIES and not self._is_over:
            _, ticket, members, total = heapq.heappop(queue)
            if members.size == 1:
                leaves.append(int(members[0]))
                continue
            left, right = np.array_split(members, 2)
            within = slice(left[0], left[-1] + 1)
            direction = np.zeros(signs.shape)
            units(direction)[within] = units(signs)[within]
            part = self._difference(direction, step)
            for half, amount in ((left, part), (right, total - part)):
                if abs(amount) > smallest:
                    heapq.heappush(queue, (-abs(amount), ticket + int(half[0]) + 1, half, amount))
        return leaves

    @property
    def _is_over(self) -> bool:
        return self.context.forwards >= self.deadline or time.monotonic() >= self.until

    def _measure(self, signs: Array) -> tuple[float, float]:
        """Return the error along ``signs`` and its bound."""
        derivative = self._ray(signs).derivative(
            self.point.cotangents, self.analytic, coarse_bound=COARSE * norm(self.analytic, signs)
        )
        return derivative.value, derivative.error_bound

    def _step(self, signs: Array, error: float) -> float:
        """Return the largest step at which a forward difference tells the error well enough."""
        for step in STEPS[:-1]:
            if abs(self._difference(signs, step) - error) <= SHARE * abs(error) / 4:
                return step
        return STEPS[-1]

    def _difference(self, direction: Array, step: float) -> float:
        return self._ray(direction).functional(self.point.cotangents, self.analytic)(step) / step

    def _ray(self, direction: Array) -> DirectionalFunction:
        return DirectionalFunction(self.context.wide, self.point, self.name, direction)

    def _entry(self, position: int) -> Entry:
        index = tuple(int(i) for i in np.unravel_index(position, self.value.shape))
        return EntrywiseGradient(self.context, self.point, self.name).one(index)


def _gap(entry: Entry) -> float:
    return abs(entry.analytic - entry.numerical)
