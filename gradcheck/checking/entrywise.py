"""A gradient measured entry by entry; independent samples of a batch are moved together."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.checking.context import CheckContext
from gradcheck.checking.evaluator import DirectionalFunction, Linearization
from gradcheck.checking.measurer import WANTED_ACCURACY, rounded_share
from gradcheck.numerics.blockwise import norm
from gradcheck.report.data import Entry

Index = tuple[int, ...]
Measured = TypeVar("Measured")


@dataclass(eq=False)
class EntrywiseGradient:
    """Measures single entries of a gradient, each along its own axis.

    Parameters
    ----------
    context, point, name
        Where to measure, the analytic gradients, and the tensor.
    """

    context: CheckContext
    point: Linearization
    name: str

    def __post_init__(self) -> None:
        self.value = self.point.tensors[self.name]
        self.scale = self.context.wide.natural_scale(self.name, self.value)
        self.analytic = np.asarray(self.point.analytic[self.name], dtype=np.float64)
        self.typical = norm(self.analytic, self.scale) / math.sqrt(max(1, self.value.size))
        self.noise: float | None = None

    def all(self, until: float = math.inf) -> list[Entry]:
        """Measure every entry, in C order, or the first of them by a time of `time.monotonic`.

        Where no sample has a part in another's outputs, all samples are moved at once and told
        apart by their cotangents: n samples then cost the forwards of one.
        """
        if not self._samples_independent():
            return list(_by(until, map(self.one, np.ndindex(self.value.shape))))
        rests = np.ndindex(self.value.shape[1:])
        columns = list(_by(until, (list(self._column(rest)) for rest in rests)))
        return [entry for row in zip(*columns, strict=True) for entry in row]

    def one(self, index: Index) -> Entry:
        """Measure one entry."""
        direction = np.zeros(self.value.shape)
        direction[index] = self._step(index)
        return self._measure(self._ray(direction), index, self.point.cotangents, self.analytic)

    def _column(self, rest: Index) -> Iterator[Entry]:
        """Measure the entries at ``rest`` of every sample with the same forwards."""
        direction = np.zeros(self.value.shape)
        for sample in range(len(self.value)):
            direction[sample, *rest] = self._step((sample, *rest))
        directional = self._ray(direction, keep=True)
        for sample in range(len(self.value)):
            own = tuple(_only(v, sample) for v in self.point.cotangents)
            yield self._measure(directional, (sample, *rest), own, _only(self.analytic, sample))

    def _measure(
        self, directional: DirectionalFunction, index: Index, cotangents: Outputs, analytic: Array
    ) -> Entry:
        size = self._step(index) or 1.0
        gradient = float(self.analytic[index])
        target = WANTED_ACCURACY * max(self.typical, abs(gradient) * size)
        derivative = directional.derivative(cotangents, analytic, noise=self.noise, target=target)
        self.noise = derivative.noise if math.isfinite(derivative.noise) else self.noise
        unsure = float(np.broadcast_to(self.point.unsure[self.name], self.value.shape)[index])
        rounding = rounded_share(self.context.eps) * max(abs(gradient), self.typical / size)
        return Entry(
            index,
            gradient,
            gradient + derivative.value / size,
            derivative.error_bound / size + rounding + 4 * unsure,
        )

    def _step(self, index: Index) -> float:
        return float(self.scale[index]) if np.isfinite(self.value[index]) else 0.0

    def _ray(self, direction: Array, *, keep: bool = False) -> DirectionalFunction:
        return DirectionalFunction(self.context.wide, self.point, self.name, direction, keep)

    def _samples_independent(self) -> bool:
        """Whether moving the first sample, or the last, changes that sample's outputs alone."""
        outputs, size = self.point.outputs, len(self.value) if self.value.ndim else 0
        batched = self.name in self.context.native.target.batch_tensors
        if not batched or size < 2 or any(np.shape(y)[:1] != (size,) for y in outputs):
            return False
        return all(self._moves_itself_alone(sample) for sample in (0, size - 1))

    def _moves_itself_alone(self, sample: int) -> bool:
        direction = _only(self.context.rng.uniform(0.5, 1.0, self.value.shape) * self.scale, sample)
        changes = self._ray(direction).changes(2.0**-6)
        moved = [np.any(np.delete(change, sample, axis=0) != 0) for change in changes]
        return not any(moved) and any(np.any(change[sample] != 0) for change in changes)


def _by(until: float, measured: Iterator[Measured]) -> Iterator[Measured]:
    """Yield what is measured, and no more once the time has come."""
    for found in measured:
        yield found
        if time.monotonic() >= until:
            return


def _only(array: Array, sample: int) -> Array:
    """Return ``array`` with zeros for all other samples."""
    alone = np.zeros_like(array)
    alone[sample] = array[sample]
    return alone
