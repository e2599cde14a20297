"""The model as a function: it must leave the samples alone, and answer twice the same."""

from __future__ import annotations

import numpy as np

from diagnostics.experiments.model.model_access import in_training, model_of
from diagnostics.experiments.model.predictions import interpret
from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, advice

# Batches differ at 1e-7 in single precision; a repetition that differs by more is random.
RANDOM = 1e-5
# Rows of one batch may be summed in another order each, in half precision.
COPY_NOISE = 1e-2


def input_mutated(subject: Subject) -> Finding | None:
    """The samples are compared before and after the call."""
    if not isinstance(subject.X, np.ndarray) or subject.X.dtype.kind not in "fiub":
        return None
    shown = subject.X.copy()
    subject.predict(shown)
    changed = ~np.isclose(shown, subject.X, rtol=0, atol=0, equal_nan=True)
    if not changed.any():
        return None
    return Finding(
        message=(
            f"predict changes the samples it is given: {changed.mean():.0%} of the numbers are "
            "others after the call, so that a second call gives other answers."
        ),
        confidence=0.99,
        evidence={"share of numbers changed": float(changed.mean())},
        causes=("an operation in place, such as x -= mean or x *= scale, on the argument",),
        steps=advice("Work on a copy: x = x - mean makes one, x -= mean does not."),
    )


def nondeterministic_prediction(subject: Subject) -> Finding | None:
    """The same samples are predicted twice."""
    noise = subject.repeat_noise
    if noise <= RANDOM * subject.scale:
        return None
    return Finding(
        message=(
            f"predict is not deterministic: two calls on equal samples differ by {noise:.2g}"
            + (", and the model is in training mode." if _training(subject) else ".")
        ),
        confidence=0.99,
        evidence={"largest difference between two calls": noise, **_changed(subject)},
        causes=("dropout or augmentation is active in evaluation", "predict changes state"),
        steps=advice(evaluation_mode(subject)),
    )


def noise_within_batch(subject: Subject) -> Finding | None:
    """Copies of one sample are predicted in one batch: noise from a fixed seed tells them apart."""
    noise = subject.copy_noise
    if noise <= COPY_NOISE * subject.scale:
        return None
    return Finding(
        message=(
            f"predict answers copies of one sample in one batch differently, by {noise:.2g}, "
            "though two calls agree: its noise is drawn from a seed that is set at each call."
        ),
        confidence=0.95,
        evidence={"largest difference between copies": noise},
        causes=("dropout or augmentation is active in evaluation, with a fixed seed",),
        steps=advice(evaluation_mode(subject)),
    )


def _training(subject: Subject) -> bool:
    """Whether the model says that it is in training mode."""
    return in_training(model_of(subject.predict))


def evaluation_mode(subject: Subject) -> str:
    """Return how the model is put into evaluation mode."""
    if _training(subject):
        return "Call model.eval() before predicting."
    return "Switch the model to evaluation mode before predicting."


def _changed(subject: Subject) -> dict[str, float]:
    """Share of samples that are answered another class in a second call."""
    if subject.numeric:
        return {}
    again = interpret(subject.ask(subject.X)).probabilities.argmax(axis=1)
    return {"share of answers that change their class": float(np.mean(again != subject.answers))}
