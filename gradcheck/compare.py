"""Claimed gradient against numerical derivative: the verdict on one tensor.

Along a direction d the claim says <g, d>; the function says d/dt <v, f(x + t d)> within a bound.
A verdict compares the difference with that bound and with nothing else: agreement within the
bound passes, disagreement far beyond it, confirmed on fresh directions, fails, and a bound too
wide to have shown a grave error decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gradcheck.blocks import norm, project
from gradcheck.derivative import Derivative
from gradcheck.directions import compact, own_scale, per_entry_scale, rademacher
from gradcheck.judgement import Judgement, Measurement, ratio
from gradcheck.point import Point
from gradcheck.probe import Probe, Ray
from gradcheck.result import Verdict
from gradcheck.spectrum import groups_of_like_size
from gradcheck.target import Array, Outputs

# A check that could not have seen a relative error of this size has decided nothing. Where the
# roundings of the claim itself are larger, as in float16, twice these take its place.
COARSEST_RESOLUTION = 1e-3

# Roundings of a backward pass: allowed relative to the gradient's norm along the direction, in
# units of the dtype's eps, beside what perturbing the cotangent by one rounding shows.
ROUNDINGS = 32.0
SENSITIVITY = 4.0

# A gradient this much smaller than the secant slopes of the function over the tensor's own scale
# vanishes for all that floating-point numbers can tell.
VANISHING = 1e-6

# Relative accuracy at which the numerical derivative may stop: two digits beyond an error of
# 1e-6 in one entry of 10,000, which is 1e-8 of the gradient's norm.
WANTED_ACCURACY = 1e-10

FRESH_DIRECTIONS = 3


class Judge:
    """Judges one tensor of a point.

    Parameters
    ----------
    probe
        Where the numerical derivatives come from; may compute in a wider dtype than ``point``.
    point
        The claims. Its outputs are taken at the same tensors as ``probe`` uses.
    name
        The tensor.
    eps
        Rounding unit of the layer whose claims are judged.
    rng
        Source of the directions.
    ask
        Returns the claim for other cotangents at the same point, where that can be had.
    """

    def __init__(
        self,
        probe: Probe,
        point: Point,
        name: str,
        eps: float,
        rng: np.random.Generator,
        ask: Callable[[Outputs], Array] | None = None,
    ) -> None:
        self.probe = probe
        self.point = point
        self.name = name
        self.eps = eps
        self.rng = rng
        self.ask = ask
        self.value = point.tensors[name]
        self.claim = np.asarray(point.claimed[name], dtype=np.float64)
        self.scale = compact(per_entry_scale(self.value))
        self.size = norm(self.claim, self.scale)
        self.noise: float | None = None

    def judge(self, directions: int = 2) -> Judgement:
        """Return the verdict at this point alone, from ``directions`` directions at least."""
        if self.value.size == 0:
            return Judgement(Verdict.PASS, notes=["empty: nothing to differentiate"])
        measured = [self.measure(self._direction(self._scale_of(n))) for n in range(directions)]
        for label, members in groups_of_like_size(self.claim, self.scale):
            measured.append(self.measure(self._direction(np.where(members, self.scale, 0)), label))
        suspects = [m for m in measured if not m.agrees and math.isfinite(m.bound)]
        if suspects:
            return self._confirm(suspects[0], measured)
        return self._passed(measured)

    def measure(self, direction: Array, group: str = "") -> Measurement:
        """Measure the error of the claim along ``direction``.

        Outputs that stay put to the last digit may hide a derivative that the claim knows of.
        Where a difference could be due to them, the claim is asked again for the others alone.
        """
        ray = Ray(self.probe, self.point.tensors, self.point.outputs, self.name, direction)
        measured = self._along(ray, self.point.cotangents, self.claim, group)
        excused = not measured.agrees and not measured.contradicts
        if not excused or self.ask is None or not ray.moved:
            return measured
        moving = tuple(
            np.where(moved, v, 0) for moved, v in zip(ray.moved, self.point.cotangents, strict=True)
        )
        return self._along(ray, moving, self.ask(moving), group)

    def _along(self, ray: Ray, cotangents: Outputs, claim: Array, group: str) -> Measurement:
        direction = ray.direction
        size = norm(claim, direction)
        derivative = ray.derivative(
            cotangents,
            claim,
            noise=None if group else self.noise,
            target=WANTED_ACCURACY * (size or self.size),
            glance=COARSEST_RESOLUTION * (size or self.size),
        )
        if self.noise is None and not group and math.isfinite(derivative.noise):
            self.noise = derivative.noise
        unsure = self.point.unsure.get(self.name, np.zeros(()))
        allowance = ROUNDINGS * self.eps * size + SENSITIVITY * norm(
            np.broadcast_to(unsure, direction.shape), direction
        )
        error = abs(derivative.value)
        if derivative.kink is not None:
            # any value between the one-sided derivatives is a valid subgradient
            low, high = sorted((derivative.kink.left, derivative.kink.right))
            error = max(low, -high, 0.0)
        bound = _bound(derivative) + allowance
        blind = ray.blind(cotangents)
        return Measurement(derivative, error, bound, max(size, error), group, blind)

    def _scale_of(self, turn: int) -> Array:
        """Return steps that move entries as their neighbours, and as their own size, in turn."""
        return compact(own_scale(self.value, 1e-3 * self.scale)) if turn % 2 else self.scale

    def _direction(self, scale: Array) -> Array:
        return rademacher(self.rng, scale, self.value)

    def _confirm(self, suspect: Measurement, measured: list[Measurement]) -> Judgement:
        """Ask fresh directions before saying FAIL."""
        members = self._members(suspect.group)
        fresh = [
            self.measure(self._direction(np.where(members, self.scale, 0)), suspect.group)
            for _ in range(FRESH_DIRECTIONS)
        ]
        every = [*measured, *fresh]
        contradictions = [m for m in [suspect, *fresh] if m.contradicts]
        if len(contradictions) >= 2:
            worst = max(contradictions, key=lambda m: ratio(m.error, m.scale))
            where = f" ({worst.group})" if worst.group else ""
            return Judgement(
                Verdict.FAIL,
                f"off by {ratio(worst.error, worst.scale):.2g} of the gradient{where}, "
                f"{worst.error / worst.bound:.2g} times the error bound, "
                f"in {len(contradictions)} of {1 + len(fresh)} directions",
                every,
            )
        return self._passed(every)

    def _members(self, label: str) -> Array:
        for name, members in groups_of_like_size(self.claim, self.scale):
            if name == label:
                return members
        return np.ones(self.scale.shape, dtype=bool)

    def _passed(self, measured: list[Measurement]) -> Judgement:
        """Return PASS where the bounds are tight enough to have earned it."""
        kinks = [m for m in measured if m.derivative.kink is not None]
        notes = []
        judged = measured
        coarsest = max(COARSEST_RESOLUTION, 2 * ROUNDINGS * self.eps)
        vanishing = [m for m in measured if not m.resolution <= coarsest]
        if vanishing:
            secant = self._secant_slope()
            if all(m.error + m.bound + self._reach(m) <= VANISHING * secant for m in vanishing):
                notes.append(
                    "part of the gradient vanishes here: below "
                    f"{max(m.error + m.bound for m in vanishing) / secant:.1g} of the function's "
                    "own slope over the tensor's scale"
                )
                judged = [
                    replace(m, scale=secant) if m.resolution > coarsest else m for m in measured
                ]
        judgement = Judgement(Verdict.PASS, "", judged, notes)
        if kinks:
            judgement.notes.append("kink at the point: a valid subgradient is claimed along it")
        if not judgement.resolution <= coarsest:  # NaN decides nothing either
            judgement.verdict = Verdict.UNDECIDED
            judgement.reason = self._why_undecided(judgement)
        return judgement

    def _reach(self, measurement: Measurement) -> float:
        """Return how large the claimed derivative along a measured direction may be."""
        return measurement.scale if measurement.group else self.size

    def _secant_slope(self) -> float:
        """Return the largest slope of the function over steps of the tensor's own size."""
        direction = self._direction(self.scale)
        ray = Ray(self.probe, self.point.tensors, self.point.outputs, self.name, direction)
        slopes = []
        for t in (-1.0, 1.0):
            changes = ray.changes(t)
            if all(c.shape == v.shape for c, v in zip(changes, self.point.cotangents, strict=True)):
                slopes.append(abs(math.fsum(map(project, self.point.cotangents, changes))))
        sizes = (
            norm(v, np.nan_to_num(y))
            for v, y in zip(self.point.cotangents, self.point.outputs, strict=True)
        )
        finite = [slope for slope in [*slopes, *sizes] if math.isfinite(slope)]
        return max(finite, default=0.0)

    def _why_undecided(self, judgement: Judgement) -> str:
        worst = max(judgement.measurements, key=lambda m: m.resolution)
        if not math.isfinite(worst.bound):
            return "the function is not finite or not smooth on either side of the point"
        noise = worst.derivative.noise
        return (
            f"an error below {worst.resolution:.1g} of the gradient would not be seen "
            f"(noise of the forward {noise:.1g})"
        )


def _bound(derivative: Derivative) -> float:
    """Return the bound on the smooth part: at a kink, that of the one-sided derivatives."""
    if derivative.kink is None:
        return float(derivative.error_bound)
    return max(derivative.kink.left_bound, derivative.kink.right_bound)
