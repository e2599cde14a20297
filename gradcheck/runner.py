"""An examination: the questions a check asks about one target, each answered by itself.

Every job starts from the same remembered state with random numbers of its own, so that its answer
is the same whatever was done before it, in which process, and in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from gradcheck.checking.contract import check_contract
from gradcheck.checking.linearization import CheckContext
from gradcheck.checking.localize import wrong_entries
from gradcheck.checking.signal import not_projected
from gradcheck.checking.tensor_verdict import TensorVerdict
from gradcheck.checking.verdict import comparable, decide
from gradcheck.explain import explain_contract
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.rank_explanations import Alternative, agree, tell
from gradcheck.explain.source import Repair, ranked, repairs
from gradcheck.report.data import (
    Entry,
    Explanation,
    PromiseReport,
    TensorReport,
    TensorReports,
    Unchecked,
    Verdict,
)
from gradcheck.report.report import Report
from gradcheck.target import TargetError
from gradcheck.unchecked import left_unjudged

Mode = Literal["auto", "project", "element"]
Explainer = Callable[[CheckContext, str, tuple[Entry, ...]], list[Alternative]]

WIDENED = "the layer computes in low precision: the numbers were measured in float64"
INTERRUPTED = "interrupted: what had not been judged by then is UNDECIDED"


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
    """

    kind: Literal["judge", "contract", "explain", "repair"]
    name: str = ""
    worst: tuple[Entry, ...] = ()
    failed: tuple[tuple[str, tuple[Entry, ...]], ...] = ()
    mixes: bool = False


# Answers jobs, in their order: here, or wherever an executor has them done.
Perform = Callable[[list[Job]], Iterator[Any]]


