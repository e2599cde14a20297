"""What the curves suspect that the experiments leave open, and the order of all findings."""

from __future__ import annotations

import dataclasses

import numpy as np

from diagnostics.experiments.measures.loss_variants import matching
from diagnostics.experiments.model.predictions import cross_entropy
from diagnostics.experiments.model.subject import Subject
from diagnostics.experiments.report import OPEN, REMARKS
from diagnostics.finding import Finding, Severity, StepKind, advice

# What the curves suspect and the experiments decide: proven here, or dropped.
DECIDED = frozenset({"evaluation_bug", "overconfidence"})
# With a proven fault of the evaluation the curves say nothing about the model.
NEEDS_RIGHT_NUMBERS = frozenset(
    {"overfitting", "label_noise", "distribution_shift", "loss_scale_mismatch", "overconfidence"}
)
# Large inputs make dead units, these a single answer, which is right by chance; overfitting and
# wrong labels make overconfident; all of them make loss and accuracy part, and reports wrong.
CONSEQUENCES = {
    "dead_units": 1,
    "class_collapse": 2,
    "not_learning": 3,
    "overconfidence": 4,
    "loss_accuracy_divergence": 5,
    "loss_not_reproduced": 6,
    "metric_mismatch": 6,
}
# Zeros that no reported loss has suffered from are what sure answers come to in the end.
CONSEQUENCES_AS_REMARKS = {**CONSEQUENCES, "exploding_or_nan": 5}
# A temperature explains a rise of the loss when it takes back this share of it.
EXPLAINED = 0.5
# A training loss is the mean over its epoch: so many times that of the model at the end, at most.
MOVED, SMALLEST = 2.0, 1e-12
# An accuracy that many standard errors below its best has fallen.
STANDARD_ERRORS = 3.0
# What to do about a symptom when the model has been asked.
MORE = "Give train=(X_train, y_train) too: it tells wrong labels and another source of the data."
RUN_AGAIN = "Correct what the experiments found, then look at the curves again."


def remaining(subject: Subject, proven: list[Finding], *, decided: bool) -> list[Finding]:
    """Return what the curves show that the experiments leave open.

    Parameters
    ----------
    decided
        Whether experiments could be made at all.
    """
    if subject.curves is None:
        return []
    return [
        _without_this_call(finding, subject)
        for finding in subject.curves.findings
        if _remains(finding, subject, proven, decided=decided)
    ]


def _remains(finding: Finding, subject: Subject, proven: list[Finding], *, decided: bool) -> bool:
    """Whether a finding from the curves is neither proven nor ruled out by the experiments."""
    codes = {other.code for other in proven}
    if finding.code in codes:
        return False
    if "evaluation_bug" in codes and finding.code in NEEDS_RIGHT_NUMBERS:
        return False
    if finding.code == "evaluation_bug" and "loss_not_reproduced" in codes:
        return True
    if finding.code == "overfitting" and _only_too_sure(subject, proven):
        return False
    if finding.code == "loss_scale_mismatch" and decided and _both_losses_reproduced(subject):
        return False
    return not (decided and finding.code in DECIDED)


def _only_too_sure(subject: Subject, proven: list[Finding]) -> bool:
    """Whether the answers are as good as ever, and a temperature takes back the loss's rise."""
    too_sure = any(finding.code == "overconfidence" for finding in proven)
    losses, accuracies = (
        None if subject.history is None else subject.history.curve(role)
        for role in ("val_loss", "val_accuracy")
    )
    if not too_sure or losses is None or accuracies is None:
        return False
    best, last = float(np.nanmin(losses)), float(losses[-1])
    accuracy = subject.accuracy
    error = np.sqrt(max(accuracy * (1 - accuracy), 0.01) / len(subject.y))
    fallen = float(np.nanmax(accuracies)) - accuracy > STANDARD_ERRORS * error
    return not fallen and subject.temperature.loss < last - EXPLAINED * (last - best)


def _both_losses_reproduced(subject: Subject) -> bool:
    """Whether both losses, computed again as means of the cross-entropy, are those reported."""
    val, train = (subject.reported(role) for role in ("val_loss", "train_loss"))
    known = None if subject.numeric else subject.trained_on
    if val is None or train is None or known is None:
        return False
    match = matching(subject, val)
    recomputed = max(cross_entropy(known.predictions.probabilities, known.y, SMALLEST), SMALLEST)
    # of the training loss a mean over the epoch is reported, in which the model still moved
    return match is not None and not match.code and 1 / MOVED < train / recomputed < MOVED


def _without_this_call(finding: Finding, subject: Subject) -> Finding:
    """The finding without the advice to investigate, which has been followed."""
    steps = tuple(step for step in finding.steps if step.kind is not StepKind.INVESTIGATE)
    if not steps and finding.steps:
        steps = advice(RUN_AGAIN if subject.train else MORE)
    return dataclasses.replace(finding, steps=steps)


def ordered(proven: list[Finding], suspected: list[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity, within it causes before their consequences, remarks last.

    A proven cause comes before what the curves merely suspect, whatever its severity; what is no
    warning, too.
    """

    worst = min((finding.severity.rank for finding in suspected), default=Severity.INFO.rank)

    def place(pair: tuple[bool, Finding]) -> tuple[int, bool, bool, int]:
        of_curves, finding = pair
        info = finding.severity is Severity.INFO
        last = finding.code in REMARKS or finding.code in OPEN
        consequence = (CONSEQUENCES_AS_REMARKS if info else CONSEQUENCES).get(finding.code, 0)
        is_cause = not of_curves and not info and not consequence
        rank = min(finding.severity.rank, worst) if is_cause else finding.severity.rank
        return rank, info and last, info and of_curves, consequence

    pairs = [(False, finding) for finding in proven] + [(True, finding) for finding in suspected]
    return tuple(finding for _, finding in sorted(pairs, key=place))
