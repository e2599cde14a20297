"""A history prepared for judgement: finite curves, trends computed once, inferred sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from diagnostics.history import CURVES, History
from diagnostics.rules.curve import Curve
from diagnostics.rules.divergence import Divergence, divergence
from diagnostics.rules.inference import infer_classes, infer_samples

# With unknown number of classes, chance is put at that many: ln 1000 = 6.9 nats.
MANY_CLASSES = 1000


@dataclass
class Run:
    """What the rules look at.

    Parameters
    ----------
    history
        The curves as logged.
    known_classes, known_samples
        Number of classes, and of rows in one evaluation call, if the user gave them.
    margins
        Filled while rules run: how near each silent rule came to its threshold.
    """

    history: History
    known_classes: int | None = None
    known_samples: int | None = None
    margins: dict[str, float] = field(default_factory=dict)
    rule: str = ""
    _curves: dict[str, Curve | None] = field(default_factory=dict)

    def exceeds(self, value: float, threshold: float) -> bool:
        """Compare a statistic with its threshold, and remember how near it came."""
        near = value / threshold if np.isfinite(value) and threshold > 0 else 0.0
        self.margins[self.rule] = min(self.margins.get(self.rule, np.inf), max(near, 0.0))
        return value > threshold

    def curve(self, role: str) -> Curve | None:
        """Return the finite values of a role, None when fewer than two."""
        if role not in self._curves:
            self._curves[role] = self._finite(role)
        return self._curves[role]

    def _finite(self, role: str) -> Curve | None:
        values = self.history.curve(role)
        if values is None:
            return None
        finite = np.isfinite(values)
        if finite.sum() < 2:
            return None
        return Curve(role, self.history.epochs[finite], values[finite])

    @cached_property
    def train_loss(self) -> Curve | None:
        """Training loss."""
        return self.curve("train_loss")

    @cached_property
    def val_loss(self) -> Curve | None:
        """Validation loss."""
        return self.curve("val_loss")

    @cached_property
    def train_accuracy(self) -> Curve | None:
        """Training accuracy."""
        return self.curve("train_accuracy")

    @cached_property
    def val_accuracy(self) -> Curve | None:
        """Validation accuracy."""
        return self.curve("val_accuracy")

    @cached_property
    def length(self) -> int:
        """Number of rows of the longest loss or accuracy curve."""
        curves = (self.history.curve(role) for role in CURVES)
        return max(int(np.isfinite(curve).sum()) for curve in curves if curve is not None)

    @cached_property
    def judged(self) -> tuple[Curve, Curve] | None:
        """Loss and accuracy of the same samples at the same epochs: validation, else training."""
        return self.joint("val_loss", "val_accuracy") or self.joint("train_loss", "train_accuracy")

    def joint(self, one: str, other: str) -> tuple[Curve, Curve] | None:
        """Return two curves at the epochs at which both are finite, None when fewer than two."""
        a, b = self.history.curve(one), self.history.curve(other)
        if a is None or b is None:
            return None
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() < 2:
            return None
        epochs = self.history.epochs[both]
        return Curve(one, epochs, a[both]), Curve(other, epochs, b[both])

    @cached_property
    def classes(self) -> int | None:
        """Number of classes: given, else inferred from a start at chance, else None."""
        return self.known_classes or infer_classes(self.train_loss, self.train_accuracy)

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
        if self.judged is None:
            return None
        return divergence(*self.judged, None, None)
