"""A loss that rises, and what the other curves do meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.history.table import Floats
from diagnostics.rules.features.curve import Curve
from diagnostics.statistics import robust
from diagnostics.statistics.rise_test import Rise

# An accuracy has moved when it did by this much, and by this many times its noise.
ACCURACY_STEP = 0.01
ACCURACY_NOISE = 3.0
# ... and by so many samples: fewer than five flipped answers, all to one side, are no evidence
# at 5 %, 2^-4 > 0.05 (sign test).
FLIPPED = 4.5
# Two losses of one kind begin within this factor of one another.
ONE_KIND = 2.0
# A training loss falls on when it loses this share after the onset.
TRAINING_FALL = 0.03


@dataclass(frozen=True)
class Divergence:
    """The rise of a loss.

    Parameters
    ----------
    loss
        The curve that rises, or does not.
    onset
        Epoch at which the rise begins.
    gain
        Change of the accuracy from the onset to the end, None without accuracy.
    drop
        How far the accuracy ends below its best, None without accuracy.
    falls
        Whether that drop is more than noise.
    climbs
        Whether the gain is more than noise.
    train_falls
        Whether the training loss falls from the onset on; None when unknown.
    gap, early_gap
        Training minus validation accuracy at the end, and at the best validation accuracy; None
        when unknown. Without training accuracy the gap is the least that the losses allow.
    """

    loss: Curve
    onset: float
    gain: float | None
    drop: float | None
    falls: bool
    climbs: bool
    train_falls: bool | None
    gap: float | None
    early_gap: float | None

    @property
    def rise(self) -> Rise:
        """The test of the rise."""
        return self.loss.rise

    @property
    def lowest(self) -> float:
        """The lowest value of the loss."""
        return float(self.loss.values.min())

    @property
    def best(self) -> float:
        """The epoch of the lowest loss."""
        return float(self.loss.epochs[self.loss.values.argmin()])

    @property
    def last(self) -> float:
        """The last value of the loss."""
        return float(self.loss.values[-1])

    @property
    def turned(self) -> bool:
        """Whether the loss rises: beyond doubt, or possibly while the accuracy falls."""
        return self.rise.real or (self.rise.possible and self.falls)

    @property
    def epochs(self) -> tuple[float, float]:
        """From the onset to the end."""
        return self.onset, float(self.loss.epochs[-1])


def divergence(
    loss: Curve, accuracy: Curve | None, train_loss: Curve | None, train_accuracy: Curve | None
) -> Divergence:
    """Measure what the curves do from the onset of the rise on."""
    onset = float(loss.epochs[loss.rise.onset])
    gain = drop = gap = early_gap = None
    falls = climbs = False
    if accuracy is not None:
        gain = accuracy.end_level - _level_at(accuracy, onset)
        drop = max(-accuracy.fall.lowest - accuracy.end_level, 0.0)
        step = max(ACCURACY_STEP, ACCURACY_NOISE * accuracy.noise, FLIPPED * accuracy.one_sample)
        falls = drop > step
        climbs = gain > min(step, 2 * ACCURACY_STEP) and not falls
        if train_accuracy is not None:
            gap = train_accuracy.end_level - accuracy.end_level
            best = float(accuracy.epochs[np.argmax(robust.running_median(accuracy.values, 5))])
            early_gap = _level_at(train_accuracy, best) - _level_at(accuracy, best)
    if accuracy is not None and train_loss is not None and gap is None:
        gap = _least_gap(loss, accuracy, train_loss)
    train_falls = None
    if train_loss is not None:
        before = _level_at(train_loss, onset)
        train_falls = train_loss.end_level < before * (1 - TRAINING_FALL)
    return Divergence(loss, onset, gain, drop, falls, climbs, train_falls, gap, early_gap)


def _least_gap(loss: Curve, accuracy: Curve, train_loss: Curve) -> float | None:
    """Return by how much training is more accurate at the least, None where that is unknown.

    A wrong answer costs ln 2 or more as cross-entropy: accuracy >= 1 - loss / ln 2.
    """
    alike = 1 / ONE_KIND < train_loss.first / loss.first < ONE_KIND if loss.first > 0 else False
    if not alike or loss.end_level < (1 - accuracy.end_level) * np.log(2.0):
        return None
    return float(1 - train_loss.end_level / np.log(2.0) - accuracy.end_level)


def _level_at(curve: Curve, epoch: float) -> float:
    """Median of the values around an epoch."""
    near = int(np.searchsorted(curve.epochs, epoch))
    half = max(1, len(curve) // 20)
    around: Floats = curve.values[max(near - half, 0) : near + half + 1]
    return float(np.median(around)) if len(around) else float(curve.values[-1])
