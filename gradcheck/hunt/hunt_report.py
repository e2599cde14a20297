"""The report of a hunt: the smallest failing input, what sets it apart, and how to reproduce it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.adapters.discovery.coverage import NOT_SEEN
from gradcheck.hunt.example import Example, ExampleOutcome, HuntTrial
from gradcheck.report.data import Verdict
from gradcheck.report.headline import Line, summarize
from gradcheck.report.report import Report
from gradcheck.report.wording import plural, text_width, wrapped

LABEL_WIDTH = 8
# Entries of an array that are printed.
MOST_ENTRIES = 24

# Where to look for a bug that has no name, under a condition that was found.
LOOK_THERE = "look for what forward and backward do differently there (see when)"

# What came of the inputs, in the words of the report.
WORDS = {
    ExampleOutcome.PASS: "right",
    ExampleOutcome.UNDECIDED: "undecided",
    ExampleOutcome.FAIL: "wrong",
    ExampleOutcome.REFUSED: "refused",
}


@dataclass(frozen=True)
class HuntReport:
    """What a hunt found.

    ``print(report)`` is a summary; ``print(report.report)`` is all about the smallest failure.

    Attributes
    ----------
    layer
        What was hunted, or what makes it.
    trials
        Every example tried, with what came of it, in order.
    example
        The smallest failing example; None where none failed.
    report
        The full report of the check there.
    family
        The kind of values among which the failure was found, such as ``"ties"``.
    condition
        What sets failing inputs apart from passing ones, as measured; empty where nothing did.
    seed
        The same seed gives the same report.
    notes
        Facts about the hunt that are no fault.
    interrupted
        Whether Ctrl-C ended the hunt early.
    made
        Whether ``layer`` makes a fresh layer for every input.
    """

    layer: Any = field(repr=False)
    trials: tuple[HuntTrial, ...] = field(repr=False)
    example: Example | None
    report: Report | None = field(repr=False)
    family: str = ""
    condition: str = ""
    seed: int = 0
    notes: tuple[str, ...] = ()
    interrupted: bool = False
    made: bool = False

    @property
    def verdict(self) -> Verdict:
        """FAIL where any input failed; PASS where more passed than could not be checked."""
        if self.example is not None:
            return Verdict.FAIL
        if self.interrupted or self._count(ExampleOutcome.PASS) <= self.undecided:
            return Verdict.UNDECIDED
        return Verdict.PASS

    @property
    def ok(self) -> bool:
        """Whether the verdict is PASS."""
        return self.verdict is Verdict.PASS

    def __bool__(self) -> bool:
        """Return `ok`."""
        return self.ok

    @property
    def examples(self) -> int:
        """Inputs tried, those of shrinking included."""
        return len(self.trials)

    @property
    def refused(self) -> int:
        """Inputs at which the layer raised an error."""
        return self._count(ExampleOutcome.REFUSED)

    @property
    def undecided(self) -> int:
        """Inputs at which the gradient could not be checked."""
        return self._count(ExampleOutcome.UNDECIDED)

    @property
    def minimal(self) -> tuple[Any, ...]:
        """The inputs of the smallest failing example; empty where none failed."""
        return self.example.inputs if self.example is not None else ()

    def code(self) -> str:
        """Return Python code that reproduces the failure; empty where there is none."""
        if self.example is None:
            return ""
        from gradcheck.hunt.snippet import code  # needs the properties, which a check does not

        return code(self.layer, self.example, made=self.made)

    def __repr__(self) -> str:
        title, _ = self._lines()
        return f"<HuntReport {self.verdict}  {title}>"

    def __str__(self) -> str:
        title, lines = self._lines()
        text = [f"{self.verdict}  {title}"]
        for label, sentence in [*lines, *(("note", note) for note in self.notes)]:
            text += _labelled(label, sentence)
        return "\n".join(text)

    def _count(self, outcome: ExampleOutcome) -> int:
        return sum(trial.outcome is outcome for trial in self.trials)

    def _lines(self) -> tuple[str, list[Line]]:
        """Return the title and the labelled sentences below it."""
        if self.example is None:
            return self._not_failed()
        lines: list[Line] = []
        if self.report is not None and self.report.verdict is Verdict.FAIL:
            summary = summarize(self.report)
            title, lines = summary.title, [line for line in summary.lines if line[0] != "page"]
            if not self.report.explanations:
                title += "  (sure; cause unknown)"
                if self.condition:  # says more of where to look than the report can
                    lines = [
                        ("change", LOOK_THERE) if line[0] == "change" else line for line in lines
                    ]
        else:
            first = next(t for t in self.trials if t.outcome is ExampleOutcome.FAIL)
            title = f"{type(self.layer).__name__}: fails now and then"
            lines.append(("what", f"{first.reason}; not seen when checked once more"))
            lines.append(("change", "look for what the layer remembers or draws at random"))
        if self.condition:
            lines.insert(min(3, len(lines)), ("when", self.condition))
        calls = self.example.calls
        used = f", on a layer used {plural(calls, 'time')} before" if calls else ""
        found = f"among values of the kind {self.family!r}{used}; {self._counts()}"
        lines += [("input", ", ".join(map(_array, self.minimal))), ("found", found)]
        lines.append(("rerun", self.code()))
        return title, lines

    def _not_failed(self) -> tuple[str, list[Line]]:
        name = type(self.layer).__name__ if not self.made else "layers made"
        passed = self._count(ExampleOutcome.PASS)
        if not self.ok:
            return f"{name}: could not be checked", [
                ("why", f"{self._counts()}{'; interrupted' if self.interrupted else ''}"),
                *self._reasons(),
                ("change", self._way_out()),
            ]
        worst = max(t.resolution for t in self.trials if t.outcome is ExampleOutcome.PASS)
        return (
            f"{name}: right at {plural(passed, 'input')}; an error above {worst:.1g} of a gradient "
            "would have been seen"
        ), [("tried", self._counts()), *self._reasons()]

    def _way_out(self) -> str:
        if any(NOT_SEEN in t.reason for t in self.trials if t.outcome is ExampleOutcome.UNDECIDED):
            return (
                "return the gradient, or leave it where it is found; say tensors=['x'] where it is "
                "left out on purpose"
            )
        return "give inputs that the layer is made for: another shape, an example"

    def _reasons(self) -> Iterator[Line]:
        """Yield the most frequent reason of what was not decided."""
        for outcome, label in (
            (ExampleOutcome.UNDECIDED, "unsure"),
            (ExampleOutcome.REFUSED, "refused"),
        ):
            reasons = Counter(t.reason for t in self.trials if t.outcome is outcome)
            for reason, count in reasons.most_common(1):
                yield label, f"{reason} ({count} of {sum(reasons.values())})"

    def _counts(self) -> str:
        counts = {word: self._count(outcome) for outcome, word in WORDS.items()}
        counted = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        return f"{plural(self.examples, 'input')} tried: {counted or 'none'}"


def _array(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.size and (value == value.flat[0]).all():
        return f"{value.flat[0]!s} throughout, of shape {value.shape}"
    if value.size > MOST_ENTRIES:
        return f"an array of shape {value.shape}, in .minimal"
    return f"{value.tolist()} of shape {value.shape}"


def _labelled(label: str, sentence: str) -> Iterator[str]:
    """Yield a sentence behind its label, wrapped; code stays as it is."""
    first = f"{label:<{LABEL_WIDTH}}"
    for line in sentence.splitlines():
        width = None if label == "rerun" else text_width()
        lines = wrapped(line, first, " " * LABEL_WIDTH, width) or [""]
        yield from (line.rstrip() for line in lines)
        first = " " * LABEL_WIDTH
