"""From a history to a report: every rule is applied, what is found is put in order."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from diagnostics.finding import Finding
from diagnostics.history.history import as_history
from diagnostics.report.report import DiagnosisReport
from diagnostics.rules import RULES, Rule, Run
from gradcheck_arguments import Several, checked


@checked
def diagnose(
    history: Any,
    *,
    classes: Several | None = None,
    samples: Several | None = None,
    mute: Collection[str] = (),
) -> DiagnosisReport:
    """Say what went wrong in a training run, judged from its curves alone.

    Parameters
    ----------
    history
        A `History`, the path of a training log, a dictionary of curves, a data frame, or a list
        of records.
    classes
        Number of classes. Inferred where the run starts at chance, otherwise unknown.
    samples
        Number of samples evaluated in one call of the model, of which the validation accuracies
        are multiples. Inferred from these where possible.
    mute
        Codes of findings not to report; `DiagnosisReport.muted` holds those that were found.

    Returns
    -------
    DiagnosisReport
        Findings ordered by severity, and within it in the order of judgement: whether the numbers
        are right comes before whether the model got worse.

    Raises
    ------
    ValueError
        There is no loss and no accuracy to judge, a size is not positive, or ``mute`` names no
        finding.

    Examples
    --------
    >>> report = diagnose({"loss": [2.3, 1.1, float("nan")], "accuracy": [0.1, 0.6, 0.1]})
    >>> report.primary.code
    'exploding_or_nan'
    """
    _refuse_unknown(mute)
    history = as_history(history)
    run = Run(history, known_classes=classes, known_samples=samples)
    findings: list[Finding] = []
    margins: dict[str, float] = {}
    tests_run = []
    for rule in RULES:
        found = {finding.code for finding in findings}
        if not rule.applies(run) or rule.unless & found:
            continue
        tests_run.append(rule.code)
        # Losses near the largest double overflow to infinity, and compare as they should.
        with np.errstate(all="ignore"):
            finding = rule.find(run)
        margin = run.take_margin()
        if finding is not None:
            findings.append(
                replace(
                    finding,
                    code=finding.code or rule.code,
                    severity=rule.severity or finding.severity,
                    axis=history.axis,
                    not_excluded={} if rule.info else not_excluded(rule, run),
                )
            )
        elif margin < 1 and not rule.info:
            margins[rule.code] = max(margin, margins.get(rule.code, 0.0))
    for finding in findings:
        margins.pop(finding.code, None)
    findings.sort(key=lambda finding: finding.severity.rank)
    return DiagnosisReport(
        findings=tuple(f for f in findings if f.code not in mute),
        tests_run=tuple(dict.fromkeys(tests_run)),
        margins=margins,
        history=history,
        muted=tuple(f.code for f in findings if f.code in mute),
    )


def not_excluded(rule: Rule, run: Run) -> dict[str, tuple[str, ...]]:
    """Return what would explain the evidence of a rule, but could not be excluded by these curves.

    Parameters
    ----------
    rule
        The rule that found something.
    run
        What it found it in.

    Returns
    -------
    dict
        Codes of findings, and for each the roles not logged by which it would be judged.
    """
    missing: dict[str, tuple[str, ...]] = {}
    for other in RULES:
        if other.code in rule.unless - {rule.code} and (lacks := other.could_use(run)):
            missing[other.code] = tuple(dict.fromkeys((*missing.get(other.code, ()), *lacks)))
    return missing


def _refuse_unknown(mute: Collection[str]) -> None:
    """Refuse to mute what is no finding: with a typing error nothing would be muted."""
    known = sorted({rule.code for rule in RULES})
    unknown = sorted(set(mute) - set(known))
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"mute={unknown[0]!r} is no finding: {hint}known: {', '.join(known)}")
