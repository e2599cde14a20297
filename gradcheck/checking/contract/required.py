"""Required promises: a breach is a fault of the layer."""

from __future__ import annotations

import math

import numpy as np

from gradcheck._types import Outputs
from gradcheck.checking.base_run import ROUNDINGS
from gradcheck.checking.contract.shared_runs import (
    PromiseResult,
    SharedRuns,
    departure,
    mixed_cotangents,
)
from gradcheck.checking.evaluator import finite
from gradcheck.checking.subgradients import diverges
from gradcheck.numerics.blockwise import all_finite, largest, norm
from gradcheck.numerics.directions import per_entry_scale
from gradcheck.numerics.formats import SINGLE

# Perturbed backwards that separate rounding from a fault: enough for one to show a cancellation.
PERTURBED = 8

# Roundings of the largest number that goes in or comes out which the gradient may be off by, as a
# share of it; and smallest numbers, below which nothing is rounded but lost.
EXPONENTS = 64.0
SUBNORMAL = 64.0

FRESH = "backward after a second forward uses the second"
LINEAR = "backward(2u - v/2) = 2 backward(u) - backward(v)/2"


def not_mutated(runs: SharedRuns, role: str) -> PromiseResult:
    """Whether forward and backward leave the inputs, or the parameters, as they are."""
    sizes = {
        name: size
        for name, size in runs.base.changed.items()
        if runs.evaluator.target.role(name) == role
    }
    if not sizes:
        return True, f"every {role} is the same, bit for bit, after forward and backward"
    when = "forward" if sizes.keys() & runs.base.changed_by_forward.keys() else "backward"
    worst = max(sizes, key=sizes.__getitem__)
    return False, f"{when} changed {', '.join(sizes)} in place, {worst} by up to {sizes[worst]:.3g}"


def reproducible(runs: SharedRuns) -> PromiseResult:
    """Whether two forwards agree that begin in the same state of every generator."""
    differ = runs.redrawn and runs.differs_from_first(runs.evaluator.run(runs.tensors))
    if not differ:
        return True, "two forwards from the same state agree bit for bit"
    return False, f"{differ}, though every random generator that is known begins at the same place"


def cotangent_not_mutated(runs: SharedRuns) -> PromiseResult:
    """Whether backward leaves the cotangent as it is."""
    if runs.evaluator.target.unit_cotangent:
        return True, "the backward takes no cotangent"
    if runs.base.cotangent_kept:
        return True, "the cotangent is the same, bit for bit, after backward"
    return False, "backward changed the cotangent it was given in place"


def shapes(runs: SharedRuns) -> PromiseResult:
    """Whether every gradient has the shape of its tensor."""
    wrong = [
        f"the gradient of {name} has shape {runs.analytic[name].shape}, {name} has {value.shape}"
        for name, value in runs.tensors.items()
        if name in runs.analytic and runs.analytic[name].shape != value.shape
    ]
    return not wrong, "; ".join(wrong) or "every gradient has the shape of its tensor"


def finite_gradients(runs: SharedRuns) -> PromiseResult:
    """Whether every gradient is finite where the outputs are."""
    bad = {
        name: int(np.sum(~np.isfinite(gradient)))
        for name, gradient in runs.analytic.items()
        if gradient.dtype.kind == "f" and not all_finite(gradient)
    }
    if not bad:
        return True, "every gradient is finite"
    outputs_finite = all(map(all_finite, runs.outputs))
    counts = ", ".join(f"{count} entries of {name}" for name, count in bad.items())
    if not outputs_finite:
        return None, f"{counts} are not finite, and neither are the outputs"
    if all(diverges(runs.context, runs.context.base, name) for name in bad):
        return None, f"{counts} are not finite, and neither is the derivative"
    return False, f"{counts} are NaN or infinite while the outputs are finite"


def fresh_cache(runs: SharedRuns) -> PromiseResult:
    """Whether backward belongs to the last forward, whatever was computed before."""
    if runs.joint.fresh:
        return True, FRESH
    second = runs.after_another(rewound=True)
    if not runs.repeats(second.outputs):
        return None, "the forward itself depends on the calls before it"
    analytic = runs.evaluator.pull(second, runs.cotangents, last=True)
    stale = [name for name in runs.analytic if not runs.agrees(name, analytic.get(name))]
    if stale:
        return (
            False,
            "after a forward at another input, backward gives another gradient of "
            f"{', '.join(stale)} for the same last forward: it uses what an earlier forward stored",
        )
    return True, FRESH


def backward_linear(runs: SharedRuns) -> PromiseResult:
    """Whether backward is linear in the cotangent."""
    if runs.evaluator.target.unit_cotangent:
        return True, "the backward takes no cotangent"
    if runs.joint.linear:
        return True, LINEAR
    other, mixed = mixed_cotangents(runs.cotangents)
    of_other, of_mixed = runs.pull(other), runs.pull(mixed, last=True)
    errors = {
        name: departure(gradient, of_other[name], of_mixed[name])
        for name, gradient in runs.analytic.items()
        if of_other[name].shape == of_mixed[name].shape == gradient.shape and all_finite(gradient)
    }
    # an exponential loses as many digits as the largest number has before the point
    numbers = max(map(largest, (*runs.tensors.values(), *runs.outputs)), default=0.0)
    least = max(float(np.finfo(v.dtype).smallest_subnormal) for v in runs.cotangents)
    pairs = zip(runs.cotangents, runs.outputs, strict=True)
    natural = math.hypot(*(norm(v, finite(y)) for v, y in pairs if y.dtype.kind == "f"))
    ignored: list[str] = []
    bent: list[str] = []
    for name, error in errors.items():
        gradient = runs.analytic[name]
        size = max(largest(gradient), largest(of_other[name]))
        # code may compute in lower precision than it returns, as kernels do
        single = SINGLE.has(gradient, of_other[name], of_mixed[name])
        eps = max(runs.context.eps, SINGLE.eps if single else 0.0)
        allowed = (ROUNDINGS + EXPONENTS * numbers) * eps * size + SUBNORMAL * least
        # where large terms cancel, as behind a saturated function, their rounding errors stay
        scale = largest(per_entry_scale(runs.tensors[name]))
        allowed += EXPONENTS * eps * natural / scale
        if not error <= allowed and not error <= allowed + sum(
            _rounding(runs, v, name) for v in (runs.cotangents, other, mixed)
        ):
            alike = np.array_equal(gradient, of_other[name])
            (ignored if alike else bent).append(name)
    if ignored:
        return False, f"the gradient of {', '.join(ignored)} is the same for every cotangent"
    if bent:
        return (
            False,
            f"backward(2u - v/2) is not 2 backward(u) - backward(v)/2 in {', '.join(bent)}",
        )
    return True, LINEAR


def _rounding(runs: SharedRuns, cotangents: Outputs, name: str) -> float:
    """Return how far rounding alone moves a gradient, as where large terms cancel to small ones."""
    pulls = [runs.pull(runs.context.rounded(cotangents))[name] for _ in range(PERTURBED)]
    return 16 * float(np.max(np.ptp(np.stack(pulls).astype(np.float64), axis=0)))
