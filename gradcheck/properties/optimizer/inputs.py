"""The parameters and gradients that optimisers are tried on."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties import inputs
from gradcheck.properties.optimizer.optimizer_under_test import OptimizerUnderTest
from gradcheck.properties.tolerance import Tolerance


@st.composite
def point(draw: inputs.Draw, _: OptimizerUnderTest) -> dict[str, Any]:
    """Draw parameters ``p`` and a gradient ``g`` of the same shape."""
    shape = draw(st.sampled_from([(1,), (3,), (2, 2)]))
    return {
        "p": inputs.draw_grid(draw, shape, 4.0),
        "g": inputs.draw_grid(draw, shape, 2.0),
    }


@st.composite
def nonzero_gradient(draw: inputs.Draw, _: OptimizerUnderTest) -> dict[str, Any]:
    """Draw ``p`` and ``g``, no entry of which is zero."""
    size = draw(st.integers(1, 4))
    signs = np.array([draw(st.sampled_from([1.0, -1.0])) for _ in range(size)])
    sizes = np.array([draw(st.integers(1, 64)) for _ in range(size)]) / 16
    return {"p": inputs.draw_grid(draw, (size,), 4.0), "g": signs * sizes}


def rounding(p: Array, steps: int = 1) -> Tolerance:
    """Return the allowance for entries like those of ``p`` after so many steps."""
    size = 1 + float(np.abs(p).max(initial=0.0))
    allowance = 16 * steps * float(np.finfo(np.float64).eps) * size
    return Tolerance(f"16 eps per step, {steps} steps", absolute=allowance)
