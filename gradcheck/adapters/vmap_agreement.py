"""Whether code mapped over a batch gives what it gives for each sample: ``vmap_agrees``.

A rule for batches is written beside the backward, or made of it, and may be wrong where both are
right for one sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.checking.base_run import ROUNDINGS
from gradcheck.numerics import real_parts
from gradcheck.numerics.directions import random_cotangents
from gradcheck.target import ForwardRun

PROMISE = "vmap_agrees"
# Samples of the batch: one would leave axes that are taken for each other, and two a symmetry.
SAMPLES = 3


def vmap_agrees(
    tensors: Tensors,
    single: Callable[[Tensors], ForwardRun],
    mapped: Callable[[Tensors], ForwardRun],
    *,
    declared: bool = False,
) -> tuple[bool, str] | None:
    """Whether outputs and gradients of a mapped batch are those of a loop over its samples.

    Parameters
    ----------
    tensors
        One sample. The others have the same numbers in another order, to stay in the domain.
    single, mapped
        Run one sample, and a batch of samples along a new first axis.
    declared
        Whether the code says that it can be mapped: then it is a fault if that raises. Otherwise
        there is no such promise where it does.
    """
    samples = [
        {
            name: np.roll(value.reshape(-1), shift).reshape(value.shape)
            for name, value in tensors.items()
        }
        for shift in range(SAMPLES)
    ]
    runs = [single(sample) for sample in samples]
    try:
        batch = mapped({name: np.stack([s[name] for s in samples]) for name in tensors})
        parts = random_cotangents(real_parts.split_outputs(batch.outputs), np.random.default_rng(0))
        cotangents = real_parts.joined_cotangents(parts, batch.outputs)
        gradients = batch.pullback(cotangents)
    except Exception as error:  # noqa: BLE001 (that it raises is the finding)
        return (False, f"vmap raises {type(error).__name__}: {error}") if declared else None

    def pairs() -> Iterator[tuple[str, Array, list[Array]]]:
        for position, output in enumerate(batch.outputs):
            yield f"output {position}", output, [run.outputs[position] for run in runs]
        alone = [run.pullback(tuple(v[i] for v in cotangents)) for i, run in enumerate(runs)]
        for name, gradient in gradients.items():
            yield f"the gradient of {name}", gradient, [found[name] for found in alone]

    for what, together, one_by_one in pairs():
        gap = _gap(together, np.stack(one_by_one))
        if gap:
            return False, f"{what} under vmap {gap} a loop over the samples"
    return True, f"vmap and a loop over {SAMPLES} samples give the same outputs and gradients"


def _gap(together: Array, looped: Array) -> str:
    """Say how a batch differs from its samples; empty where they agree up to rounding."""
    if together.shape != looped.shape:
        return f"has the shape {together.shape}, not the {looped.shape} of"
    size = float(np.max(np.abs(looped), initial=0.0))
    dtype = looped.dtype if looped.dtype.kind in "fc" else np.dtype(np.float64)
    allowed = ROUNDINGS * float(np.finfo(dtype).eps) * size
    gap = float(np.max(np.abs(together - looped), initial=0.0))
    return "" if gap <= allowed or not np.isfinite(size) else f"differs by up to {gap:.3g} from"
