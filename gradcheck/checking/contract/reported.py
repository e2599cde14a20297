"""Facts about a layer: reported, and a fault only where the user says so."""

from __future__ import annotations

import math
import warnings

import numpy as np

from gradcheck.checking.contract.promise import PromiseResult, promise
from gradcheck.checking.contract.shared_runs import ROUNDINGS, SharedRuns


@promise("batch_independent", required=False)
def _batch_independent(runs: SharedRuns) -> PromiseResult:
    target = runs.evaluator.target
    names = target.batch_tensors
    first = runs.first.outputs[0]
    if not names or first.ndim == 0 or first.shape[0] != runs.tensors[names[0]].shape[0]:
        return PromiseResult(None, "there is no batch: the first axis does not count samples")
    size = first.shape[0]
    if size < 2:
        return PromiseResult(None, f"a batch of {size} shows nothing; give at least two samples")
    worst, row = 0.0, 0
    for index in sorted({0, size // 2, size - 1}):
        alone = runs.evaluator.run(
            {**runs.tensors, **{n: runs.tensors[n][index : index + 1] for n in names}}
        ).outputs[0]
        if alone.shape[1:] != first.shape[1:] or alone.shape[0] != 1:
            return PromiseResult(
                False, f"sample {index} alone gives an output of shape {alone.shape}"
            )
        gap = float(np.max(np.abs(alone[0] - first[index]), initial=0.0))
        worst, row = max((worst, row), (gap, index))
    size_of_output = float(np.max(np.abs(first[np.isfinite(first)]), initial=0.0))
    if worst <= ROUNDINGS * runs.context.eps * size_of_output:
        return PromiseResult(True, "samples predicted alone and in the batch agree")
    return PromiseResult(
        False,
        f"sample {row} alone differs from the same sample in the batch by {worst:.3g} "
        f"(outputs are of size {size_of_output:.3g})",
    )


@promise("dtypes", required=False)
def _dtypes(runs: SharedRuns) -> PromiseResult:
    wrong = [
        f"{name} is {value.dtype}, its gradient {runs.claimed[name].dtype}"
        for name, value in runs.tensors.items()
        if name in runs.claimed and runs.claimed[name].dtype != value.dtype
    ]
    return PromiseResult(
        not wrong, "; ".join(wrong) or "every gradient has the dtype of its tensor"
    )


@promise("backward_repeatable", required=False)
def _backward_repeatable(runs: SharedRuns) -> PromiseResult:
    strange = [name for name, multiple in runs.repeated.items() if math.isnan(multiple)]
    doubled = [name for name, multiple in runs.repeated.items() if multiple == 2]
    if strange:
        return PromiseResult(
            False, f"a second backward gives neither the same nor twice {', '.join(strange)}"
        )
    if doubled:
        return PromiseResult(
            True, f"a second backward adds to the gradient of {', '.join(doubled)}"
        )
    return PromiseResult(True, "a second backward gives the same")


@promise("memory_layout", required=False)
def _memory_layout(runs: SharedRuns) -> PromiseResult:
    role = runs.evaluator.target.role
    fortran = {n: np.asfortranarray(v) for n, v in runs.tensors.items() if role(n) == "input"}
    run = runs.evaluator.run({**runs.tensors, **fortran})
    if not all(runs.near(output, position) for position, output in enumerate(run.outputs)):
        return PromiseResult(False, "a Fortran-ordered input gives another output")
    claimed = runs.evaluator.pull(run, runs.cotangents, last=True)
    wrong = [name for name in runs.claimed if not runs.agrees(name, claimed.get(name))]
    if wrong:
        return PromiseResult(
            False, f"a Fortran-ordered input gives another gradient of {', '.join(wrong)}"
        )
    return PromiseResult(True, "a Fortran-ordered input gives the same output and gradients")


@promise("gradients_not_aliased", required=False)
def _gradients_not_aliased(runs: SharedRuns) -> PromiseResult:
    said = "; ".join(runs.shared) or "no gradient shares memory with what was given"
    return PromiseResult(not runs.shared, said)


@promise("empty_batch", required=False)
def _empty_batch(runs: SharedRuns) -> PromiseResult:
    return _batch_of(runs, 0)


@promise("single_sample", required=False)
def _single_sample(runs: SharedRuns) -> PromiseResult:
    return _batch_of(runs, 1)


def _batch_of(runs: SharedRuns, size: int) -> PromiseResult:
    names = runs.evaluator.target.batch_tensors
    first = runs.first.outputs[0]
    if not names or first.ndim == 0 or first.shape[0] != runs.tensors[names[0]].shape[0]:
        return PromiseResult(None, "there is no batch that could be resized")
    cut = {n: runs.tensors[n][:size] for n in names}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a mean over no samples is no news to the user
            run = runs.evaluator.run({**runs.tensors, **cut})
            v = tuple(np.ones_like(output) for output in run.outputs)
            claimed = runs.evaluator.pull(run, v, last=True)
    except Exception as error:  # noqa: BLE001 (that it raises is the finding)
        return PromiseResult(False, f"a batch of {size} raises {type(error).__name__}: {error}")
    bad = [n for n, g in claimed.items() if g.dtype.kind == "f" and not np.isfinite(g).all()]
    if bad:
        return PromiseResult(
            False, f"a batch of {size} gives a gradient of {', '.join(bad)} that is not finite"
        )
    return PromiseResult(True, f"a batch of {size} goes through forward and backward")
