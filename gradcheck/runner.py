"""An examination: the questions a check asks about one target, each answered by itself.

Every job starts from the same remembered state with random numbers of its own, so that its answer
is the same whatever was done before it, in which process, and in which order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any, Literal

from gradcheck.checking.context import CheckContext
from gradcheck.checking.contract import check_contract
from gradcheck.checking.localize import Located, wrong_entries
from gradcheck.checking.signal import not_projected
from gradcheck.checking.tensor_verdict import TensorVerdict
from gradcheck.checking.verdict import comparable, decide, decide_together
from gradcheck.explain.source.repair import Repairs
from gradcheck.isolated_jobs import Elsewhere, answer_isolated, broken_off
from gradcheck.isolation import Budget, is_worker, may_fork_for
from gradcheck.jobs import Findings, Job, Perform, with_entries
from gradcheck.report.cells import told_by_cell
from gradcheck.report.data import Entry, Explanation, TensorReport, Unchecked, Verdict
from gradcheck.report.report import Report
from gradcheck.unchecked import left_unjudged
from gradcheck.values import TargetError

Mode = Literal["auto", "project", "element"]
# Returns what would produce a wrong gradient, given the wrong entries that are known: alternatives
# of explanations that hold together, best first.
Explainer = Callable[[CheckContext, str, tuple[Entry, ...]], list[list[Explanation]]]

# Share of the time for explanations that the search for a line may take, and that of its own time
# after which it ends by itself, with what it has found.
OF_REPAIR = 0.7
IN_TIME = 0.9

# Jobs that record or change what the user's code does.
EXPLAINING = ("explain", "repair")

WIDENED = "the layer computes in low precision: the numbers were measured in float64"
INTERRUPTED = "interrupted: what had not been judged by then is UNDECIDED"


@dataclass
class Runner:
    """Answers the jobs of one examination and puts the report together.

    Parameters
    ----------
    context
        Where analytic gradients are computed and numerical ones measured.
    mode, tolerance, directions
        As for `gradcheck.check`.
    explains
        Whether to name the bugs behind what is wrong.
    explainer
        Names those behind a wrong gradient; None for `gradcheck.explain`.
    requirements
        Which promises of the contract are required; None for the usual ones.
    budget
        Of time for explanations.
    elsewhere
        Has jobs answered in a new process, for where this one cannot be forked; None where they
        cannot be sent to one.
    """

    context: CheckContext
    mode: Mode
    tolerance: float | None
    explains: bool = True
    explainer: Explainer | None = None
    requirements: Mapping[str, str] | None = None
    directions: int = 2
    budget: Budget = field(default_factory=Budget)
    elsewhere: Elsewhere | None = None

    def answers(self, jobs: Iterable[Job]) -> Iterator[Any]:
        """Yield the answers to jobs in their order, explanations from processes of their own."""
        for explains, group in groupby(jobs, key=lambda job: job.kind in EXPLAINING):
            if explains and not is_worker():
                yield from answer_isolated(
                    list(group), self.answer, self.elsewhere, may_fork=self._may_fork
                )
            else:
                yield from map(self.answer, group)

    @cached_property
    def _may_fork(self) -> bool:
        """Whether forks of this process can run the layer."""
        base = self.context.native_base

        def run() -> None:
            self.context.native.pull(self.context.native.run(base.tensors), base.cotangents)

        return may_fork_for(run)

    def answer(self, job: Job) -> Any:
        """Return a `TensorReport`, the promises, the alternatives or the repairs, as asked."""
        self.context.begin(f"{job.kind} {job.name}")
        match job.kind:
            case "together":
                return self._judge_together(job.names)
            case "judge":
                return self._judge(job.name)
            case "locate":
                return self._located(job)
            case "contract":
                return check_contract(self.context, self.requirements, self.context.base_run)
            case "explain":
                return self._explained(job.name, job.worst)
            case "repair":
                return self._repaired(job)

    def _explained(self, name: str, worst: tuple[Entry, ...]) -> list[list[Explanation]]:
        from gradcheck.explain.explanation_steps import explain_tensor

        explainer = self.explainer or explain_tensor
        try:
            return explainer(self.context, name, worst)
        except Exception as error:  # noqa: BLE001 (for want of a cause no verdict is to be lost)
            return [[broken_off(name, f"{type(error).__name__}: {error}")]]

    def _repaired(self, job: Job) -> Repairs:
        from gradcheck.explain.explanation_steps import repairs

        until = time.monotonic() + IN_TIME * job.seconds
        try:
            return repairs(self.context, job.failed, mixes=job.mixes, until=until)
        except Exception as error:  # noqa: BLE001 (for want of a line no cause is to be lost)
            why = f"{type(error).__name__}: {error}"
            return Repairs(note=f"the search for the line to change broke off: {why}")

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
        perform = perform or self.answers
        findings = Findings(list(names))
        self._refuse_nothing_to_judge(findings.names)
        interrupted = False
        unchecked: tuple[Unchecked, ...] = ()
        try:
            unchecked = left_unjudged(self.context, findings.names, asked=asked)
            at_once = [Job("together", names=tuple(findings.names))]
            findings.take(at_once if self.mode != "element" else [], perform)
            jobs = [Job("judge", name) for name in findings.names if name not in findings.judged]
            jobs += [Job("contract")] if contract is not False else []
            findings.take(jobs, perform)
            if self.explains and findings.failed():
                with self.budget.spending():
                    self._repair(findings, perform)
            shown = findings.to_explain()
            with self.budget.spending():
                findings.take(self._locating(findings, shown), perform)
            if self.explains:
                with self.budget.spending():
                    self._explain(findings, shown, perform)
        except KeyboardInterrupt:
            interrupted = True
        reports = findings.reports(self._blank)
        return Report(
            self.context.native.target.name,
            reports,
            findings.promises,
            self._explanations(findings, reports),
            seed,
            tuple(self._notes(findings)) + ((INTERRUPTED,) if interrupted else ()),
            interrupted=interrupted,
            unchecked=unchecked,
        )

    def _repair(self, findings: Findings, perform: Perform) -> None:
        """Look for the lines to change."""
        from gradcheck.explain import explanation_steps  # noqa: F401 (that no fork has to import it)

        failed = tuple(name for name, _ in findings.failed())
        seconds = OF_REPAIR * self.budget.left
        job = Job("repair", failed=failed, mixes=findings.mixes, seconds=seconds)
        findings.take([job] if failed else [], perform)

    def _locating(self, findings: Findings, shown: list[str]) -> list[Job]:
        """Return what finds the wrong entries."""
        names = findings.to_locate(shown) if self.mode == "auto" else []
        return [Job("locate", name, seconds=self.budget.left) for name in names]

    def _explain(self, findings: Findings, shown: list[str], perform: Perform) -> None:
        """Name the bugs behind what a change corrects, and behind what none does."""
        worst, left = {name: r.worst for name, r in findings.failed()}, self.budget.left
        findings.take([Job("explain", n, worst[n], seconds=left) for n in shown], perform)

    def _explanations(
        self, findings: Findings, reports: Mapping[str, TensorReport]
    ) -> tuple[Explanation, ...]:
        """Return what was found out, in the order in which it is read."""
        broken = any(p.verdict is Verdict.FAIL for p in findings.promises.values())
        if not self.explains or not (broken or findings.failed()):
            return ()
        from gradcheck.explain.explanation_steps import explain_contract, ranked, tell

        breaches = explain_contract(findings.promises)
        return told_by_cell(ranked(tell(breaches, reports), findings.repairs))

    def _notes(self, findings: Findings) -> Iterator[str]:
        note = self.context.native.target.note
        yield from filter(None, (note, WIDENED if self.context.widened else ""))
        if findings.repairs.untried:
            yield (
                f"{findings.repairs.untried} changes of the code were not tried within "
                f"budget={self.budget.seconds:g} s"
            )
        if findings.repairs.note:
            yield findings.repairs.note
        yield from not_projected(self.context.native_base, self.context.carried)

    def _refuse_nothing_to_judge(self, names: list[str]) -> None:
        target = self.context.native.target
        if not names:
            raise TargetError(
                f"{target.name}: backward gave no gradient of {', '.join(target.tensors)}, so that "
                "there is nothing to check. Return the gradients, or leave them where "
                "gradcheck.as_target finds them: grads['W'], layer.dW, layer.grad_W"
            )

    def _blank(self, name: str) -> TensorReport:
        target = self.context.native.target
        value = target.tensors[name]
        return TensorReport(
            name, value.shape, str(value.dtype), target.role(name), Verdict.UNDECIDED,
            reason="interrupted before it was judged",
            analytic=self.context.base.analytic.get(name),
        )  # fmt: skip

    def _judge_together(self, names: tuple[str, ...]) -> dict[str, TensorReport]:
        """Judge what can be judged together; its calls are counted with the first tensor."""
        spent = self.context.forwards
        verdicts = decide_together(self.context, names, self.directions)
        reports = {name: self._reported(name, verdict) for name, verdict in verdicts.items()}
        for name in list(reports)[:1]:
            reports[name] = replace(reports[name], forwards=self.context.forwards - spent)
        return reports

    def _reported(self, name: str, judgement: TensorVerdict) -> TensorReport:
        return replace(
            self._blank(name),
            verdict=judgement.verdict,
            reason=judgement.reason,
            relative_error=judgement.relative_error,
            error_bound=judgement.error_bound,
            resolution=judgement.resolution,
            notes=tuple(judgement.notes),
        )

    def _judge(self, name: str) -> TensorReport:
        spent = self.context.forwards, self.context.backwards
        point, fault = comparable(self.context, self.context.base, name)
        decided = fault or decide(self.context, point, name, self.directions)
        report = self._reported(name, self._tolerated(decided))
        if self.mode == "element" and fault is None:
            located = wrong_entries(self.context, point, name, everything=True)
            report = with_entries(report, located)
            if located.entries and report.verdict is Verdict.PASS and self.tolerance is None:
                report = replace(
                    report, verdict=Verdict.FAIL, reason=f"{len(located.entries)} entries wrong"
                )
        return replace(
            report,
            forwards=self.context.forwards - spent[0],
            backwards=self.context.backwards - spent[1],
        )

    def _located(self, job: Job) -> Located:
        point, fault = comparable(self.context, self.context.base, job.name)
        until = time.monotonic() + job.seconds
        nowhere = Located((), None, "")
        return nowhere if fault else wrong_entries(self.context, point, job.name, until=until)

    def _tolerated(self, judgement: TensorVerdict) -> TensorVerdict:
        allowed, failed = self.tolerance, judgement.verdict is Verdict.FAIL
        if failed and allowed is not None and judgement.relative_error <= allowed:
            judgement.verdict = Verdict.PASS
            judgement.notes.append(
                f"accepted by tolerance={allowed:g}; without it: FAIL, {judgement.reason}"
            )
            judgement.reason = ""
        return judgement
