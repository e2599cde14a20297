"""Training and validation loss compared at equal accuracy, to see whether they are one quantity.

Epoch for epoch the two differ by right: the model generalises less well than it fits. At equal
accuracy they hardly do, whatever was memorised since: on the corpus of ``benchmarks.runs`` the
median ratio of sound runs lies between 0.8 and 1.4, that of sums against means at 30 or 60.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.history.table import Floats
from diagnostics.rules.features.curve import Curve

# Accuracies at which the losses are compared.
LEVELS = 12
# A narrower range of common accuracies is no basis for a comparison.
NARROWEST = 0.03
# Above, the loss hangs on few wrong answers, and on how sure of itself the model has become.
HIGHEST_LEVEL = 0.97
# Log-log slope of the two losses: one for one quantity in two units, zero for unrelated ones.
PARALLEL = 0.5
# Largest by smallest ratio of two losses in constant proportion: at most 1.9 on the corpus.
ONE_FACTOR = 3.0
# Without variation in the training loss the slope is unknown.
SPREAD = 0.1


@dataclass(frozen=True)
class Matched:
    """Both losses, shape (12,), at the same accuracies, where each accuracy first got there."""

    levels: Floats
    train: Floats
    val: Floats

    @property
    def ratios(self) -> Floats:
        """Validation by training loss, shape (12,)."""
        return self.val / self.train

    @cached_property
    def ratio(self) -> float:
        """Median of the ratios: one for one quantity."""
        return float(np.median(self.ratios))

    @property
    def factor(self) -> float:
        """The ratio or its inverse, whichever is larger."""
        return max(self.ratio, 1 / self.ratio)

    @property
    def range(self) -> float:
        """Width of the range of accuracies."""
        return float(self.levels[-1] - self.levels[0])

    @cached_property
    def slope(self) -> float:
        """Log-log slope of validation against training loss."""
        x, y = np.log(self.train), np.log(self.val)
        if np.ptp(x) < SPREAD:
            return float(np.ptp(y) < np.log(2.0))
        return float(np.polyfit(x, y, 1)[0])

    @property
    def parallel(self) -> bool:
        """Whether the validation loss falls with the training loss, in proportion."""
        return self.slope > PARALLEL

    @property
    def constant(self) -> bool:
        """Whether the ratio is one number, but for noise."""
        return bool(self.ratios.max() < ONE_FACTOR * self.ratios.min())


def match(train: tuple[Curve, Curve], val: tuple[Curve, Curve]) -> Matched | None:
    """Compare the losses of two (loss, accuracy) pairs, None where they have too little in common.

    Losses are interpolated geometrically between epochs.
    """
    if min(train[0].values.min(), val[0].values.min()) <= 0:
        return None
    reached = [np.maximum.accumulate(accuracy.values) for _, accuracy in (train, val)]
    low = max(accuracy[0] for accuracy in reached)
    high = min(*(accuracy[-1] for accuracy in reached), HIGHEST_LEVEL)
    if high - low < NARROWEST:
        return None
    levels = np.linspace(low, high, LEVELS + 2)[1:-1]
    return Matched(
        levels,
        _at(levels, reached[0], train[0].values),
        _at(levels, reached[1], val[0].values),
    )


def _at(levels: Floats, accuracy: Floats, loss: Floats) -> Floats:
    """Loss where a rising accuracy first reaches each level."""
    after = np.searchsorted(accuracy, levels)
    before = after - 1
    share = (levels - accuracy[before]) / (accuracy[after] - accuracy[before])
    return np.asarray(np.exp((1 - share) * np.log(loss[before]) + share * np.log(loss[after])))
