"""The questions that a check asks about a target, and the answers that came in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from gradcheck.explain.catalogue import Bug
from gradcheck.explain.rank_explanations import Alternative, agree
from gradcheck.explain.source import Repairs
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
        ``"judge"``, ``"contract"``, ``"explain"`` or ``"repair"``.
    name
        The tensor, where the question is about one.
    worst
        Wrong entries that are known already, for an explanation.
    failed
        The same of all tensors whose gradients are wrong, for a repair.
    mixes
        Whether samples depend on one another in the forward, for a repair.
    seconds
        Of real time that are left for this job and all after it.
    """

    kind: Literal["judge", "contract", "explain", "repair"]
    name: str = ""
    worst: tuple[Entry, ...] = ()
    failed: tuple[tuple[str, tuple[Entry, ...]], ...] = ()
    mixes: bool = False
    seconds: float = math.inf


# Answers jobs, in their order: here, or wherever an executor has them done.
Perform = Callable[[list[Job]], Iterator[Any]]


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
                case "judge":
                    self.judged[job.name] = answer
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

    def unused(self, name: str) -> bool:
        """Whether a tensor was seen not to act on the outputs at all."""
        found = (e for choice in self.alternatives.get(name, ()) for e in choice)
        return any(explanation.code == Bug.UNUSED_IN_FORWARD for explanation in found)

    def failed(self) -> list[tuple[str, TensorReport]]:
        """Return the tensors whose gradients are wrong."""
        return [(name, r) for name, r in self.judged.items() if r.verdict is Verdict.FAIL]

    def reports(self, blank: Callable[[str], TensorReport]) -> TensorReports:
        """Return a report for every tensor, with its explanations; blank where there is none."""
        missing = {name: blank(name) for name in self.names if name not in self.judged}
        reports = {name: {**self.judged, **missing}[name] for name in self.names}
        found: Mapping[str, tuple[Explanation, ...]] = agree(self.alternatives)
        explained = {name: replace(reports[name], explanations=e) for name, e in found.items()}
        return TensorReports(reports | explained)
