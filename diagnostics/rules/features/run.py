"""What several rules ask about a run: how its sets compare, what sizes it gives away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.rules.features.breakdown import Breakdown
from diagnostics.rules.features.divergence import Divergence, divergence
from diagnostics.rules.features.infer_sizes import infer_samples
from diagnostics.rules.features.loss_at_equal_accuracy import Matched, match
from diagnostics.statistics.rise_test import RISE_THRESHOLD

# With unknown number of classes, chance is put at that many: ln 1000 = 6.9 nats.
MANY_CLASSES = 1000
# Training more accurate than validation by this much from the first epochs on: other data.
FAR_APART = 0.2
# Training learned something, validation nothing: what is left of the first losses.
TRAINING_LEFT, NO_BETTER = 0.5, 0.9
# An accuracy that gains less has learned nothing.
NO_GAIN = 0.05
# A first training accuracy no further above the best of validation is at chance too.
AT_CHANCE = 0.04
# Nor has one that gains less than this from a first value, which is noise of a few samples.
SMALL_GAIN = 0.08
# Validation shares less than this of what training gains: nothing of it carries over.
SHARED = 0.1
# Validation after the first epoch above the training mean over that epoch: by this much for sure.
KEPT_PACE = 0.15


@dataclass
class Run(Breakdown):
    """What the rules look at.

    Parameters
    ----------
    history
        The curves as logged.
    known_classes, known_samples
        Number of classes, and of rows in one evaluation call, if the user gave them.
    margin
        How near the rule that is being asked came to its nearest threshold: see `exceeds`.
    """

    known_samples: int | None = None
    margin: float = np.inf

    def exceeds(self, value: float, threshold: float) -> bool:
        """Compare a statistic with its threshold, and remember how near it came.

        Of several comparisons in one rule the one that is farthest from its threshold counts: it
        alone keeps the rule from finding anything.
        """
        near = value / threshold if np.isfinite(value) and threshold > 0 else 0.0
        self.margin = min(self.margin, max(near, 0.0))
        return value > threshold

    def take_margin(self) -> float:
        """Return the margin of the rule just asked, infinite if it compared nothing, and reset."""
        margin, self.margin = self.margin, np.inf
        return margin

    @cached_property
    def matched(self) -> Matched | None:
        """Training and validation loss at equal accuracies, None where not comparable."""
        train = self.joint("train_loss", "train_accuracy")
        val = self.joint("val_loss", "val_accuracy")
        if train is None or val is None or self.diverges:
            return None
        return match(train, val)

    @cached_property
    def apart(self) -> bool:
        """Whether training is far more accurate than validation in the first epochs already."""
        pair = self.joint("train_accuracy", "val_accuracy")
        if pair is None:
            return False
        early = slice(0, max(3, len(pair[0]) // 5))
        gap = np.median(pair[0].values[early] - pair[1].values[early])
        return bool(gap > FAR_APART) and not self.kept_pace

    @cached_property
    def kept_pace(self) -> bool:
        """Whether validation after the first epoch is above the training mean over that epoch."""
        pair = self.joint("train_accuracy", "val_accuracy")
        return pair is not None and pair[1].first - pair[0].first > KEPT_PACE

    @cached_property
    def never_improved(self) -> bool:
        """Whether validation begins above training and only rises, while training falls.

        Overfitting turns after a fall; and a first epoch leaves validation below the mean of
        training over that epoch, unless it is measured otherwise or on other data.
        """
        train, val = self.train_loss, self.val_loss
        if train is None or val is None or val.first < train.first or not val.rise.real:
            return False
        fell = train.end_level < TRAINING_LEFT * train.first
        return fell and bool(val.values.min() > NO_BETTER * val.first)

    @cached_property
    def gap(self) -> float:
        """Training minus validation accuracy at the end; zero when unknown."""
        if self.train_accuracy is None or self.val_accuracy is None:
            return 0.0
        return self.train_accuracy.end_level - self.val_accuracy.end_level

    @cached_property
    def val_at_chance(self) -> bool:
        """Whether validation never beats a guess: no gain in accuracy, a loss no better."""
        pair = self.joint("val_loss", "val_accuracy")
        if pair is None or not 0 < pair[1].end_level < 0.5:
            return False
        loss, accuracy = pair
        if self.train_accuracy and self.train_accuracy.first > accuracy.values.max() + AT_CHANCE:
            return False
        gain = accuracy.end_level - accuracy.first
        learned = (
            self.train_accuracy.end_level - self.train_accuracy.first if self.train_accuracy else 0
        )
        if gain > max(SMALL_GAIN, 3 * accuracy.noise, SHARED * learned):
            return False
        falls = loss.fall.steady and loss.fall.statistic > RISE_THRESHOLD
        if falls and gain > min(learned / 2, learned - NO_GAIN):
            return False  # slow, but learning
        # A guess among C classes is right in 1/C of the cases and costs ln C.
        return bool(loss.values.min() > -0.97 * np.log(accuracy.values.max()))

    @property
    def chance(self) -> float:
        """Loss of a uniform guess, ln C, with C put at its most lenient where unknown."""
        return float(np.log(self.classes or MANY_CLASSES))

    @cached_property
    def samples(self) -> int | None:
        """Rows in one evaluation: given, else inferred from the accuracies k/N, else None."""
        if self.known_samples:
            return self.known_samples
        if self.val_accuracy is None:
            return None
        loss = self.val_loss
        return infer_samples(self.val_accuracy.values, None if loss is None else loss.values)

    @cached_property
    def divergence(self) -> Divergence | None:
        """The rise of the validation (else training) loss, None when there is none."""
        if self.val_loss is not None:
            return divergence(
                self.val_loss, self.val_accuracy, self.train_loss, self.train_accuracy
            )
        if self.pair is None:
            return None
        return divergence(*self.pair, None, None)
