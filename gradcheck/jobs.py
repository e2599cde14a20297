"""The questions that a check asks about a target, and the answers that came in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from gradcheck.checking.localize import Located
from gradcheck.explain.source.repair import Repairs
from gradcheck.report.data import (
    Entry,
    Explanation,
    PromiseReport,
    TensorReport,
    TensorReports,
    Verdict,
)


@dataclass(frozen=True)
class Job:
    """One question about a target: a tensor's verdict, the contract, or a failure's name.

    Attributes
    ----------
    kind
        ``"together"``, the verdicts that directions of several tensors settle, ``"judge"``,
        ``"contract"``, ``"repair"``, ``"locate"``, of wrong entries, ``"explain"``.
    name
        The tensor, where the question is about one.
    worst
        Wrong entries that are known already, for an explanation.
    failed
        The tensors whose gradients are wrong, for a repair.
    mixes
        Whether samples depend on one another in the forward, for a repair.
    seconds
        Of real time that are left for this job and all after it.
    names
        The tensors, where it is about several that are judged together.
    """

    kind: Literal["together", "judge", "contract", "repair", "locate", "explain"]
    name: str = ""
    worst: tuple[Entry, ...] = ()
    failed: tuple[str, ...] = ()
    mixes: bool = False
    seconds: float = math.inf
    names: tuple[str, ...] = ()


if TYPE_CHECKING:
    from gradcheck.explain.rank_explanations import Alternative

# Of the tensors that one change corrects, so many are explained: what they have in common is the
# likelier cause. Tensors of fewer entries fit too many hypotheses to be chosen for it.
SHOWING = 2
FEW = 6

# The wrong entries of the others are found up to this size: that takes about as many forwards as
# their verdict did.
BESIDE = 24

# Answers jobs, in their order: here, or wherever an executor has them done.
Perform = Callable[[list[Job]], Iterator[Any]]


def with_entries(report: TensorReport, located: Located) -> TensorReport:
    """Return the report of a tensor with its wrong entries."""
    if located.unmeasured:
        note = f"{located.unmeasured} entries were not looked at within the budget"
        report = replace(report, notes=(*report.notes, note))
    return replace(
        report,
        worst=located.entries,
        numerical=located.numerical,
        region=located.region,
        jacobian=located.jacobian,
    )


@dataclass
class Findings:
    """The answers that came in so far."""

    names: list[str]
    judged: dict[str, TensorReport] = field(default_factory=dict)
    promises: dict[str, PromiseReport] = field(default_factory=dict)
    alternatives: dict[str, list[Alternative]] = field(default_factory=dict)
    repairs: Repairs = field(default_factory=Repairs)

    def take(self, jobs: list[Job], perform: Perform) -> None:
        """Have the jobs done and keep every answer as it comes."""
        for job, answer in zip(jobs, perform(jobs), strict=True):
            match job.kind:
                case "together":
                    self.judged |= answer
                case "judge":
                    self.judged[job.name] = answer
                case "locate":
                    self.judged[job.name] = with_entries(self.judged[job.name], answer)
                case "contract":
                    self.promises = answer
                case "explain":
                    self.alternatives[job.name] = answer
                case "repair":
                    self.repairs = answer

    @property
    def mixes(self) -> bool:
        """Whether the forward was seen to mix the samples of a batch."""
        alone = self.promises.get("batch_independent")
        return alone is not None and alone.holds is False

    def failed(self) -> list[tuple[str, TensorReport]]:
        """Return the tensors whose gradients are wrong."""
        return [(name, r) for name, r in self.judged.items() if r.verdict is Verdict.FAIL]

    def to_explain(self) -> list[str]:
        """Return the failed tensors to explain: a few of those that one change corrects.

        They have one cause, which their entries show alike. The smaller ones take less time; those
        of few entries fit too many hypotheses.
        """
        names = [name for name, _ in self.failed()]
        sizes = {name: math.prod(self.judged[name].shape) for name in names}
        for repair in self.repairs.found:
            group = [n for n in names if n in repair.tensors]
            group.sort(key=lambda n: (sizes[n] < FEW, sizes[n]))
            names = [n for n in names if n not in group[SHOWING:]]
        return names

    def to_locate(self, shown: list[str]) -> list[str]:
        """Return the failed tensors whose wrong entries to find: those shown, and small ones."""
        return [n for n, r in self.failed() if n in shown or math.prod(r.shape) <= BESIDE]

    def reports(self, blank: Callable[[str], TensorReport]) -> TensorReports:
        """Return a report for every tensor, with its explanations; blank where there is none."""
        missing = {name: blank(name) for name in self.names if name not in self.judged}
        reports = {name: {**self.judged, **missing}[name] for name in self.names}
        if not self.alternatives:
            return TensorReports(reports)
        from gradcheck.explain.explanation_steps import agree

        found: Mapping[str, tuple[Explanation, ...]] = agree(self.alternatives)
        explained = {name: replace(reports[name], explanations=e) for name, e in found.items()}
        return TensorReports(reports | explained)
