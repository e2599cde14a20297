"""One kernel: right, wrong by one slip, its reference, and inputs for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

BFLOAT16, FLOAT16, FLOAT32 = "bfloat16", "float16", "float32"
DTYPES = (BFLOAT16, FLOAT16, FLOAT32)

Inputs = Callable[[np.random.Generator], tuple[Any, ...]]


@dataclass(frozen=True)
class Kernel:
    """A kernel that is right, or wrong by one slip.

    Attributes
    ----------
    name
        As in ``"softmax"``.
    run
        Computes it: takes the inputs, and ``wrong``, whether to make the slip.
    reference
        The same function of the same inputs, which computes in float64 if they are.
    inputs
        Draws them as float64, or as integers, which stay what they are.
    slip
        What is wrong in words.
    kind
        What the comparison has to call it, where it is more than rounding.
    accumulator
        The format that sums are declared to be in; None: the default.
    intermediates
        The format that values between operations are declared to be in; None: the default.
    dtypes
        Those that it can compute in.
    has_gradient
        Whether it has a backward pass, which is compared as well.
    """

    name: str
    run: Callable[..., Any]
    reference: Callable[..., Any]
    inputs: Inputs
    slip: str
    kind: str = "systematic"
    accumulator: str | None = None
    intermediates: str | None = None
    dtypes: tuple[str, ...] = DTYPES
    has_gradient: bool = False

    def function(self, *, wrong: bool) -> Callable[..., Any]:
        """Return the right or the wrong kernel as a function of the inputs."""
        return partial(self.run, wrong=wrong)


def normal(*shapes: tuple[int, ...], scale: float = 1.0, mean: float = 0.0) -> Inputs:
    """Return what draws one normal array for each shape."""
    return lambda rng: tuple(mean + scale * rng.standard_normal(shape) for shape in shapes)
