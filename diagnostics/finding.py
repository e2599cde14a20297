"""One finding about a training run: what, where, how sure, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

Evidence = Mapping[str, float | int | str]


class Severity(StrEnum):
    """How much a finding matters; a statement of effect, not of certainty."""

    PROBLEM = "problem"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """Zero for the most severe."""
        return list(Severity).index(self)


class StepKind(StrEnum):
    """What a next step does."""

    CHANGE = "change"
    MEASURE = "measure"
    INVESTIGATE = "investigate"


@dataclass(frozen=True)
class NextStep:
    """What to do about a finding: a change in words, or a call to paste.

    Parameters
    ----------
    kind
        Whether it changes something, measures something, or hands the model to `investigate`.
    text
        What to change; of a call, what to look for in its answer.
    call
        The call, empty for a change.
    """

    kind: StepKind
    text: str = ""
    call: str = ""

    def saying(self, text: str) -> NextStep:
        """Return the step with a further remark."""
        return replace(self, text=f"{self.text} {text}".strip())

    def __str__(self) -> str:
        return "  # ".join(part for part in (self.call, self.text) if part)


def measure(call: str, text: str = "") -> NextStep:
    """Return a measurement: a call, and what to look for in its answer."""
    return NextStep(StepKind.MEASURE, text, call)


def advice(*steps: NextStep | str) -> tuple[NextStep, ...]:
    """Return next steps; a sentence by itself is a change."""
    return tuple(NextStep(StepKind.CHANGE, s) if isinstance(s, str) else s for s in steps)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found, and the numbers it rests on.

    Parameters
    ----------
    code
        Stable identifier such as ``"overfitting"``; filled in by the rule or check where each of
        its findings has the same.
    severity
        The effect on the run; filled in likewise.
    message
        One or two sentences that need no knowledge of this package.
    epochs
        First and last epoch concerned, as logged; None when it concerns the whole run.
    confidence
        Between 0 and 1: how sure the evidence makes us that the code is right.
    evidence
        The measured numbers, by name.
    causes
        Possible causes, the likeliest first.
    steps
        What to change or to measure, the most useful first.
    axis
        What `epochs` counts: ``"epoch"`` or ``"step"``.
    not_excluded
        Codes of findings that would explain the same, with the curves that were not logged and
        without which they could not be judged.
    """

    code: str = ""
    severity: Severity = Severity.PROBLEM
    message: str
    epochs: tuple[float, float] | None = None
    confidence: float = 1.0
    evidence: Evidence = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    steps: tuple[NextStep, ...] = ()
    axis: str = "epoch"
    not_excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def span(self) -> str:
        """The epochs concerned, in words."""
        if self.epochs is None:
            return "whole run"
        first, last = self.epochs
        if first == last:
            return f"{self.axis} {first:g}"
        return f"{self.axis}s {first:g} to {last:g}"

    def __str__(self) -> str:
        lines = [
            f"{self.severity.upper()}: {self.code} ({self.span}, confidence {self.confidence:.0%})",
            f"  {self.message}",
        ]
        first = "Next:   " if self.severity is Severity.INFO else "Change: "
        for word, steps in ((first, self.changes), ("Check:  ", self.checks)):
            lines += [f"  {' ' * len(word) if i else word}{step}" for i, step in enumerate(steps)]
        if self.evidence:
            lines.append("  Measured: " + ", ".join(self.evidence_texts()))
        if self.causes:
            lines.append("  Possible causes, likeliest first: " + "; ".join(self.causes))
        if self.not_excluded:
            lines.append(f"  Not excluded: {self.undecided}")
        return "\n".join(lines)

    @property
    def undecided(self) -> str:
        """What could not be excluded, and the curves that would decide, in words."""
        missing = dict.fromkeys(role for roles in self.not_excluded.values() for role in roles)
        return f"{', '.join(self.not_excluded)}; logging {', '.join(missing)} would decide"

    @property
    def next_steps(self) -> tuple[str, ...]:
        """What to change or to measure, the most useful first, in words and calls to paste."""
        return tuple(map(str, self.steps))

    @property
    def changes(self) -> tuple[str, ...]:
        """The next steps that change something, in words."""
        return tuple(str(step) for step in self.steps if step.kind is StepKind.CHANGE)

    @property
    def checks(self) -> tuple[str, ...]:
        """The next steps that measure something, as calls to paste."""
        return tuple(str(step) for step in self.steps if step.kind is not StepKind.CHANGE)

    def evidence_texts(self) -> list[str]:
        """The evidence as short texts, one for each number."""
        return [f"{name} = {format_number(value)}" for name, value in self.evidence.items()]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "axis": self.axis,
            "epochs": None if self.epochs is None else list(self.epochs),
            "confidence": self.confidence,
            "evidence": dict(self.evidence),
            "causes": list(self.causes),
            "next_steps": list(self.next_steps),
            "not_excluded": {code: list(roles) for code, roles in self.not_excluded.items()},
        }


def format_number(value: float | int | str) -> str:
    """Four significant digits for numbers, text as it is."""
    return value if isinstance(value, str) else f"{value:.4g}"
