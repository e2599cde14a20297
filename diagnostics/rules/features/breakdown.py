"""Whether a run broke down: judged from its own start, and from what its answers do meanwhile.

A loss that is merely large, or rises while the answers hold, is no breakdown: it contradicts its
own accuracy, which is evidence for a wrong number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.rules.features import loss_accuracy_bounds as bounds
from diagnostics.rules.features.curve import CALM, Curve
from diagnostics.rules.features.infer_sizes import infer_classes
from diagnostics.rules.features.run_curves import ENOUGH_EPOCHS, Logged
from diagnostics.statistics import robust

# A model that is right in most cases, and as often as ever: but for this share of the answers, and
# not by turns.
MOSTLY_RIGHT, SMALL_LOSS, UNSTEADY = 0.5, 0.05, 0.05
# So large a growth is one without bound, whatever the answers do.
ORDER_OF_MAGNITUDE = 10.0
# The training loss ends this many times above where it started: it diverges.
DIVERGED = 2.0
# A training loss that had been learned, and a jump to so many times the first loss: no unusual
# batch.
LEARNED, BLOWN_UP = 0.5, 3.0


@dataclass
class Breakdown(Logged):
    """The curves of a run, and whether it broke down; the user may know the number of classes."""

    known_classes: int | None = None

    @cached_property
    def classes(self) -> int | None:
        """Number of classes: given, else inferred from a start at chance, else None."""
        return self.known_classes or infer_classes(self.train_loss, self.train_accuracy)

    @cached_property
    def restless(self) -> bool:
        """Whether a loss jumps up and down instead of settling, as at too high a rate.

        A training loss too large for its answers from the start shows that by smaller jumps; a
        loss that no answers can have does not.
        """
        if self.beyond_any_answer:
            return False
        train = self.train_loss
        if train is not None and self.starts_too_large and train.swing > CALM:
            return True
        return any(loss is not None and loss.restless for loss in (train, self.val_loss))

    @cached_property
    def beyond_any_answer(self) -> bool:
        """Whether wrong answers would have to cost more than any probability: a wrong number."""
        pair = self.joint("train_loss", "train_accuracy") or self.pair
        if pair is None or pair[0].end_level > ORDER_OF_MAGNITUDE * pair[0].first:
            return False
        return bounds.least_cost_of_an_error(*pair, self.known_classes) > bounds.MOST_NATS

    @cached_property
    def answers_hold(self) -> bool:
        """Whether most answers are right at the end, about as many as ever, in a calm run.

        Such a model has not broken down: a loss that grows meanwhile is not that of its answers.
        """
        accuracy = self.train_accuracy or self.val_accuracy
        if accuracy is None or accuracy.end_level < MOSTLY_RIGHT or self.restless:
            return False
        if self.train_loss is not None and self.train_loss.grows_by(ORDER_OF_MAGNITUDE):
            return False
        lost = -accuracy.fall.lowest - accuracy.end_level
        return lost < max(SMALL_LOSS, 3 * accuracy.noise) and accuracy.noise < UNSTEADY

    @cached_property
    def diverges(self) -> bool:
        """Whether a loss grows without bound, by the run's own start, and the answers suffer.

        Not finite, or ending far above its own first values, or beyond what any probability costs
        in the first epochs already.
        """
        if self.not_finite or self.lost_at_once:
            return True
        curve = self.train_loss
        if curve is None or self.answers_hold:
            return False
        if self._blown_up_at_once(curve):
            return True
        if curve.grows_by(DIVERGED):
            return True
        highest = float(curve.values.max())
        return self.restless and highest > DIVERGED * curve.first < DIVERGED * curve.end_level

    @cached_property
    def not_finite(self) -> bool:
        """Whether a loss became NaN or infinite, and nothing can be made of what was before."""
        for role in ("train_loss", "val_loss"):
            curve = self.curve(role)
            if self.history.not_finite(role).any() and (
                curve is None or len(curve) < ENOUGH_EPOCHS or not self.answers_hold
            ):
                return True
        return False

    @cached_property
    def starts_too_large(self) -> bool:
        """Whether the first training loss is far above what its accuracy implies."""
        pair = self.joint("train_loss", "train_accuracy")
        if pair is None:
            return False
        implied = bounds.calibrated_loss(pair[1].values[:1], self.classes)
        return bool(pair[0].first > bounds.TOO_LARGE * implied[0])

    @cached_property
    def sure_at_once(self) -> bool:
        """Whether wrong answers cost too much in training at first, and less as it learns.

        Then the weights begin too large, or the loss is a sum: this explains a validation loss as
        large. A training loss that stays where it is while the answers become right is wrong too.
        """
        train = self.train_loss
        if train is None or not self.starts_too_large:
            return False
        return self.restless or bool(train.values.min() < bounds.STILL_HIGH * train.first)

    @cached_property
    def lost_at_once(self) -> bool:
        """Whether what was learned is lost at once, and not found again."""
        curve, accuracy, val = self.train_loss, self.train_accuracy, self.val_loss
        if curve is None:
            return False
        jumps = curve.values.max() > DIVERGED * curve.first
        if accuracy is not None and jumps and curve.end_level > curve.first:
            best = float(robust.running_median(accuracy.values, 3).max())
            if best > MOSTLY_RIGHT and accuracy.end_level < best / 2:
                return True
        peak = int(np.argmax(curve.values))
        before = curve.values[:peak]
        if val is None or len(before) < 3 or before.min() > LEARNED * curve.first:
            return False
        val_before = val.values[val.epochs < curve.epochs[peak - 2]]
        if not len(val_before) or curve.values[peak] < BLOWN_UP * curve.first:
            return False
        return val.end_level > ORDER_OF_MAGNITUDE * float(np.median(val_before[-3:]))

    def _blown_up_at_once(self, loss: Curve) -> bool:
        """Whether the first steps threw the weights so far that nothing was learned since.

        The mean of a cross-entropy beyond `MOST_NATS` needs logits beyond single precision; what is
        left of it later is the loss of a guess.
        """
        if self.train_accuracy is None and self.val_accuracy is None:
            return False
        return bool(
            loss.values.max() > bounds.MOST_NATS and loss.end_level < loss.values.max() / 10
        )
