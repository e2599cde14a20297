"""Required promises: a breach is a fault of the layer."""

from __future__ import annotations

import math

import numpy as np

from gradcheck.checking.contract.promise import Finding, promise
from gradcheck.checking.contract.shared_runs import ROUNDINGS, Scene, largest, same
from gradcheck.checking.evaluator import finite
from gradcheck.numerics.blockwise import blocks, norm
from gradcheck.numerics.directions import per_entry_scale
from gradcheck.target import Array, Outputs

# Perturbed backwards that tell rounding from a fault: enough for a cancellation to show in one.
PERTURBED = 8

# Roundings of the largest number that goes in or comes out which the gradient may be off by, as a
# share of it; and smallest numbers, below which nothing is rounded but lost.
EXPONENTS = 64.0
SUBNORMAL = 64.0


def _unchanged(scene: Scene, role: str) -> Finding:
    sizes = {
        name: size for name, size in scene.mutated.items() if scene.probe.target.role(name) == role
    }
    if not sizes:
        return Finding(True, f"every {role} is the same, bit for bit, after forward and backward")
    when = "forward" if sizes.keys() & scene.inputs_after_forward.keys() else "backward"
    worst = max(sizes, key=sizes.__getitem__)
    return Finding(
        False, f"{when} changed {', '.join(sizes)} in place, {worst} by up to {sizes[worst]:.3g}"
    )


@promise("deterministic", required=True)
def _deterministic(scene: Scene) -> Finding:
    scene.probe.target.state.restore(randomness=False)
    again = scene.probe.run_on(scene.tensors)
    pairs = list(zip(scene.first.outputs, again.outputs, strict=True))
    if all(
        a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs
    ):
        return Finding(True, "two forwards at the same point agree bit for bit")
    if any(a.shape != b.shape for a, b in pairs):
        return Finding(False, "two forwards at the same point give outputs of different shapes")
    gap = max(float(np.nanmax(np.abs(a - b), initial=0.0)) for a, b in pairs)
    share = np.mean([np.mean(a != b) for a, b in pairs])
    return Finding(
        False,
        f"two forwards at the same point differ in {share:.0%} of the outputs, by up to {gap:.3g}",
    )


@promise("input_not_mutated", required=True)
def _input_not_mutated(scene: Scene) -> Finding:
    return _unchanged(scene, "input")


@promise("parameters_not_mutated", required=True)
def _parameters_not_mutated(scene: Scene) -> Finding:
    return _unchanged(scene, "parameter")


@promise("cotangent_not_mutated", required=True)
def _cotangent_not_mutated(scene: Scene) -> Finding:
    if scene.probe.target.unit_cotangent:
        return Finding(True, "the backward takes no cotangent")
    if all(map(same, scene.sent, scene.cotangents)):
        return Finding(True, "the cotangent is the same, bit for bit, after backward")
    return Finding(False, "backward changed the cotangent it was given in place")


@promise("shapes", required=True)
def _shapes(scene: Scene) -> Finding:
    wrong = [
        f"the gradient of {name} has shape {scene.claimed[name].shape}, {name} has {value.shape}"
        for name, value in scene.tensors.items()
        if name in scene.claimed and scene.claimed[name].shape != value.shape
    ]
    return Finding(not wrong, "; ".join(wrong) or "every gradient has the shape of its tensor")


@promise("finite", required=True)
def _finite(scene: Scene) -> Finding:
    bad = {
        name: int(np.sum(~np.isfinite(gradient)))
        for name, gradient in scene.claimed.items()
        if gradient.dtype.kind == "f" and not np.isfinite(gradient).all()
    }
    if not bad:
        return Finding(True, "every claimed gradient is finite")
    outputs_finite = all(np.isfinite(output).all() for output in scene.first.outputs)
    counts = ", ".join(f"{count} entries of {name}" for name, count in bad.items())
    if not outputs_finite:
        return Finding(None, f"{counts} are not finite, and neither are the outputs")
    return Finding(False, f"{counts} are NaN or infinite while the outputs are finite")