@dataclass
class Runner:
    """Answers the jobs of one examination and puts the report together.

    Parameters
    ----------
    context
        Where claims are heard and numbers are measured.
    mode, tolerance, directions
        As for `gradcheck.check`.
    explainer
        Names the bugs behind a wrong gradient; None to leave it.
    requirements
        Which promises of the contract are required; None for the usual ones.
    """

    context: CheckContext
    mode: Mode
    tolerance: float | None
    explainer: Explainer | None
    requirements: Mapping[str, str] | None = None
    directions: int = 2

    def answer(self, job: Job) -> Any:
        """Return a `TensorReport`, the promises, the alternatives or the repairs, as asked."""
        self.context.begin(f"{job.kind} {job.name}")
        match job.kind:
            case "judge":
                return self._judge(job.name)
            case "contract":
                return check_contract(self.context, self.requirements)
            case "explain":
                return self._explained(job.name, job.worst)
            case "repair":
                return self._repaired(job)

    def _explained(self, name: str, worst: tuple[Entry, ...]) -> list[Alternative]:
        if self.explainer is None:
            return []
        try:
            return self.explainer(self.context, name, worst)
        except Exception as error:  # noqa: BLE001 (for want of a cause no verdict is to be lost)
            return [[_broken_off(name, error)]]

    def _repaired(self, job: Job) -> list[Repair]:
        try:
            return repairs(self.context, dict(job.failed), mixes=job.mixes)
        except Exception:  # noqa: BLE001 (for want of a line to change no cause is to be lost)
            return []

    def report(
        self,
        names: Iterable[str],
        contract: bool | Mapping[str, str],
        seed: int,
        perform: Perform | None = None,
        *,
        asked: bool = False,
    ) -> Report:
        """Judge every tensor, then the contract, then explain what failed.

        An interruption ends the work and leaves what is known by then. Where the caller ``asked``
        for these names, the others are left out on purpose.
        """
        perform = perform or self._here
        findings = _Findings(list(names))
        self._refuse_nothing_to_judge(findings.names)
        interrupted = False
        target = self.context.native.target
        unchecked: tuple[Unchecked, ...] = ()
        try:
            unchecked = left_unjudged(self.context, findings.names, asked=asked)
            jobs = [Job("judge", name) for name in findings.names]
            jobs += [Job("contract")] if contract is not False else []
            findings.take(jobs, perform)
            jobs = [Job("explain", name, r.worst) for name, r in findings.failed()]
            findings.take(jobs if self.explainer else [], perform)
            # to make a gradient vanish where the forward does not use the tensor mends nothing
            failed = tuple((n, r.worst) for n, r in findings.failed() if not findings.unused(n))
            jobs = [Job("repair", failed=failed, mixes=findings.mixes)] if failed else []
            findings.take(jobs if self.explainer else [], perform)
        except KeyboardInterrupt:
            interrupted = True
        reports = findings.reports(self._blank)
        breaches = explain_contract(findings.promises) if self.explainer is not None else []
        return Report(
            target.name,
            reports,
            findings.promises,
            ranked(tell(breaches, reports), findings.repairs),
            seed,
            tuple(self._notes()) + ((INTERRUPTED,) if interrupted else ()),
            interrupted=interrupted,
            unchecked=unchecked,
        )

    def _here(self, jobs: list[Job]) -> Iterator[Any]:
        return map(self.answer, jobs)

    def _notes(self) -> Iterator[str]:
        if self.context.widened:
            yield WIDENED
        yield from not_projected(self.context.native_base, self.context.carried)

    def _unclaimed(self, names: list[str]) -> list[str]:
        return [name for name in self.context.native.target.tensors if name not in names]

    def _refuse_nothing_to_judge(self, names: list[str]) -> None:
        if not names:
            raise TargetError(
                f"{self.context.native.target.name}: backward gave no gradient of "
                f"{', '.join(self._unclaimed(names))}, so that there is nothing to check. Return "
                "the gradients, or leave them where gradcheck.as_target finds them: grads['W'], "
                "layer.dW, layer.grad_W"
            )

    def _blank(self, name: str) -> TensorReport:
        target = self.context.native.target
        value = target.tensors[name]
        return TensorReport(
            name,
            value.shape,
            str(value.dtype),
            target.role(name),
            Verdict.UNDECIDED,
            reason="interrupted before it was judged",
            analytic=self.context.base.claimed.get(name),
        )

    def _judge(self, name: str) -> TensorReport:
        spent = self.context.forwards, self.context.backwards
        point, fault = comparable(self.context, self.context.base, name)
        judgement = self._tolerated(fault or decide(self.context, point, name, self.directions))
        report = replace(
            self._blank(name),
            verdict=judgement.verdict,
            reason=judgement.reason,
            relative_error=judgement.relative_error,
            error_bound=judgement.error_bound,
            resolution=judgement.resolution,
            notes=tuple(judgement.notes),
        )
        wanted = self.mode == "element" or (self.mode == "auto" and report.verdict is Verdict.FAIL)
        if wanted and fault is None:
            every = self.mode == "element"
            located = wrong_entries(self.context, point, name, everything=every)
            report = replace(
                report, worst=located.entries, numerical=located.numerical, region=located.region
            )
            if located.entries and report.verdict is Verdict.PASS and self.tolerance is None:
                report = replace(
                    report, verdict=Verdict.FAIL, reason=f"{len(located.entries)} entries wrong"
                )
        return replace(
            report,
            forwards=self.context.forwards - spent[0],
            backwards=self.context.backwards - spent[1],
        )

    def _tolerated(self, judgement: TensorVerdict) -> TensorVerdict:
        if self.tolerance is None or judgement.verdict is not Verdict.FAIL:
            return judgement
        if judgement.relative_error <= self.tolerance:
            judgement.verdict = Verdict.PASS
            judgement.notes.append(
                f"accepted by tolerance={self.tolerance:g}; without it: FAIL, {judgement.reason}"
            )
            judgement.reason = ""
        return judgement


def _broken_off(name: str, error: Exception) -> Explanation:
    return Explanation(
        Bug.UNEXPLAINED,
        (name,),
        0.0,
        f"the search for its cause broke off: {type(error).__name__}: {error}",
        f"the gradient of {name} is wrong",
        "see the entries listed: which of them are wrong often tells the line",
    )


@dataclass
class _Findings:
    """The answers that came in so far."""

    names: list[str]
    judged: dict[str, TensorReport] = field(default_factory=dict)
    promises: dict[str, PromiseReport] = field(default_factory=dict)
    alternatives: dict[str, list[Alternative]] = field(default_factory=dict)
    repairs: list[Repair] = field(default_factory=list)

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
        return [(name, r) for name, r in self.judged.items() if r.verdict is Verdict.FAIL]

    def reports(self, blank: Callable[[str], TensorReport]) -> TensorReports:
        """Return a report for every tensor, with its explanations; blank where there is none."""
        missing = {name: blank(name) for name in self.names if name not in self.judged}
        reports = {name: {**self.judged, **missing}[name] for name in self.names}
        found: Mapping[str, tuple[Explanation, ...]] = agree(self.alternatives)
        explained = {name: replace(reports[name], explanations=e) for name, e in found.items()}
        return TensorReports(reports | explained)
