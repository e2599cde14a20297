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
    Labels,
    Predict,
    PredictionKind,
    Predictions,
    UnusableError,
    as_rows_of_classes,
    as_rows_of_numbers,
    ask,
    ask_one_by_one,
    interpret,
    of_class,
)
from diagnostics.experiments.model.samples import spread_out, take
from diagnostics.history.history import History
from diagnostics.history.table import Floats
from diagnostics.report.report import DiagnosisReport
from diagnostics.statistics.calibration import TINY, Temperature, fit_temperature

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
    y : ndarray, shape (n,) or (n, outputs)
        True classes as indices; of a regression the targets.
    classes
        Their number, 0 for a regression.
    history
        The run that led to the model, or None.
    train
        The training samples, for the same model, or None.
    loss
        The loss in use, ``loss(p, t)``, or None.
    """

    predict: Predict
    X: Any
    y: NDArray[Any]
    classes: int
    history: History | None = None
    train: Subject | None = None
    loss: Any = None

    @property
    def numeric(self) -> bool:
        """Whether this is a regression: answers and targets are numbers, not classes."""
        return self.classes == 0

    @property
    def given(self) -> frozenset[str]:
        """What there is besides samples and labels, of all that experiments may need."""
        there = {
            "model": not isinstance(self.predict, Given),
            "probabilities": not self.numeric,
            "numbers": self.numeric,
            "train": self.train is not None,
            "history": self.history is not None,
            "loss": self.loss is not None,
        }
        return frozenset(name for name, is_there in there.items() if is_there)

    @property
    def training(self) -> Subject:
        """The training samples, for experiments that need them."""
        if self.train is None:
            raise UnusableError("no training samples are given")
        return self.train

    @cached_property
    def trained_on(self) -> Subject | None:
        """The training samples where they are given and answered, else None."""
        try:
            _ = self.training.predictions
        except UnusableError:
            return None
        return self.train

    def ask(self, X: Any) -> Floats:
        """Return the model's answers as an array of shape (n, classes) or (n, outputs)."""
        return self._as_rows(ask(self.predict, X), len(X))

    def _as_rows(self, values: Floats, samples: int) -> Floats:
        """Answers with a row for each sample."""
        if not self.numeric:
            return as_rows_of_classes(values, samples, self.classes)
        return as_rows_of_numbers(values, samples, self.y.shape[1])

    @cached_property
    def predictions(self) -> Predictions:
        """The answers to all samples in one call."""
        raw = self.ask(self.X)
        return Predictions(raw, PredictionKind.NUMBERS, raw) if self.numeric else interpret(raw)

    @cached_property
    def answers(self) -> Labels:
        """The class answered for each sample, shape (n,)."""
        return np.asarray(self.predictions.probabilities.argmax(axis=1))

    @property
    def scale(self) -> float:
        """The largest answer, of probabilities 1 at least: what noise is measured by."""
        least = 1e-300 if self.numeric else 1.0
        return max(float(np.abs(self.predictions.raw).max()), least)

    @cached_property
    def errors(self) -> Floats:
        """Of a regression, answers less targets, shape (n, outputs)."""
        return np.asarray(self.predictions.raw - self.y)

    @cached_property
    def p_true(self) -> Floats:
        """Row-wise normalised probability of the true class, shape (n,)."""
        return of_class(self.predictions.probabilities, self.y)

    @cached_property
    def sample_losses(self) -> Floats:
        """Cross-entropy of each sample from row-wise normalised probabilities, shape (n,), nats."""
        return -np.log(np.maximum(self.p_true, TINY))

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Which samples are classified rightly, shape (n,)."""
        return np.asarray(self.answers == self.y)

    @property
    def accuracy(self) -> float:
        """Share of samples that are classified rightly."""
        return float(self.right.mean())

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
        return spread_out(len(self.y), SINGLE_ROWS)

    @cached_property
    def alone(self) -> Floats | None:
        """The answers to `rows`, each asked for alone; None when that fails."""
        try:
            # read together: one number by itself may be a probability or a logit
            answers = ask_one_by_one(self.predict, self.X, self.rows)
            return self._as_rows(answers, len(self.rows))
        except UnusableError:
            return None

    @cached_property
    def half_batch_change(self) -> float:
        """Largest change of an answer when the first half of the samples is asked for alone."""
        half = np.arange(max(len(self.y) // 2, 1))
        return float(np.abs(self.ask(take(self.X, half)) - self.predictions.raw[half]).max())

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
        if self.numeric:
            return diagnose(self.history)
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
