"""Code that computes in float32 what it takes and returns as float64.

It moves in steps, and is flat in between: at a point of float32 most of all, where the steps are as
far away as they get. Opaque code, as kernels are, does so whatever it is given.
"""

from __future__ import annotations

import numpy as np

from gradcheck._types import Outputs
from gradcheck.checking.evaluator import Evaluator
from gradcheck.numerics.formats import SINGLE

# A relative move that float32 does not see, and float64 sees well; and one that both see.
UNSEEN = 2.0**-30
SEEN = 2.0**-12


def computes_in_single(evaluator: Evaluator, outputs: Outputs, seed: int) -> bool:
    """Whether a target of float64 tensors computes in float32 inside; ``outputs`` are its own."""
    tensors = list(evaluator.target.tensors.values())
    wide = any(value.dtype == np.float64 for value in tensors)
    if not wide or not (SINGLE.has(*_floats(outputs)) or SINGLE.has(*tensors)):
        return False
    near = _beside(evaluator, UNSEEN, seed)
    if near is None:
        return False
    if not all(map(np.array_equal, near, outputs)):
        return SINGLE.has(*_floats(near))
    farther = _beside(evaluator, SEEN, seed)
    return farther is not None and not all(map(np.array_equal, farther, outputs))


def returns_singles(evaluator: Evaluator, seed: int) -> bool:
    """Whether outputs near the point are numbers of float32 alone, as none of float64 are."""
    near = _beside(evaluator, UNSEEN, seed)
    return near is not None and SINGLE.has(*_floats(near))


def _beside(evaluator: Evaluator, move: float, seed: int) -> Outputs | None:
    """Return the outputs beside the point; None where the target is not defined there."""
    rng = np.random.default_rng(seed)
    moved = {
        name: (value * (1 + move * rng.uniform(1, 2, value.shape))).astype(value.dtype)
        for name, value in evaluator.target.tensors.items()
    }
    try:
        return evaluator.run(moved).outputs
    except Exception:  # noqa: BLE001 (the domain of a function may end beside the point)
        return None


def _floats(outputs: Outputs) -> Outputs:
    return tuple(y for y in outputs if y.dtype.kind == "f")
