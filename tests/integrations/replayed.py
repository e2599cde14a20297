"""How far the gradient of a replayed forward is from the one that its framework returns."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck import as_target
from gradcheck._types import Array
from gradcheck.checking.evaluator import Evaluator
from gradcheck.explain.trace.record import Recording, record
from gradcheck.target import Target


def recording_of(thing: Any, *inputs: Any) -> tuple[Target, Recording | None]:
    """Return the target of a thing, and what is recorded of its forward."""
    target = as_target(thing, *inputs)
    return target, record(Evaluator(target), target.tensors)


def disagreement(thing: Any, *inputs: Any) -> float:
    """Return the largest difference, beside the largest entry; infinity where none is recorded."""
    target, recording = recording_of(thing, *inputs)
    if recording is None:
        return np.inf
    run = target.call(target.tensors)
    rng = np.random.default_rng(1)
    cotangents = tuple(rng.normal(size=y.shape).astype(y.dtype) for y in run.outputs)
    right = run.pullback(cotangents)
    return max(_far(recording.gradient(n, cotangents), right[n]) for n in target.tensors)


def _far(a: Array, b: Array) -> float:
    return float(np.abs(a - b).max(initial=0.0)) / max(1e-300, float(np.abs(b).max(initial=0.0)))
