"""From a model to a report: experiments decide what the curves alone could only suspect."""

from __future__ import annotations

from typing import Any

import numpy as np

from diagnostics.diagnosis import diagnose
from diagnostics.finding import Finding, Severity
from diagnostics.history import History, as_history
from diagnostics.probes.predictions import Predict, UnusableError, encoded
from diagnostics.probes.registry import PROBES
from diagnostics.probes.subject import Labels, Subject
from diagnostics.report import Report

# What the curves suspect and the experiments decide: proven here, or dropped.
DECIDED = frozenset({"evaluation_bug", "overconfidence"})
# With a proven fault of the evaluation the curves say nothing about the model.
NEEDS_RIGHT_NUMBERS = frozenset(
    {"overfitting", "label_noise", "distribution_shift", "loss_scale_mismatch", "overconfidence"}
)

# Overfitting and wrong labels make overconfident; all of them make loss and accuracy part.
CONSEQUENCES = {"overconfidence": 1, "loss_accuracy_divergence": 2}


def investigate(
    predict: Predict,
    X: Any,
    y: Any,
    *,
    history: Any = None,
    train: tuple[Any, Any] | None = None,
    loss: Any = None,
) -> Report:
    """Find out by experiment why the loss is what it is.

    Parameters
    ----------
    predict
        From samples to probabilities (or logits), shape (n, classes).
    X
        Validation samples, first axis counting them.
    y
        Their classes: indices, shape (n,), or one-hot, shape (n, classes).
    history
        The run that led to the model, in any form that `diagnose` takes.
    train
        Training samples and classes, ``(X_train, y_train)``: adds experiments on overlap, shift
        and wrong labels.
    loss
        The loss in use, ``loss(p, t)``: adds experiments on it.

    Returns
    -------
    Report
        What the experiments found first, then what the curves show besides.

    Raises
    ------
    ValueError
        There are no samples, or samples and labels do not fit together.

    Notes
    -----
    The model is called a few times on all samples, and on at most 256 of them one at a time.
    """
    subject = _subject(predict, X, y, history, train, loss)
    findings: list[Finding] = []
    tests_run: list[str] = []
    failure = _unusable(subject)
    if failure is not None:
        findings.append(failure)
    for probe in PROBES if failure is None else ():
        if probe.unless & {finding.code for finding in findings}:
            continue
        tests_run.append(probe.name)
        finding = _run(probe.experiment, subject, probe.name)
        if finding is not None:
            findings.append(finding)
    if subject.history is None:
        return Report(_ordered(findings), tuple(tests_run))
    curves = diagnose(subject.history, classes=subject.classes, samples=len(subject.y))
    kept = [f for f in curves.findings if _stands(f, findings, decided=failure is None)]
    tests = dict.fromkeys((*tests_run, *curves.tests_run))
    return Report(_ordered(findings + kept), tuple(tests), curves.margins, subject.history)


def _run(experiment: Any, subject: Subject, name: str) -> Finding | None:
    """One experiment; a model that fails in it leaves the question open, and that is said."""
    try:
        found: Finding | None = experiment(subject)
    except UnusableError as error:
        return Finding(
            code="undecided",
            severity=Severity.INFO,
            message=f"The experiment {name} could not be made: {error}.",
            confidence=1.0,
        )
    return found


def _unusable(subject: Subject) -> Finding | None:
    """Whether the model answers at all, in numbers."""
    try:
        raw = subject.predictions.raw
    except UnusableError as error:
        return Finding(
            code="predict_failed",
            severity=Severity.PROBLEM,
            message=f"No experiment could be made: {error}.{_one_based(subject.y)}",
            next_steps=("Pass a function from samples to probabilities, one row for each sample.",),
        )
    if np.isfinite(raw).all():
        return None
    row = int(np.argmax(~np.isfinite(raw).all(axis=1)))
    return Finding(
        code="exploding_or_nan",
        severity=Severity.PROBLEM,
        message=f"predict returns values that are not finite, first in row {row}.",
        evidence={"share of rows": float(np.mean(~np.isfinite(raw).all(axis=1)))},
        causes=(
            "exp overflows in a softmax that does not subtract the maximum",
            "NaN in the weights",
        ),
        next_steps=("Subtract the row's maximum: np.exp(x - x.max(axis=-1, keepdims=True)).",),
    )


def _one_based(y: Labels) -> str:
    """What to say of labels that never are 0."""
    if y.min() == 0:
        return ""
    return (
        f" The labels run from {y.min()} to {y.max()}, but classes are counted from 0: "
        "pass y - 1 if yours start at 1."
    )


def _stands(finding: Finding, proven: list[Finding], *, decided: bool) -> bool:
    """Whether a finding from the curves still stands after the experiments."""
    codes = {other.code for other in proven}
    if finding.code in codes:
        return False
    if "evaluation_bug" in codes and finding.code in NEEDS_RIGHT_NUMBERS:
        return False
    if finding.code == "evaluation_bug" and "loss_not_reproduced" in codes:
        return True
    return not (decided and finding.code in DECIDED)


def _ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    """By severity, and within it causes before their consequences."""
    return tuple(sorted(findings, key=lambda f: (f.severity.rank, CONSEQUENCES.get(f.code, 0))))


def _subject(
    predict: Predict, X: Any, y: Any, history: Any, train: tuple[Any, Any] | None, loss: Any
) -> Subject:
    """The arguments, validated."""
    if not callable(predict):
        raise TypeError(
            f"predict: expected a function from samples to probabilities, got {predict!r}"
        )
    X = X if hasattr(X, "shape") else np.asarray(X)
    y = encoded(predict, y)
    labels, classes = _labels(y, "y")
    _require_equal(len(X), len(labels), "X", "y")
    pair = None
    if train is not None:
        train_labels, more = _labels(encoded(predict, train[1]), "train")
        _require_equal(len(train[0]), len(train_labels), "train[0]", "train[1]")
        pair, classes = (np.asarray(train[0]), train_labels), max(classes, more)
    run: History | None = None if history is None else as_history(history)
    return Subject(predict, X, labels, max(classes, 2), run, pair, loss)


def _labels(y: Any, name: str) -> tuple[Labels, int]:
    """Class indices and the number of classes they show."""
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] > 1:
        return values.argmax(axis=1), values.shape[1]
    values = values.reshape(-1)
    if len(values) == 0:
        raise ValueError(f"{name}: no samples given")
    indices = values.astype(np.intp)
    if not np.array_equal(indices, values) or indices.min() < 0:
        raise ValueError(
            f"{name}: expected class indices 0, 1, ... or one-hot rows, got {values[:3]}"
        )
    return indices, int(indices.max()) + 1


def _require_equal(rows: int, labels: int, first: str, second: str) -> None:
    if rows != labels:
        raise ValueError(f"{first} has {rows} samples but {second} has {labels}")
