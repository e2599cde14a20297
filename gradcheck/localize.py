"""From a wrong gradient to its wrong entries: entry by entry where few, by bisection where many."""

from __future__ import annotations

import heapq
import math

import numpy as np

from gradcheck.compare import ROUNDINGS, WANTED_ACCURACY
from gradcheck.directions import per_entry_scale, varied
from gradcheck.judgement import MARGIN
from gradcheck.point import Lab, Point
from gradcheck.probe import Ray, norm
from gradcheck.result import Entry
from gradcheck.target import Array

# Tensors of up to this many entries are measured entry by entry.
FEW_ENTRIES = 128

# Bisection stops after this many forwards, or when this many wrong entries are named.
MOST_FORWARDS = 190
MOST_ENTRIES = 8

# Bisection follows what holds at least this share of the error it set out to place.
SHARE = 1 / 32

# Steps tried for its central differences, largest first.
STEPS = (2.0**-6, 2.0**-10, 2.0**-14, 2.0**-18)


def wrong_entries(lab: Lab, point: Point, name: str) -> tuple[tuple[Entry, ...], Array | None]:
    """Find the entries of the claimed gradient that are wrong, worst first.

    Parameters
    ----------
    lab, point, name
        Where to measure, the claims, and the tensor.

    Returns
    -------
    entries
        Up to `MOST_ENTRIES` wrong entries, worst first.
    numerical
        The whole numerical gradient where it was measured entry by entry, else None.
    """
    if point.tensors[name].size <= FEW_ENTRIES:
        entries = measure_entries(lab, point, name)
        numerical = np.array([entry.numerical for entry in entries])
        wrong = [entry for entry in entries if not _gap(entry) <= entry.bound]
        wrong.sort(key=_gap, reverse=True)
        return tuple(wrong[:MOST_ENTRIES]), numerical.reshape(point.tensors[name].shape)
    found = _Bisection(lab, point, name).entries()
    return tuple(sorted(found, key=_gap, reverse=True)[:MOST_ENTRIES]), None


def measure_entries(lab: Lab, point: Point, name: str) -> list[Entry]:
    """Measure every entry of the gradient, each along its own axis."""
    value = point.tensors[name]
    scale = per_entry_scale(value)
    entries = []
    noise: float | None = None
    for index in np.ndindex(value.shape):
        entry, noise = _measure_entry(lab, point, name, index, scale, noise)
        entries.append(entry)
    return entries


def _measure_entry(
    lab: Lab, point: Point, name: str, index: tuple[int, ...], scale: Array, noise: float | None
) -> tuple[Entry, float | None]:
    """Measure one entry of the gradient along its own axis; pass on the noise that was met."""
    value = point.tensors[name]
    claim = point.claimed[name].astype(np.float64)
    size = float(scale[index]) if np.isfinite(value[index]) else 0.0
    direction = np.zeros(value.shape)
    direction[index] = size
    typical = norm(claim, scale) / math.sqrt(value.size)
    derivative = Ray(lab.wide, point.tensors, point.outputs, name, direction).derivative(
        point.cotangents, claim, noise=noise, target=WANTED_ACCURACY * typical
    )
    size = size or 1.0
    unsure = 4 * float(np.broadcast_to(point.unsure[name], value.shape)[index])
    rounding = ROUNDINGS * lab.eps * max(abs(float(claim[index])), typical / size)
    entry = Entry(
        index,
        float(claim[index]),
        float(claim[index] + derivative.value / size),
        derivative.error_bound / size + rounding + unsure,
    )
    return entry, derivative.noise if math.isfinite(derivative.noise) else noise


class _Bisection:
    """Halves the set of entries, always looking next where most of the error is.

    The error along a direction is additive over disjoint sets of entries, so that measuring one
    half tells the other: k wrong entries of n are found in about k log2(n) measurements of two
    forwards each.
    """

    def __init__(self, lab: Lab, point: Point, name: str) -> None:
        self.lab = lab
        self.point = point
        self.name = name
        self.value = point.tensors[name]
        self.claim = point.claimed[name].astype(np.float64)
        self.scale = per_entry_scale(self.value)
        self.deadline = lab.forwards + MOST_FORWARDS

    def entries(self) -> list[Entry]:
        """Return the wrong entries found, each measured by itself."""
        found: dict[int, Entry] = {}
        for _ in range(2):  # what cancels along one direction hardly does along another
            signs = varied(self.lab.rng, self.scale, self.value).reshape(-1)
            error, bound = self._measure(signs)
            for position, entry in found.items():
                error -= (entry.numerical - entry.claimed) * signs[position]
            if abs(error) <= MARGIN * bound + SHARE * abs(error):
                break
            for position in self._search(signs, error, set(found)):
                entry = self._entry(position)
                if _gap(entry) > entry.bound:
                    found[position] = entry
        return list(found.values())

    def _search(self, signs: Array, error: float, known: set[int]) -> list[int]:
        step = self._step(signs, error)
        smallest = SHARE * abs(error)
        queue = [(-abs(error), 0, np.array(sorted(set(range(signs.size)) - known)), error)]
        leaves: list[int] = []
        while queue and len(leaves) < MOST_ENTRIES and self.lab.forwards < self.deadline:
            _, ticket, members, total = heapq.heappop(queue)
            if members.size == 1:
                leaves.append(int(members[0]))
                continue
            left = members[: members.size // 2]
            part = self._difference(signs, left, step)
            for half, amount in ((left, part), (members[members.size // 2 :], total - part)):
                if abs(amount) > smallest:
                    heapq.heappush(queue, (-abs(amount), ticket + int(half[0]) + 1, half, amount))
        return leaves

    def _measure(self, signs: Array) -> tuple[float, float]:
        """Return the error along ``signs`` and its bound."""
        derivative = self._ray(signs).derivative(self.point.cotangents, self.claim)
        return derivative.value, derivative.error_bound

    def _step(self, signs: Array, error: float) -> float:
        """Return the largest step at which one central difference tells the error well enough."""
        everything = np.arange(signs.size)
        for step in STEPS[:-1]:
            if abs(self._difference(signs, everything, step) - error) <= SHARE * abs(error) / 4:
                return step
        return STEPS[-1]

    def _difference(self, signs: Array, members: Array, step: float) -> float:
        direction = np.zeros(signs.size)
        direction[members] = signs[members]
        phi = self._ray(direction).functional(self.point.cotangents, self.claim)
        return (phi(step) - phi(-step)) / (2 * step)

    def _ray(self, direction: Array) -> Ray:
        shaped = direction.reshape(self.value.shape)
        return Ray(self.lab.wide, self.point.tensors, self.point.outputs, self.name, shaped)

    def _entry(self, position: int) -> Entry:
        index = tuple(int(i) for i in np.unravel_index(position, self.value.shape))
        return _measure_entry(self.lab, self.point, self.name, index, self.scale, None)[0]


def _gap(entry: Entry) -> float:
    return abs(entry.claimed - entry.numerical)
