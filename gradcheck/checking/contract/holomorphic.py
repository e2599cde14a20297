"""Whether a function of complex arrays is holomorphic: a fact, and no fault either way."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.contract.shared_runs import PromiseResult, SharedRuns
from gradcheck.numerics.central_difference import STEP, central_difference
from gradcheck.numerics.directions import per_entry_scale
from gradcheck.numerics.real_parts import complex_of, part_names, whole_names

# Central differences are off by less, relatively, where no term of a conjugate takes part.
AGREES = 1e-4
COARSE = 5e-2
COARSE_STEP = 2.0**-7


def holomorphic(runs: SharedRuns) -> PromiseResult:
    """Whether the derivative of complex outputs along i d is i times that along d.

    These are the Cauchy-Riemann equations, along one random direction d of each complex tensor.
    """
    rng = np.random.default_rng(0)
    for name in whole_names(runs.tensors):
        re, im = part_names(name)
        d, e = (rng.standard_normal(runs.tensors[re].shape) for _ in range(2))
        along, turned = _slope(runs, {re: d, im: e}), _slope(runs, {re: -e, im: d})
        size = np.max(np.abs(along), initial=0.0) + np.max(np.abs(turned), initial=0.0)
        allowed = COARSE if runs.context.eps > np.finfo(np.float64).eps else AGREES
        if not np.max(np.abs(turned - 1j * along), initial=0.0) <= allowed * size:
            return False, f"not holomorphic in {name}: its conjugate, or a part of it, takes part"
    return True, "holomorphic: the derivative along i d is i times that along d"


def _slope(runs: SharedRuns, directions: dict[str, Array]) -> Array:
    """Return the derivative of all outputs, as complex numbers, along directions of both parts."""
    wide = runs.context.wide
    tensors = wide.target.tensors
    scale = max(float(per_entry_scale(tensors[name]).max(initial=0.0)) for name in directions)
    step = COARSE_STEP if wide.target.tensors[next(iter(directions))].dtype != np.float64 else STEP

    def outputs(t: float) -> Array:
        moved = {
            name: (tensors[name] + t * scale * d).astype(tensors[name].dtype)
            for name, d in directions.items()
        }
        parts = wide.run({**tensors, **moved}).outputs
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return np.concatenate([complex_of(a, b).ravel() for a, b in pairs])

    return central_difference(outputs, step)
