"""check(): from a layer to a verdict on every tensor, with the bug's name where there is one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from numpy.typing import ArrayLike

from gradcheck.adapters import shows_gradients
from gradcheck.check_arguments import given_points
from gradcheck.examination import Question, examine, examine_points
from gradcheck.expected_failures import apart_from, is_right
from gradcheck.isolation import Budget
from gradcheck.report.progress import Progress
from gradcheck.report.report import Report
from gradcheck.runner import Mode
from gradcheck.state import settings_kept
from gradcheck.target import Target
from gradcheck_arguments import ArrayTree, Count, NonNegative, Order, Seed, Share, checked


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
    order: Order = 1,
    seed: Seed = 0,
    executor: Executor | None = None,
    progress: bool | None = None,
    budget: NonNegative | None = 30.0,
    constraint: str | Callable[..., Any] | Mapping[str, Any] | None = None,
    points: Sequence[Any] | None = None,
    reference: Any = None,
    accumulator: str | None = None,
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
    order
        2 checks beside the gradients those of the backward, as ``report.parts["backward"]``, where
        PyTorch or JAX takes them.
    seed
        Of all random choices: the same seed gives the same report.
    executor
        Any `concurrent.futures.Executor` (of processes, a Dask client's ``get_executor()``): the
        same report, with the tensors judged in parallel.
    progress
        Whether to show a bar for what takes more than two seconds; None does on a terminal. What
        will take more than ten is announced on stderr first, unless this is False.
    budget
        Seconds of real time for looking for the wrong entries of what failed, and for the bugs
        behind them, None for no limit. The verdicts take as long as they take; what was not tried
        for want of time is said.
    constraint
        Where the first input has to stay: ``"symmetric"``, ``"spd"``, ``"positive"``, ``"simplex"``
        or ``"unit"`` (along the last axis), ``"orthogonal"`` (columns, or rows); or its tangent
        space, as a function ``project(x, direction)`` that returns the direction's part in it, in
        which steps are straight. A dict says it by tensor name. The check moves the tensor within
        it, and compares the part of the gradient along it.
    points
        Several points in place of ``inputs``: a tuple of inputs for each, or the only input. The
        report is that of the worst one, and `Report.points` has all, the worst first.
    reference
        Another implementation that takes the same inputs: a function of arrays, or of tensors of
        PyTorch or JAX, a layer, or anything else that ``target`` may be. Outputs and gradients are
        compared with its own, which it computes in float64; its gradients are taken by autograd
        where it has them so, by numbers where it has none. In less than float32 every entry may
        be as far off as roundings make it, see `compare_to_reference`; and where the target itself
        cannot compute in float64, the numbers are measured on the reference.
    accumulator
        The format in which the target adds up sums, as for `compare_to_reference`.

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
        several = None if points is None else given_points(points, inputs)
        if reference is not None and contract is False:
            raise ValueError("contract=False: leaves out what reference= asks for; leave it out")
        plain = several is None and constraint is None and reference is None and len(inputs) == 2
        if plain and not isinstance(target, Target) and not shows_gradients(target):
            from gradcheck.training.check_fit import check_fit  # which few checks need

            report = check_fit(target, inputs, params, tolerance, seed)
            if report is not None:
                return report
        question = Question(
            target, inputs, params, cotangent, mode, tolerance, contract, explain, seed, directions,
            Budget(math.inf if budget is None else budget), constraint, reference, order,
            accumulator,
        )  # fmt: skip
        with Progress(progress) as bar:
            if several is not None:
                return examine_points(question, several, tensors, executor, bar)
            return examine(question, tensors, executor, bar)


def assert_gradients(
    target: Any, *inputs: Any, xfail: Mapping[str, str] | None = None, **options: Any
) -> Report:
    """Check as `check` does, and raise with the whole story unless everything passes.

    Parameters
    ----------
    target, *inputs, **options
        As for `check`.
    xfail
        What is expected to fail, with the reasons: ``{"b": "the bias is frozen upstream"}``, by
        name of a tensor, also of one of a part, or of a promise. The rest is judged without it.

    Returns
    -------
    Report
        The report, when it passes, without what is expected to fail.

    Raises
    ------
    AssertionError
        If a verdict is FAIL or UNDECIDED; its message is the report. Or if something passes that
        is expected to fail.
    ValueError
        If nothing is called as what is expected to fail.
    KeyboardInterrupt
        If the check was interrupted; its message is the report so far.
    """
    __tracebackhide__ = True
    report = check(target, *inputs, **options)
    if report.interrupted:
        raise KeyboardInterrupt(f"\n{report}")
    rest = apart_from(report, xfail or {})
    if not is_right(rest):
        raise AssertionError(f"\n{rest}")
    return rest
