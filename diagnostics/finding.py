"""One finding about a training run: what, where, how sure, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# A step in words begins with one; a call begins with a name, a bracket or a sign.
SENTENCE = re.compile(r"[A-Z][a-z]+[ -]")
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


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found, and the numbers it rests on.

    Parameters
    ----------
    code
        Stable identifier such as ``"overfitting"``.
    severity
        The effect on the run.
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
    next_steps
        What to change or to measure, the most useful first.
    axis
        What `epochs` counts: ``"epoch"`` or ``"step"``.
    not_excluded
        Codes of findings that would explain the same, with the curves that were not logged and
        without which they could not be judged.
    """

    code: str
    severity: Severity
    message: str
    epochs: tuple[float, float] | None = None
    confidence: float = 1.0
    evidence: Evidence = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
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
            lines.extend(
                f"  {word if step is steps[0] else ' ' * len(word)}{step}" for step in steps
            )
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
    def changes(self) -> tuple[str, ...]:
        """The next steps that change something, in words."""
        return tuple(step for step in self.next_steps if SENTENCE.match(step))

    @property
    def checks(self) -> tuple[str, ...]:
        """The next steps that measure something, as calls to paste."""
        return tuple(step for step in self.next_steps if not SENTENCE.match(step))

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
