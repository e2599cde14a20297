"""One check: a question about a thing, its parts and its whole examined, and put into a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gradcheck.adapters import as_target, parts
from gradcheck.adapters.constraints import Constraint, constrained
from gradcheck.check_arguments import chosen_tensors, given_cotangents
from gradcheck.checking.context import CheckContext
from gradcheck.estimate import clock, estimate
from gradcheck.executor import Workers, in_new_process, pack
from gradcheck.isolation import Budget
from gradcheck.jobs import Job, Perform
from gradcheck.report.causes import measured
from gradcheck.report.data import Explanation, Verdict
from gradcheck.report.progress import Progress
from gradcheck.report.report import Report
from gradcheck.runner import Mode, Runner
from gradcheck.target import Target


@dataclass(frozen=True)
class Question:
    """The arguments of `check`, of which any process can make the runner of a part of it."""

    target: Any
    inputs: tuple[Any, ...]
    params: Any
    cotangent: Any
    mode: Mode
    tolerance: float | None
    contract: bool | Mapping[str, str]
    explain: bool
    seed: int
    directions: int
    budget: Budget
    constraint: Constraint | None = None
    reference: Any = None
    order: int = 1
    accumulator: str | None = None

    def runner(self) -> Runner:
        """Turn what was given into a target by `as_target`, and return the runner of its check."""
        subject = as_target(self.target, *self.inputs, params=self.params)
        subject = constrained(subject, self.constraint)
        try:
            context = CheckContext(subject, self.seed, given_cotangents(subject, self.cotangent))
        except BaseException:  # Ctrl-C too: what follows guards itself
            with subject.state.guarded():
                raise
        if self.reference is not None:
            from gradcheck.rounding.reference import Reference  # which few checks need

            beside = Reference.of(
                context, self.reference, self.inputs, self.constraint, self.accumulator
            )
            context.promises = {**context.promises, **beside.promises}
            measurable = context.widened or not context.is_narrow
            wide = None if measurable else beside.on_reference()
            if wide is not None:
                context.measure_on(wide)
        return Runner(
            context,
            self.mode,
            self.tolerance,
            self.explain,
            None,
            self.contract if isinstance(self.contract, Mapping) else None,
            self.directions,
            self.budget,
            partial(in_new_process, self.runner),
        )


def examine(
    question: Question,
    tensors: str | Iterable[str] | None,
    executor: Executor | None,
    bar: Progress,
) -> Report:
    """Check the parts of a network, then the whole, where it is more than they are.

    What binds the whole says nothing of parts.
    """
    layers: dict[str, Report] = {}
    bound = question.constraint is not None
    found = [] if bound else parts(question.target, question.inputs, question.order)
    is_whole = not {"gradient", "hessian"} <= {name for name, _, _ in found}
    contract = False if is_whole else question.contract
    for name, layer, given in found:
        part = replace(
            question,
            target=layer,
            inputs=given,
            params=None,
            cotangent=None,
            contract=contract,
            reference=None,
            order=1,
        )
        layers[name] = examine(part, None, executor, bar)
        if layers[name].interrupted:
            return replace(layers[name], tensors={}, explanations=_blame((), layers), parts=layers)
    if not is_whole:
        name = layers["gradient"].target
        return Report(name, {}, {}, _blame((), layers), question.seed, parts=layers)
    if any(report.verdict is Verdict.FAIL for report in layers.values()):
        question = replace(question, explain=False)
    packed = None if executor is None else pack(question.runner)
    began = clock()
    checker = question.runner()
    built = clock() - began  # which takes a forward at least
    target = checker.context.native.target
    with target.state.guarded():
        perform: Perform = checker.answers
        if executor is not None and packed is not None:
            perform = Workers(executor, packed, checker.answer)
        names = chosen_tensors(checker.context, tensors)
        to_go = estimate(
            target,
            names,
            question.directions,
            every_entry=question.mode == "element",
            contract=question.contract is not False,
            at_most=built,
        )
        if to_go is not None:
            bar.announce(f"{target.name}: {to_go}")
        report = checker.report(
            names,
            question.contract,
            question.seed,
            partial(_watched, perform, bar),
            asked=tensors is not None,
        )
    left = tuple(f"the layer changed {name}, and it stays so" for name in _changed_for_good(target))
    report = replace(
        report,
        parts=layers,
        explanations=_blame(report.explanations, layers),
        notes=(*report.notes, *left),
    )
    return _corrected(report, target, question, tensors, bar)


def examine_points(
    question: Question,
    points: Sequence[tuple[Any, ...]],
    tensors: str | Iterable[str] | None,
    executor: Executor | None,
    bar: Progress,
) -> Report:
    """Check at several points; the report is that of the worst, where alone causes are sought."""
    asked = [replace(question, inputs=inputs, explain=False) for inputs in points]
    found: dict[int, Report] = {}
    for n, of_point in enumerate(asked):
        found[n] = examine(of_point, tensors, executor, bar)
        if found[n].interrupted:
            break
    order = sorted(found, key=lambda n: _badness(found[n]), reverse=True)
    first = order[0]
    interrupted = any(report.interrupted for report in found.values())
    if question.explain and not interrupted and found[first].verdict is Verdict.FAIL:
        found[first] = examine(replace(question, inputs=points[first]), tensors, executor, bar)
    ordered = {n: found[n] for n in order}
    return replace(found[first], points=ordered, interrupted=interrupted)


def _badness(report: Report) -> tuple[int, float]:
    """Return the verdict as a number, and the error that gave it, or else what could hide."""
    failed = report.verdict is Verdict.FAIL
    sizes = [t.relative_error if failed else t.resolution for t in measured(report)]
    return list(Verdict).index(report.verdict), max(sizes, default=0.0)


def _corrected(
    report: Report,
    target: Target,
    question: Question,
    tensors: str | Iterable[str] | None,
    bar: Progress,
) -> Report:
    """Return the report of the reading in which one change makes all right; else this one."""
    explained = question.explain and not report.interrupted
    if report.verdict is Verdict.FAIL and explained and not _has_edits(report):
        for other in target.other_readings():
            reread = replace(question, target=other, inputs=(), params=None)
            found = examine(reread, tensors, None, bar)
            if found.verdict is Verdict.FAIL and _has_edits(found):
                return found
    return report


def _has_edits(report: Report) -> bool:
    return any(explanation.edits for explanation in report.explanations)


def _changed_for_good(target: Target) -> list[str]:
    return list(getattr(target.state, "changed_for_good", ()))


def _watched(perform: Perform, bar: Progress, jobs: list[Job]) -> Iterator[Any]:
    """Have the jobs done, and say which is waited for."""
    bar.expect(len(jobs))
    answers = perform(jobs)
    for job in jobs:
        bar.begin(f"{job.kind} {job.name}")
        yield next(answers)
        bar.finish()
    next(answers, None)  # its processes end here, and not where a Ctrl-C would be lost


def _blame(
    of_whole: Iterable[Explanation], layers: Mapping[str, Report]
) -> tuple[Explanation, ...]:
    """Put what is wrong in single layers before what is wrong with the whole."""
    of_layers = [
        replace(e, tensors=tuple(f"{name}.{tensor}" for tensor in e.tensors) or (name,))
        for name, layer in layers.items()
        for e in layer.explanations
    ]
    return (*of_layers, *of_whole)
