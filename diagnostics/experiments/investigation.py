"""From a model to a report: experiments decide what the curves alone could only suspect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from diagnostics.experiments.arguments import subject_of
from diagnostics.experiments.checks import CHECKS
from diagnostics.experiments.model.predictions import UnusableError
from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.ranking import ordered, remaining
from diagnostics.experiments.report import Investigation, Level
from diagnostics.finding import Finding, Severity, advice
from gradcheck_arguments import checked

# With fewer samples statistics decide nothing.
ENOUGH = 30


@checked
def investigate(
    predict: Any,
    X: Any,
    y: Any,
    *,
    history: Any = None,
    train: tuple[Any, Any] | None = None,
    loss: Callable[..., Any] | None = None,
) -> Investigation:
    """Find out by experiment why the loss is what it is.

    Parameters
    ----------
    predict
        From samples to probabilities (or logits), shape (n, classes); for a regression to numbers,
        shape (n,) or (n, outputs). A model with ``predict_proba`` or ``predict`` will do; so will
        an array of predictions for ``X``, which leaves the questions open that need the model.
    X
        Validation samples, first axis counting them.
    y
        Their classes: indices or names, shape (n,), or one-hot, shape (n, classes). Numbers that
        are not whole are the targets of a regression, as are whole ones that the model answers by
        others.
    history
        The run that led to the model, in any form that `diagnose` takes.
    train
        Training samples and classes, ``(X_train, y_train)``: adds experiments on overlap, shift
        and wrong labels.
    loss
        The loss in use, ``loss(p, t)``: adds experiments on it.

    Returns
    -------
    Investigation
        A `DiagnosisReport` that begins with a paragraph in plain words: what the experiments found
        first, then what the curves show besides. Saved as a picture, it shows the experiment that
        decided.

    Raises
    ------
    ValueError
        There are no samples, or samples and labels do not fit together.

    Notes
    -----
    The model is called a few times on all samples, and on at most 256 of them one at a time.
    """
    subject = subject_of(predict, X, y, history, train, loss)
    failure = _unusable(subject)
    log = _Log([] if failure is None else [failure])
    if failure is None:
        log.make_experiments(subject)
    kept = remaining(subject, log.findings, decided=failure is None)
    level = Level.MODEL if "model" in subject.given else Level.PREDICTIONS
    curves = subject.curves
    return Investigation(
        findings=ordered(log.findings, kept),
        tests_run=tuple(dict.fromkeys((*log.tests_run, *(curves.tests_run if curves else ())))),
        margins=curves.margins if curves else {},
        history=subject.history,
        subject=subject if failure is None else None,
        levels={finding.code: level for finding in log.findings}
        | {finding.code: Level.HISTORY for finding in kept},
        experiments=log.sentences,
    )


@dataclass
class _Log:
    """What was found, by which experiments."""

    findings: list[Finding]
    tests_run: list[str] = field(default_factory=list)
    sentences: dict[str, str] = field(default_factory=dict)

    def make_experiments(self, subject: Subject) -> None:
        """Make every experiment for which all is given, unless what was found makes it idle."""
        open_questions: dict[str, str] = {}
        for check in CHECKS:
            found = {finding.code for finding in self.findings}
            if found & set(check.unless) or not set(check.needs) <= subject.given:
                continue
            try:
                finding = check.find(subject)
            except UnusableError as error:
                open_questions[check.name] = str(error)
                continue
            self.tests_run.append(check.name)
            if finding is not None:
                code = finding.code or check.code
                severity = check.severity or finding.severity
                self.findings.append(replace(finding, code=code, severity=severity))
                self.sentences.setdefault(code, check.sentence)
        if open_questions:
            self.findings.append(_undecided(open_questions))
        if len(subject.y) < ENOUGH:
            self.findings.append(_too_few(len(subject.y)))


def _too_few(samples: int) -> Finding:
    """With a handful of samples it means little that nothing is found."""
    noun = "sample is" if samples == 1 else "samples are"
    return Finding(
        code="too_few_samples",
        severity=Severity.INFO,
        message=(
            f"{samples} {noun} too few to tell chance from fault: only what is exact was "
            "decided, such as sums of rows and repeated calls."
        ),
        evidence={"samples": samples},
        steps=advice(f"Give at least {ENOUGH} samples, better some hundreds."),
    )


def _undecided(open_questions: dict[str, str]) -> Finding:
    """What experiments failed, and why: the model or the samples do not allow them."""
    said = "; ".join(f"{name} ({reason})" for name, reason in open_questions.items())
    return Finding(
        code="undecided",
        severity=Severity.INFO,
        message=f"These experiments could not be made: {said}.",
        confidence=1.0,
        evidence={"experiments": len(open_questions)},
    )


def _unusable(subject: Subject) -> Finding | None:
    """Whether the model answers at all, in numbers."""
    try:
        raw = subject.predictions.raw
    except UnusableError as error:
        return Finding(
            code="predict_failed",
            severity=Severity.PROBLEM,
            message=f"No experiment could be made: {error}.{_one_based(subject)}",
            steps=advice("Pass a function from samples to probabilities, one row for each sample."),
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
        steps=advice("Subtract the row's maximum: np.exp(x - x.max(axis=-1, keepdims=True))."),
    )


def _one_based(subject: Subject) -> str:
    """What may be the matter with labels that never are 0."""
    y = subject.y
    if subject.numeric or y.min() == 0:
        return ""
    return (
        f" The labels run from {y.min()} to {y.max()}, but classes are counted from 0: "
        "pass y - 1 if yours start at 1."
    )
