"""The model under investigation, with its data, and what several experiments need of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diagnostics.diagnosis import diagnose
from diagnostics.experiments.model.predictions import (
    Given,
    Predict,
    Predictions,
    UnusableError,
    as_rows_of_classes,
    ask,
    ask_one_by_one,
    interpret,
)
from diagnostics.experiments.model.samples import take
from diagnostics.history.history import History
from diagnostics.history.table import Floats
from diagnostics.report.report import DiagnosisReport
from diagnostics.statistics.calibration import TINY, Temperature, fit_temperature

Labels = NDArray[np.intp]

# Rows predicted one at a time: enough to see any coupling, quick enough for slow models.
SINGLE_ROWS = 256
# Answers at one place of two batches differ by less where nothing but rounding differs.
SAME_PLACE = 1e-2
# What curves show where the validation loss rises.
RISES = ("loss_accuracy_divergence", "overconfidence", "overfitting")


@dataclass(frozen=True)
class Subject:
    """A model and the samples it is judged on.

    Parameters
    ----------
    predict
        From samples to answers, one row each.
    X
        Samples, first axis counting them.
    y : ndarray, shape (n,)
        True classes as indices.
    history
        The run that led to the model, or None.
    train
        Training samples and their classes, or None.
    loss
        The loss in use, ``loss(p, t)``, or None.
    """

    predict: Predict
    X: Any
    y: Labels
    classes: int
    history: History | None = None
    train: tuple[Any, Labels] | None = None
    loss: Any = None

    def ask(self, X: Any) -> Floats:
        """Return the model's answers as an array of shape (n, classes)."""
        return as_rows_of_classes(ask(self.predict, X), len(X), self.classes)

    @property
    def given(self) -> frozenset[str]:
        """What there is besides samples and labels, of all that experiments may need."""
        there = {
            "model": not isinstance(self.predict, Given),
            "train": self.train is not None,
            "history": self.history is not None,
            "loss": self.loss is not None,
        }
        return frozenset(name for name, is_there in there.items() if is_there)

    @cached_property
    def predictions(self) -> Predictions:
        """The answers to all samples in one call."""
        return interpret(self.ask(self.X))

    @cached_property
    def p_true(self) -> Floats:
        """Row-wise normalised probability of the true class, shape (n,)."""
        return self.predictions.probabilities[np.arange(len(self.y)), self.y]

    @cached_property
    def sample_losses(self) -> Floats:
        """Cross-entropy of each sample from row-wise normalised probabilities, shape (n,), nats."""
        return -np.log(np.maximum(self.p_true, TINY))

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Which samples are classified rightly, shape (n,)."""
        return np.asarray(self.predictions.probabilities.argmax(axis=1) == self.y)

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which samples have a loss that is finite: zero has no temperature."""
        return self.p_true > 0

    @cached_property
    def temperature(self) -> Temperature:
        """The temperature that fits these samples best."""
        return fit_temperature(self.predictions.probabilities[self.known], self.y[self.known])

    @cached_property
    def repeat_noise(self) -> float:
        """Largest difference between two calls on the same samples."""
        return float(np.abs(self.ask(self.X) - self.predictions.raw).max())

    @cached_property
    def copy_noise(self) -> float:
        """Largest difference between the answers to copies of one sample in one batch."""
        count = min(len(self.y), SINGLE_ROWS)
        copies = self.ask(take(self.X, np.zeros(count, dtype=np.intp)))
        noise = float(np.ptp(copies, axis=0).max())
        if noise and self._neighbours_matter(copies[-1]):
            return 0.0
        return noise if np.isfinite(noise) else 0.0  # equal samples have no spread to divide by

    def _neighbours_matter(self, last: Floats) -> bool:
        """Whether the last of the copies is answered otherwise among other samples.

        Noise from a seed depends on the place in the batch, and not on what stands in the others.
        """
        count = min(len(self.y), SINGLE_ROWS)
        among = self.ask(take(self.X, np.arange(count - 1, -1, -1)))[-1]
        return not np.allclose(among, last, rtol=SAME_PLACE, atol=SAME_PLACE)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """The samples asked for one at a time: all, or as many evenly spread."""
        count = min(len(self.y), SINGLE_ROWS)
        return np.unique(np.linspace(0, len(self.y) - 1, count).astype(np.intp))

    @cached_property
    def alone(self) -> Floats | None:
        """The answers to `rows`, each asked for alone; None when that fails."""
        try:
            # read together: one number by itself may be a probability or a logit
            answers = ask_one_by_one(self.predict, self.X, self.rows)
            return as_rows_of_classes(answers, len(self.rows), self.classes)
        except UnusableError:
            return None

    @cached_property
    def train_predictions(self) -> Predictions | None:
        """The answers to the training samples, None when not given or not answered."""
        if self.train is None:
            return None
        try:
            return interpret(self.ask(self.train[0]))
        except UnusableError:
            return None

    def reported(self, role: str) -> float | None:
        """Return the last finite value that the history reports for a role."""
        values = None if self.history is None else self.history.curve(role)
        if values is None or not np.isfinite(values).any():
            return None
        return float(values[np.isfinite(values)][-1])

    @cached_property
    def reported_loss(self) -> float | None:
        """The last validation loss reported, or the only loss there is."""
        loss = self.reported("val_loss")
        return self.reported("train_loss") if loss is None else loss

    @cached_property
    def curves(self) -> DiagnosisReport | None:
        """What the history shows by itself, None without one."""
        if self.history is None:
            return None
        return diagnose(self.history, classes=self.classes, samples=max(len(self.y), 2))

    @property
    def loss_rises(self) -> bool:
        """Whether the history shows a validation loss that rises."""
        return self.curves is not None and any(code in self.curves for code in RISES)

    @property
    def last_loss_not_finite(self) -> bool:
        """Whether the last validation loss reported is NaN or infinite."""
        values = None if self.history is None else self.history.curve("val_loss")
        return values is not None and len(values) > 0 and not np.isfinite(values[-1])
