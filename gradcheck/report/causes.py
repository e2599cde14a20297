"""What is told of a report, and in which order: its deciding parts, its causes, its tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.report.data import Explanation, TensorReport, Verdict
from gradcheck.report.wording import joined

if TYPE_CHECKING:
    from gradcheck.report.outcome import Outcome


@dataclass(frozen=True)
class Attribution:
    """An explanation, with the report in which it stands and the path to it through the parts."""

    path: str
    report: Outcome
    explanation: Explanation

    @property
    def places(self) -> list[str]:
        """The tensors that show the bug; the part, where it is one of the part as a whole."""
        return [joined(self.path, name) for name in self.explanation.tensors or ("",)]

    def shows(self, tensor: TensorReport) -> bool:
        """Whether the tensor's error is explained: its own bug, or one of the layer as a whole."""
        return not self.explanation.tensors or tensor.name in self.explanation.tensors


@dataclass(frozen=True)
class Cause:
    """One bug, wherever it shows: layers of one class share the line that is wrong."""

    attributions: tuple[Attribution, ...]

    @property
    def explanation(self) -> Explanation:
        """What is said of it where it shows first."""
        return self.attributions[0].explanation

    @property
    def places(self) -> list[str]:
        """The tensors and parts that show it."""
        return [place for a in self.attributions for place in a.places if place]


def walk(report: Outcome, path: str = "") -> Iterator[tuple[str, Outcome]]:
    """Yield the report and all its parts, outermost first, each with its path."""
    yield path, report
    for name, part in report.parts.items():
        yield from walk(part, joined(path, name))


def deciding_parts(report: Outcome, path: str = "") -> Iterator[tuple[str, Outcome]]:
    """Yield the innermost parts that share the report's verdict; itself where none does."""
    deciding = {
        name: part
        for name, part in report.parts.items()
        if part.judged and part.verdict is report.verdict
    }
    for name, part in deciding.items():
        yield from deciding_parts(part, joined(path, name))
    if not deciding:
        yield path, report


def causes(report: Outcome) -> list[Cause]:
    """Return what explains the report: of the parts that decide it, then of the whole alone."""
    found = [
        Attribution(path, part, explanation)
        for path, part in deciding_parts(report)
        for explanation in _gradients_first(part.explanations)
    ]
    codes = {attribution.explanation.code for attribution in found}
    found += [
        Attribution("", report, e)
        for e in _gradients_first(report.explanations)
        if e.code not in codes
    ]
    groups: dict[tuple[str, str], list[Attribution]] = {}
    for attribution in found:
        said = attribution.explanation
        groups.setdefault((said.code, said.fix or said.message), []).append(attribution)
    return [Cause(tuple(group)) for group in groups.values()]


def _gradients_first(explanations: tuple[Explanation, ...]) -> list[Explanation]:
    """Put broken promises behind the explanations of wrong gradients that are as sure.

    A broken promise that is surer stays before them: it may be why they are wrong.
    """
    ordered = [e for e in explanations if not e.support.promise]
    for breach in reversed([e for e in explanations if e.support.promise]):
        least = breach.confidence
        surer = [n for n, e in enumerate(ordered) if e.tensors and e.confidence >= least]
        ordered.insert(max(surer, default=-1) + 1, breach)
    return ordered


def tensors_not_passed(report: Outcome) -> list[tuple[str, TensorReport]]:
    """Return the tensors that did not pass, in the order of their explanations."""
    explained = [attribution for cause in causes(report) for attribution in cause.attributions]
    found = [
        (path, tensor)
        for path, part in deciding_parts(report)
        for tensor in part.tensors.values()
        if tensor.verdict is not Verdict.PASS
    ]

    def turn(item: tuple[str, TensorReport]) -> int:
        path, tensor = item
        turns = (
            turn
            for turn, found in enumerate(explained)
            if found.path == path and tensor.name in found.explanation.tensors
        )
        return next(turns, len(explained))

    return sorted(found, key=turn)


def measured(report: Outcome) -> list[TensorReport]:
    """Return the tensors whose gradients were measured, those of the parts included."""
    tensors = (tensor for _, part in walk(report) for tensor in part.tensors.values())
    return [tensor for tensor in tensors if tensor.resolution < float("inf")]


def with_verdict(report: Outcome, verdict: Verdict) -> list[TensorReport]:
    """Return the report's own tensors that were judged so."""
    return [tensor for tensor in report.tensors.values() if tensor.verdict is verdict]
