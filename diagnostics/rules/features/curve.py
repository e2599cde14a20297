"""One curve of a run, as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.history.table import Floats
from diagnostics.statistics import rise_test as rises
from diagnostics.statistics import robust

# A training loss that swings by this share of its first value from one epoch to the next: the rate
# is too high. Sampling noise of epoch means is far below: 1 / sqrt(samples per epoch).
RESTLESS = 0.07
# A loss of fixed samples that moves by less is calm.
CALM = RESTLESS / 2
# A loss that ends less than this share below its start has not been learned.
NO_PROGRESS = 0.03


@dataclass(frozen=True)
class Curve:
    """The finite values of one role, with the epochs at which they were logged."""

    role: str
    epochs: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def noise(self) -> float:
        """Standard deviation from one epoch to the next, trend removed."""
        return robust.noise(self.values)

    @cached_property
    def rise(self) -> rises.Rise:
        """How far the curve ends above its lowest level."""
        return rises.rise(self.values)

    @cached_property
    def fall(self) -> rises.Rise:
        """How far the curve ends below its highest level."""
        return rises.fall(self.values)

    @cached_property
    def first(self) -> float:
        """Level at the start: the first value."""
        return float(self.values[0])

    @property
    def last(self) -> float:
        """The last value, as it was logged."""
        return float(self.values[-1])

    @cached_property
    def end_level(self) -> float:
        """Level at the end: the median of the last tenth, three values at least."""
        return float(np.median(self.values[-max(3, len(self) // 10) :]))

    @cached_property
    def one_sample(self) -> float:
        """Smallest step between the values of an accuracy: what one sample is worth."""
        steps = np.diff(np.unique(self.values))
        return float(steps.min()) if len(steps) else 0.0

    @cached_property
    def later_half(self) -> Curve:
        """The later half, or three quarters of a short run."""
        half = len(self) // 2 if len(self) >= 16 else len(self) // 4
        return Curve(self.role, self.epochs[half:], self.values[half:])

    @cached_property
    def swing(self) -> float:
        """Noise of the later half from one epoch to the next, by what there is to lose."""
        values, _ = robust.condense(self.later_half.values, robust.TESTED_POINTS)
        return robust.noise(values) / self.scale if self.scale > 0 else 0.0

    @cached_property
    def scale(self) -> float:
        """What there is to lose: the first or the usual level; below zero, all that was gained."""
        level = max(abs(self.first), float(np.median(self.values)))
        if self.values.min() >= 0 or len(self) < 6:
            return level
        # A likelihood of densities goes through zero, where its level says nothing.
        return max(level, float(np.ptp(robust.window_medians(self.values))))

    @cached_property
    def is_signed_noise(self) -> bool:
        """Whether the values lie around zero, within their noise: then no level means anything."""
        around_zero = self.values.min() < 0 < self.values.max()
        return bool(around_zero and self.noise > abs(float(np.median(self.values))) / 2)

    def grows_by(self, factor: float) -> bool:
        """Whether the curve ends above its start and its lowest level by a factor, for good."""
        return self.rise.real and self.end_level > factor * max(self.first, self.rise.lowest)

    @cached_property
    def start_level(self) -> float:
        """Level at the start: the median of the first tenth, three values at least."""
        return float(np.median(self.part(0.0, 0.1)))

    @property
    def fell(self) -> bool:
        """Whether the curve ends below its first value, by more than noise and a few per cent."""
        return self.first - self.end_level > max(NO_PROGRESS * abs(self.first), 4 * self.noise)

    @property
    def restless(self) -> bool:
        """Whether the values jump up and down instead of settling."""
        return self.swing > RESTLESS

    @property
    def span(self) -> tuple[float, float]:
        """First and last epoch."""
        return self.since(0)

    def since(self, row: int) -> tuple[float, float]:
        """Return the epoch of a row and the last epoch."""
        return float(self.epochs[row]), float(self.epochs[-1])

    def part(self, start: float, stop: float) -> Floats:
        """Return the values between two fractions of the run, three at least where there are."""
        first = min(round(start * len(self)), max(len(self) - 3, 0))
        return self.values[first : max(round(stop * len(self)), first + 3)]

    def until(self, count: int) -> Curve:
        """Return the first ``count`` values as a curve."""
        return Curve(self.role, self.epochs[:count], self.values[:count])
