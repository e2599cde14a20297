"""Promises whose breach is noted, and a fault only where the user requires them."""

from __future__ import annotations

import math

import numpy as np

from gradcheck.checking.base_run import ROUNDINGS
from gradcheck.checking.contract.shared_runs import PromiseResult, SharedRuns
from gradcheck.numerics.blockwise import all_finite
from gradcheck.state import warnings_ignored

ANY_ORDER = "a Fortran-ordered input gives the same output and gradients"


def deterministic(runs: SharedRuns) -> PromiseResult:
    """Whether two forwards at the same point agree bit for bit, whatever was drawn before."""
    if not runs.redrawn:
        return True, "two forwards at the same point agree bit for bit"
    return False, f"{runs.redrawn}; the gradients are judged with the draw held fixed"


def batch_independent(runs: SharedRuns) -> PromiseResult:
    """Whether a sample alone gives the output that it gives in a batch."""
    names, first = runs.batch_tensors, runs.outputs[0]
    if not names:
        return None, "there is no batch: the first axis does not count samples"
    if runs.redrawn:
        return None, "the forward is random: what a sample alone draws is not what it drew before"
    size = first.shape[0]
    if size < 2:
        return None, f"a batch of {size} cannot show it; give at least two samples"
    worst, row = 0.0, 0
    for index in sorted({0, size // 2, size - 1}):
        alone = runs.evaluator.run(
            {**runs.tensors, **{n: runs.tensors[n][index : index + 1] for n in names}}
        ).outputs[0]
        if alone.shape[1:] != first.shape[1:] or alone.shape[0] != 1:
            return False, f"sample {index} alone gives an output of shape {alone.shape}"
        gap = float(np.max(np.abs(alone[0] - first[index]), initial=0.0))
        worst, row = max((worst, row), (gap, index))
    size_of_output = float(np.max(np.abs(first[np.isfinite(first)]), initial=0.0))
    if worst <= ROUNDINGS * runs.context.eps * size_of_output:
        return True, "samples predicted alone and in the batch agree"
    return (
        False,
        f"sample {row} alone differs from the same sample in the batch by {worst:.3g} "
        f"(outputs are of size {size_of_output:.3g})",
    )


def dtypes(runs: SharedRuns) -> PromiseResult:
    """Whether every gradient has the dtype of its tensor."""
    wrong = [
        f"{name} is {value.dtype}, its gradient {runs.analytic[name].dtype}"
        for name, value in runs.tensors.items()
        if name in runs.analytic and runs.analytic[name].dtype != value.dtype
    ]
    return not wrong, "; ".join(wrong) or "every gradient has the dtype of its tensor"


def backward_repeatable(runs: SharedRuns) -> PromiseResult:
    """Whether a second backward gives the same gradients, or adds them up."""
    strange = [name for name, multiple in runs.repeated.items() if math.isnan(multiple)]
    doubled = [name for name, multiple in runs.repeated.items() if multiple == 2]
    if strange:
        return False, f"a second backward gives neither the same nor twice {', '.join(strange)}"
    if doubled:
        return True, f"a second backward adds to the gradient of {', '.join(doubled)}"
    return True, "a second backward gives the same"


def memory_layout(runs: SharedRuns) -> PromiseResult:
    """Whether a Fortran-ordered input gives the same output and gradients."""
    if runs.joint.linear:
        return True, ANY_ORDER
    run = runs.in_fortran_order()
    if not all(runs.near(output, position) for position, output in enumerate(run.outputs)):
        return False, "a Fortran-ordered input gives another output"
    analytic = runs.evaluator.pull(run, runs.cotangents, last=True)
    wrong = [name for name in runs.analytic if not runs.agrees(name, analytic.get(name))]
    if wrong:
        return False, f"a Fortran-ordered input gives another gradient of {', '.join(wrong)}"
    return True, ANY_ORDER


def gradients_not_aliased(runs: SharedRuns) -> PromiseResult:
    """Whether no gradient shares memory with what the layer was given."""
    shared = "; ".join(runs.base.shared) or "no gradient shares memory with what was given"
    return not runs.base.shared, shared


def batch_of(runs: SharedRuns, size: int) -> PromiseResult:
    """Whether a batch of so many samples, none or one, goes through."""
    if not runs.batch_tensors:
        return None, "there is no batch that could be resized"
    cut = {n: runs.tensors[n][:size] for n in runs.batch_tensors}
    try:
        if size == len(runs.outputs[0]):
            analytic = runs.analytic  # it is the batch that went through
        else:
            with warnings_ignored():  # a mean over no samples is nothing new to the user
                run = runs.evaluator.run({**runs.tensors, **cut})
                v = tuple(np.ones_like(output) for output in run.outputs)
                analytic = runs.evaluator.pull(run, v, last=True)
    except Exception as error:  # noqa: BLE001 (that it raises is the finding)
        return False, f"a batch of {size} raises {type(error).__name__}: {error}"
    bad = [n for n, g in analytic.items() if g.dtype.kind == "f" and not all_finite(g)]
    if bad:
        return False, f"a batch of {size} gives a gradient of {', '.join(bad)} that is not finite"
    return True, f"a batch of {size} goes through forward and backward"