@promise("fresh_cache", required=True)
def _fresh_cache(scene: Scene) -> Finding:
    inputs = [n for n in scene.tensors if scene.probe.target.role(n) == "input"]
    moved = {name: _other_value(scene.tensors[name]) for name in inputs or scene.tensors}
    scene.probe.run({**scene.tensors, **moved})
    scene.probe.target.state.rewind()
    second = scene.probe.run_on(scene.tensors)
    if not all(map(same, second.outputs, scene.first.outputs)):
        return Finding(None, "the forward itself depends on the calls before it")
    claimed = scene.probe.pull(second, scene.cotangents, last=True)
    stale = [name for name in scene.claimed if not scene.agrees(name, claimed.get(name))]
    if stale:
        return Finding(
            False,
            "after a forward at another input, backward gives another gradient of "
            f"{', '.join(stale)} for the same last forward: it uses what an earlier forward left",
        )
    return Finding(True, "backward after a second forward uses the second")


@promise("backward_linear", required=True)
def _backward_linear(scene: Scene) -> Finding:
    if scene.probe.target.unit_cotangent:
        return Finding(True, "the backward takes no cotangent")
    other = tuple(_mirrored(v) for v in scene.cotangents)
    mixed = tuple(
        (2 * v - w / 2).astype(v.dtype) for v, w in zip(scene.cotangents, other, strict=True)
    )
    of_other, of_mixed = scene.pull(other), scene.pull(mixed, last=True)
    errors = {
        name: _departure(claim, of_other[name], of_mixed[name])
        for name, claim in scene.claimed.items()
        if of_other[name].shape == of_mixed[name].shape == claim.shape and np.isfinite(claim).all()
    }
    # an exponential loses as many digits as the largest number has before the point
    numbers = max(map(largest, (*scene.tensors.values(), *scene.first.outputs)), default=0.0)
    least = max(float(np.finfo(v.dtype).smallest_subnormal) for v in scene.cotangents)
    pairs = zip(scene.cotangents, scene.first.outputs, strict=True)
    natural = math.hypot(*(norm(v, finite(y)) for v, y in pairs if y.dtype.kind == "f"))
    ignored: list[str] = []
    bent: list[str] = []
    for name, error in errors.items():
        claim = scene.claimed[name]
        size = max(largest(claim), largest(of_other[name]))
        allowed = (ROUNDINGS + EXPONENTS * numbers) * scene.lab.eps * size + SUBNORMAL * least
        # where large terms cancel, as behind a saturated function, their rounding errors stay
        scale = largest(per_entry_scale(scene.tensors[name]))
        allowed += EXPONENTS * scene.lab.eps * natural / scale
        if not error <= allowed and not error <= allowed + sum(
            _rounding(scene, v, name) for v in (scene.cotangents, other, mixed)
        ):
            same = np.array_equal(claim, of_other[name])
            (ignored if same else bent).append(name)
    if ignored:
        return Finding(
            False, f"the gradient of {', '.join(ignored)} is the same whatever cotangent is given"
        )
    if bent:
        return Finding(
            False, f"backward(2u - v/2) is not 2 backward(u) - backward(v)/2 in {', '.join(bent)}"
        )
    return Finding(True, "backward(2u - v/2) = 2 backward(u) - backward(v)/2")


def _departure(u: Array, v: Array, mixed: Array) -> float:
    """Return how far ``mixed`` is from 2u - v/2 in its worst entry."""
    gaps = [
        np.max(np.abs(2 * a.astype(np.float64) - b.astype(np.float64) / 2 - c), initial=0.0)
        for a, b, c in blocks(u, v, mixed)
    ]
    return float(max(gaps))


def _rounding(scene: Scene, cotangents: Outputs, name: str) -> float:
    """Return how far rounding alone moves a gradient, as where large terms cancel to small ones."""
    pulls = [scene.pull(scene.lab.rounded(cotangents))[name] for _ in range(PERTURBED)]
    return 16 * float(np.max(np.ptp(np.stack(pulls).astype(np.float64), axis=0)))


def _other_value(value: Array) -> Array:
    """Return the same numbers in another order, so that they stay in the layer's domain."""
    other = value.reshape(-1)[::-1].reshape(value.shape)
    if np.array_equal(other, value):
        other = value + per_entry_scale(value) / 4
    return np.array(other, dtype=value.dtype, order="C")


def _mirrored(v: Array) -> Array:
    """Return a cotangent unlike ``v``: its entries in reverse order, with other signs."""
    flat = v.reshape(-1)[::-1].copy()
    flat[::2] *= -1
    return flat.reshape(v.shape)
