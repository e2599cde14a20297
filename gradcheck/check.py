"""check(): from a layer to a verdict on every tensor, with the bug's name where there is one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from numpy.typing import ArrayLike

from gradcheck.adapters import as_target, parts, shows_gradients
from gradcheck.check_arguments import chosen_tensors, given_cotangents
from gradcheck.checking.context import CheckContext
from gradcheck.estimate import clock, estimate
from gradcheck.executor import Workers, in_new_process, pack
from gradcheck.isolation import Budget
from gradcheck.jobs import Job, Perform
from gradcheck.report.data import Explanation, Verdict
from gradcheck.report.progress import Progress
from gradcheck.report.report import Report
from gradcheck.runner import Mode, Runner
from gradcheck.state import settings_kept
from gradcheck.target import Target
from gradcheck_arguments import ArrayTree, Count, NonNegative, Seed, Share, checked


@checked
def check(
    target: Any,
    *inputs: Any,
    params: ArrayTree | Sequence[str] | None = None,
    cotangent: ArrayLike | Sequence[ArrayLike] | None = None,
    tensors: str | Iterable[str] | None = None,
    mode: Mode = "auto",
    tolerance: Share | None = None,
    contract: bool | Mapping[str, str] = True,
    explain: bool = True,
    directions: Count = 2,
    seed: Seed = 0,
    executor: Executor | None = None,
    progress: bool | None = None,
    budget: NonNegative | None = 30.0,
) -> Report:
    """Check the gradients of a layer, loss or function against numerical derivatives.

    Parameters
    ----------
    target
        Anything `as_target` recognises: an object with forward and backward, a pair of functions,
        a function returning its own gradient, a `Target`.
    *inputs
        The inputs at which to check; integer arrays are taken for indices.
    params
        Parameters to check, where they cannot be discovered: a dict or list of arrays.
    cotangent
        Gradient of the loss with respect to the output, shaped like it; random where None.
    tensors
        Names of the tensors to check; all where None.
    mode
        ``"project"`` judges along random directions, at a cost that does not grow with the size of
        a tensor; ``"element"`` measures every entry; ``"auto"`` projects and then looks for the
        wrong entries of what failed.
    tolerance
        None: judged against the numerical derivative's own error bound. A number: relative errors
        up to it are accepted, and the report says what would have failed.
    contract
        Whether to check the layer's other promises; a dict such as
        ``{"batch_independent": "require"}`` says which of them are required.
    explain
        Whether to look for the bug that would produce the error.
    directions
        Random directions along which each tensor is judged, at least.
    seed
        Of all random choices: the same seed gives the same report.
    executor
        Any `concurrent.futures.Executor` (of processes, a Dask client's ``get_executor()``): the
        same report, with the tensors judged in parallel.
    progress
        Whether to show a bar for what takes more than two seconds; None does on a terminal. What
        will take more than ten is announced on stderr first, unless this is False.
    budget
        Seconds of real time for looking for the bugs behind what failed, None for no limit. The
        verdicts take as long as they take; what was not tried for want of time is said.

    Returns
    -------
    Report
        ``report.ok`` is True only if every verdict is PASS. After Ctrl-C, the report of what was
        judged by then, with ``report.interrupted`` True.

    Raises
    ------
    TargetError
        If ``target`` is not recognised; the message says what would make it work.
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> import gradcheck
    >>> report = gradcheck.check((lambda x: np.sum(x**3), lambda x: 3 * x**2), np.arange(4.0))
    >>> report.ok
    True
    """
    with settings_kept():
        if len(inputs) == 2 and not isinstance(target, Target) and not shows_gradients(target):
            from gradcheck.training.check_fit import check_fit  # which few checks need

            report = check_fit(target, inputs, params, tolerance, seed)
            if report is not None:
                return report
        question = _Question(
            target, inputs, params, cotangent, mode, tolerance, contract, explain, seed, directions,
            Budget(math.inf if budget is None else budget),
        )  # fmt: skip
        with Progress(progress) as bar:
            return _examine(question, tensors, executor, bar)


@dataclass(frozen=True)
class _Question:
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

    def runner(self) -> Runner:
        """Turn what was given into a target by `as_target`, and return the runner of its check."""
        subject = as_target(self.target, *self.inputs, params=self.params)
        context = CheckContext(subject, self.seed, given_cotangents(subject, self.cotangent))
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


def _examine(
    question: _Question,
    tensors: str | Iterable[str] | None,
    executor: Executor | None,
    bar: Progress,
) -> Report:
    """Check the parts of a network, then the whole, where it is more than they are."""
    layers: dict[str, Report] = {}
    found = parts(question.target, question.inputs)
    is_whole = not {"gradient", "hessian"} <= {name for name, _, _ in found}
    contract = False if is_whole else question.contract
    for name, layer, given in found:
        part = replace(
            question, target=layer, inputs=given, params=None, cotangent=None, contract=contract
        )
        layers[name] = _examine(part, None, executor, bar)
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


def _corrected(
    report: Report,
    target: Target,
    question: _Question,
    tensors: str | Iterable[str] | None,
    bar: Progress,
) -> Report:
    """Return the report of the reading in which one change makes all right; else this one."""
    explained = question.explain and not report.interrupted
    if report.verdict is Verdict.FAIL and explained and not _has_edits(report):
        for other in target.other_readings():
            reread = replace(question, target=other, inputs=(), params=None)
            found = _examine(reread, tensors, None, bar)
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


def assert_gradients(target: Any, *inputs: Any, **options: Any) -> Report:
    """Check as `check` does, and raise with the whole story unless everything passes.

    Returns
    -------
    Report
        The report, when it passes.

    Raises
    ------
    AssertionError
        If a verdict is FAIL or UNDECIDED; its message is the report.
    KeyboardInterrupt
        If the check was interrupted; its message is the report so far.
    """
    __tracebackhide__ = True
    report = check(target, *inputs, **options)
    if report.interrupted:
        raise KeyboardInterrupt(f"\n{report}")
    if not report.ok:
        raise AssertionError(f"\n{report}")
    return report
