"""A model of regression under investigation: its answers and targets are numbers, not classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from diagnostics.diagnosis import diagnose
from diagnostics.experiments.model.predictions import (
    PredictionKind,
    Predictions,
    UnusableError,
    ask,
    ask_one_by_one,
)
from diagnostics.experiments.model.subject import Subject
from diagnostics.history.table import Floats
from diagnostics.report.report import DiagnosisReport


@dataclass(frozen=True, kw_only=True)
class Numbers(Subject):
    """A regression, and the targets it is judged on.

    Parameters
    ----------
    targets : ndarray, shape (n, outputs)
        Those of the samples; ``y`` only counts them.
    train_targets : ndarray, shape (m, outputs)
        Those of the training samples, None where these are not given.
    """

    targets: Floats
    train_targets: Floats | None = None

    def ask(self, X: Any) -> Floats:
        """Return the model's answers as an array of shape (n, outputs)."""
        return self._as_rows(ask(self.predict, X), len(X))

    def _as_rows(self, values: Floats, samples: int) -> Floats:
        outputs = self.targets.shape[1]
        if values.size == samples * outputs and (values.ndim < 2 or len(values) == samples):
            return values.reshape(samples, outputs)
        raise UnusableError(
            f"predict returned shape {values.shape} for {samples} samples; "
            f"expected ({samples},)" + (f" or ({samples}, {outputs})" if outputs > 1 else "")
        )

    @cached_property
    def predictions(self) -> Predictions:
        """The answers to all samples in one call, as they are."""
        raw = self.ask(self.X)
        return Predictions(raw, PredictionKind.NUMBERS, raw)

    @cached_property
    def alone(self) -> Floats | None:
        """The answers to `rows`, each asked for alone; None when that fails."""
        try:
            return self._as_rows(ask_one_by_one(self.predict, self.X, self.rows), len(self.rows))
        except UnusableError:
            return None

    @cached_property
    def train_predictions(self) -> None:
        """None: what asks for it counts answers by class."""

    @cached_property
    def train_answers(self) -> Floats | None:
        """The answers to the training samples, shape (m, outputs), None when not to be had."""
        if self.train is None:
            return None
        try:
            return self.ask(self.train[0])
        except UnusableError:
            return None

    @cached_property
    def errors(self) -> Floats:
        """Answers less targets, shape (n, outputs)."""
        return self.predictions.raw - self.targets

    @cached_property
    def curves(self) -> DiagnosisReport | None:
        """What the history shows by itself, None without one."""
        return None if self.history is None else diagnose(self.history)


def correlation(answers: Floats, targets: Floats) -> float:
    """Return Pearson's correlation over all outputs, zero where one of the two is constant."""
    a, t = (values - values.mean(axis=0) for values in (answers, targets))
    norm = float(np.sqrt((a**2).sum() * (t**2).sum()))
    return float((a * t).sum()) / norm if norm > 0 else 0.0


def explained(answers: Floats, targets: Floats) -> float:
    """Return R squared: the share of the targets' variance that the answers explain."""
    variance = float(targets.var(axis=0).mean())
    return 1 - float(((answers - targets) ** 2).mean()) / variance if variance > 0 else 0.0
