"""The check of a network that learns by a method and shows no gradient: by its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gradcheck.report.report import Report
from gradcheck.state import StateSnapshot
from gradcheck.training.check_update import check_update, undecided_if_momentum_explains
from gradcheck.training.fit_methods import LATER, Training, training_of


def check_fit(
    network: Any, arguments: Sequence[Any], params: Any, tolerance: float | None, seed: int
) -> Report | None:
    """Check the step of a network as `check_update` does; None where it has none.

    Parameters
    ----------
    network, arguments, params
        As for `training_of`.
    tolerance, seed
        As for `gradcheck.check`.
    """
    training = training_of(network, arguments, params)
    if training is None:
        return None
    with StateSnapshot([network, params]).guarded():
        return _checked(training, network if params is None else params, tolerance, seed)


def _checked(training: Training, params: Any, tolerance: float | None, seed: int) -> Report:
    """Check a step, then the one after some epochs, and say what was taken for what."""
    training.begin()
    report = check_update(
        training.step,
        params,
        training.loss,
        learning_rate=training.learning_rate,
        predict=training.predict,
        inputs=training.inputs,
        targets=training.targets,
        tolerance=tolerance,
        seed=seed,
    )
    if report.ok and training.later is not None:
        return undecided_if_momentum_explains(
            _checked(training.later, params, tolerance, seed), LATER
        )
    return replace(report, target=training.name, notes=(*report.notes, training.description))
