"""Facts about a layer: reported, and a fault only where the user says so."""

from __future__ import annotations

import math
import warnings

import numpy as np

from gradcheck.checking.contract.promise import Finding, promise
from gradcheck.checking.contract.shared_runs import ROUNDINGS, Scene


@promise("batch_independent", required=False)
def _batch_independent(scene: Scene) -> Finding:
    target = scene.probe.target
    names = target.batch_tensors
    first = scene.first.outputs[0]
    if not names or first.ndim == 0 or first.shape[0] != scene.tensors[names[0]].shape[0]:
        return Finding(None, "there is no batch: the first axis does not count samples")
    size = first.shape[0]
    if size < 2:
        return Finding(None, f"a batch of {size} shows nothing; give at least two samples")
    worst, row = 0.0, 0
    for index in sorted({0, size // 2, size - 1}):
        alone = scene.probe.run(
            {**scene.tensors, **{n: scene.tensors[n][index : index + 1] for n in names}}
        ).outputs[0]
        if alone.shape[1:] != first.shape[1:] or alone.shape[0] != 1:
            return Finding(False, f"sample {index} alone gives an output of shape {alone.shape}")
        gap = float(np.max(np.abs(alone[0] - first[index]), initial=0.0))
        worst, row = max((worst, row), (gap, index))
    size_of_output = float(np.max(np.abs(first[np.isfinite(first)]), initial=0.0))
    if worst <= ROUNDINGS * scene.lab.eps * size_of_output:
        return Finding(True, "samples predicted alone and in the batch agree")
    return Finding(
        False,
        f"sample {row} alone differs from the same sample in the batch by {worst:.3g} "
        f"(outputs are of size {size_of_output:.3g})",
    )


@promise("dtypes", required=False)
def _dtypes(scene: Scene) -> Finding:
    wrong = [
        f"{name} is {value.dtype}, its gradient {scene.claimed[name].dtype}"
        for name, value in scene.tensors.items()
        if name in scene.claimed and scene.claimed[name].dtype != value.dtype
    ]
    return Finding(not wrong, "; ".join(wrong) or "every gradient has the dtype of its tensor")


@promise("backward_repeatable", required=False)
def _backward_repeatable(scene: Scene) -> Finding:
    strange = [name for name, multiple in scene.repeated.items() if math.isnan(multiple)]
    doubled = [name for name, multiple in scene.repeated.items() if multiple == 2]
    if strange:
        return Finding(
            False, f"a second backward gives neither the same nor twice {', '.join(strange)}"
        )
    if doubled:
        return Finding(True, f"a second backward adds to the gradient of {', '.join(doubled)}")
    return Finding(True, "a second backward gives the same")


@promise("memory_layout", required=False)
def _memory_layout(scene: Scene) -> Finding:
    role = scene.probe.target.role
    fortran = {n: np.asfortranarray(v) for n, v in scene.tensors.items() if role(n) == "input"}
    run = scene.probe.run({**scene.tensors, **fortran})
    if not all(scene.near(output, position) for position, output in enumerate(run.outputs)):
        return Finding(False, "a Fortran-ordered input gives another output")
    claimed = scene.probe.pull(run, scene.cotangents, last=True)
    wrong = [name for name in scene.claimed if not scene.agrees(name, claimed.get(name))]
    if wrong:
        return Finding(
            False, f"a Fortran-ordered input gives another gradient of {', '.join(wrong)}"
        )
    return Finding(True, "a Fortran-ordered input gives the same output and gradients")


@promise("gradients_not_aliased", required=False)
def _gradients_not_aliased(scene: Scene) -> Finding:
    said = "; ".join(scene.shared) or "no gradient shares memory with what was given"
    return Finding(not scene.shared, said)


@promise("empty_batch", required=False)
def _empty_batch(scene: Scene) -> Finding:
    return _batch_of(scene, 0)


@promise("single_sample", required=False)
def _single_sample(scene: Scene) -> Finding:
    return _batch_of(scene, 1)


def _batch_of(scene: Scene, size: int) -> Finding:
    names = scene.probe.target.batch_tensors
    first = scene.first.outputs[0]
    if not names or first.ndim == 0 or first.shape[0] != scene.tensors[names[0]].shape[0]:
        return Finding(None, "there is no batch that could be resized")
    cut = {n: scene.tensors[n][:size] for n in names}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a mean over no samples is no news to the user
            run = scene.probe.run({**scene.tensors, **cut})
            v = tuple(np.ones_like(output) for output in run.outputs)
            claimed = scene.probe.pull(run, v, last=True)
    except Exception as error:  # noqa: BLE001 (that it raises is the finding)
        return Finding(False, f"a batch of {size} raises {type(error).__name__}: {error}")
    bad = [n for n, g in claimed.items() if g.dtype.kind == "f" and not np.isfinite(g).all()]
    if bad:
        return Finding(
            False, f"a batch of {size} gives a gradient of {', '.join(bad)} that is not finite"
        )
    return Finding(True, f"a batch of {size} goes through forward and backward")
