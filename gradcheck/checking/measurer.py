"""The error of an analytic gradient along one direction, with all that limits the knowledge of it.

Beside the bound of the numerical derivative stand the rounding errors of the analytic one, and what
only looks like a difference: steps of the function, and what its last digit cannot show.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.checking.evaluator import DirectionalFunction, Evaluator, Linearization, finite
from gradcheck.checking.plateaus import Plateau, in_low_precision, plateau
from gradcheck.checking.rounding_errors import MOST
from gradcheck.checking.signal import AWAY
from gradcheck.checking.tensor_verdict import Measurement
from gradcheck.numerics.blockwise import norm, project
from gradcheck.numerics.directions import compact

# A check that could not have seen a relative error of this size has decided nothing. Where the
# roundings of the analytic gradient itself are larger, as in float16, twice these take its place.
COARSEST_RESOLUTION = 1e-3

# Roundings of a backward pass: allowed relative to the gradient's norm along the direction, in
# units of the dtype's eps, beside what perturbing the cotangent by one rounding shows.
ROUNDINGS = 32.0
SENSITIVITY = 4.0

# No more than this share of a gradient is taken for roundings, in however low a precision: three
# times it still shows a factor of two. What has few digits is summed in more of them.
MOST_ROUNDED = 1 / 16

# Relative accuracy at which the numerical derivative may stop: two digits beyond an error of
# 1e-6 in one entry of 10,000, which is 1e-8 of the gradient's norm.
WANTED_ACCURACY = 1e-10

# A slope measured on plateaus differs from the one over many steps by more than this share of it.
ON_PLATEAUS = 1 / 16

# A function that is so many times what it is at the point, or one, has left the range whose
# roundings the point has: beyond a pole it may be anything.
OUT_OF_RANGE = 2.0**10

# Why a difference shows no fault, or agreement no merit.
STAIRCASE = (
    "the function moves in steps too large for rounding errors and too small to be sure: the "
    "analytic gradient fits the slope between them, and not the slope over many; check without the "
    "rounding"
)
BELOW_LAST_DIGIT = (
    "the analytic gradient is smaller than the last digit of the outputs can show; " + AWAY
)


def rounded_share(eps: float) -> float:
    """Return the share of a gradient that the roundings of a backward pass may be."""
    return min(ROUNDINGS * eps, MOST_ROUNDED)


@dataclass(eq=False)
class Measurer:
    """Measures the error of the analytic gradient for one tensor of a point, along any direction.

    Parameters
    ----------
    evaluator
        Where the numerical derivatives come from; may compute in a wider dtype than ``point``.
    point
        The analytic gradients. Its outputs are taken at the same tensors as ``evaluator`` uses.
    name
        The tensor.
    eps
        Rounding unit of the layer whose gradients are checked.
    ask
        Returns the analytic gradient for other cotangents at the same point, where that can be had.
    spread
        Returns how far roundings of an analytic gradient reach along a direction, as a share of
        it, for the gradient, the direction and its scale along it; see
        `gradcheck.checking.rounding_errors`.
    """

    evaluator: Evaluator
    point: Linearization
    name: str
    eps: float
    ask: Callable[[Outputs], Array] | None = None
    spread: Callable[[Array, Array, float], float] | None = None

    def __post_init__(self) -> None:
        self.rounded: float | None = None
        self.natural: dict[str, float] = {}
        self.smooth: set[str] = set()
        self.coarsest = max(COARSEST_RESOLUTION, 2 * rounded_share(self.eps))
        self.value = self.point.tensors[self.name]
        self.analytic = np.asarray(self.point.analytic[self.name], dtype=np.float64)
        self.scale = compact(self.evaluator.natural_scale(self.name, self.value))
        self.size = norm(self.analytic, self.scale)
        self.noise: float | None = None

    def measure(self, direction: Array, group: str = "") -> Measurement:
        """Measure the error of the analytic gradient along ``direction``.

        Outputs that stay put to the last digit may hide a derivative that the gradient has. Where
        a difference could be due to them, it is computed for the others alone.
        """
        directional = DirectionalFunction(self.evaluator, self.point, self.name, direction)
        measured = self._along(directional, self.point.cotangents, self.analytic, group)
        zero = measured.error + measured.bound <= WANTED_ACCURACY * self.size
        if not measured.agrees or not (zero or measured.resolution <= self.coarsest):
            measured = self._reconsidered(directional, measured)
        unclear = not measured.agrees and not measured.contradicts and not measured.caveat
        if not unclear or self.ask is None or not directional.moved:
            return measured
        moving = tuple(
            np.where(moved, v, 0)
            for moved, v in zip(directional.moved, self.point.cotangents, strict=True)
        )
        return self._below_last_digit(
            directional, self._along(directional, moving, self.ask(moving), group)
        )

    def allowance(self, direction: Array, size: float) -> float:
        """Return what the roundings of a gradient of this ``size`` along a direction may be."""
        unsure = np.broadcast_to(self.point.unsure.get(self.name, np.zeros(())), direction.shape)
        return rounded_share(self.eps) * size + SENSITIVITY * norm(unsure, direction)

    def _along(
        self,
        directional: DirectionalFunction,
        cotangents: Outputs,
        analytic: Array,
        group: str,
        noise: float | None = None,
    ) -> Measurement:
        direction = directional.direction
        size = norm(analytic, direction)
        derivative = directional.derivative(
            cotangents,
            analytic,
            noise=noise if noise is not None or group else self.noise,
            target=WANTED_ACCURACY * (size or self.size),
            coarse_bound=COARSEST_RESOLUTION * (size or self.size),
        )
        if self.noise is None and noise is None and not group and math.isfinite(derivative.noise):
            self.noise = derivative.noise
        error = abs(derivative.nearest(0.0))
        bound = derivative.side_bound + self.allowance(direction, size)
        return Measurement(
            derivative,
            error,
            bound,
            max(size, error),
            group,
            directional.unresolved(cotangents),
            _reacted(directional, cotangents),
        )

    def _reconsidered(self, directional: DirectionalFunction, measured: Measurement) -> Measurement:
        """Look closer at a difference, or a bound too wide: jumps, and the gradient's roundings."""
        cotangents = self.point.cotangents
        if not _reacted(directional, cotangents):
            return self._below_last_digit(directional, measured)
        found = None
        if measured.group not in self.smooth:
            found = self._plateau(directional, self.analytic, measured.error + measured.bound)
        if found is not None and found.certain:
            self.noise = None  # what was taken for noise were the steps
            size = norm(self.analytic, directional.direction)
            return replace(measured, error=0.0, bound=found.bound, scale=size)
        if found is not None and found.possible and not in_low_precision(self.point.outputs):
            return replace(measured, caveat=STAIRCASE)
        apart = measured.error > ON_PLATEAUS * measured.scale
        steps = None
        if found is None and apart:
            own = abs(project(self.analytic, directional.direction) + measured.derivative.value)
            steps = self._plateau(directional, None, own if own > measured.bound else 0.0)
        if steps is not None and steps.possible and not steps.certain:
            closer = self._along(
                directional, cotangents, self.analytic, measured.group, steps.height
            )
            return closer if closer.agrees else measured
        close = measured.error <= MOST * measured.scale
        if found is None and steps is None:
            self.smooth.add(measured.group)
        if close and measured.contradicts and self.spread is not None:
            if self.rounded is None:
                self.rounded = self.spread(self.analytic, directional.direction, measured.scale)
            measured = replace(measured, bound=measured.bound + self.rounded * measured.scale)
        return self._below_last_digit(directional, measured)

    def _plateau(
        self, directional: DirectionalFunction, analytic: Array | None, slope: float
    ) -> Plateau | None:
        """Return the plateau of the outputs along a ray, or of what they do beyond the gradient."""
        cotangents = self.point.cotangents
        pairs = zip(cotangents, self.point.outputs, strict=True)
        magnitude = math.hypot(*(norm(v, finite(y)) for v, y in pairs))
        rounding = directional.floor(cotangents, everything=True)
        eps = float(np.finfo(self.value.dtype).eps)
        return plateau(
            directional.functional(cotangents, analytic), slope, eps, rounding, magnitude
        )

    def _below_last_digit(
        self, directional: DirectionalFunction, measured: Measurement
    ) -> Measurement:
        """Explain a difference that is nothing to what rounding leaves in the gradient.

        Entries that saturate carry the rounding errors of the steep part of the function: that of
        its slope over steps of their own size. A few small entries beside large ones carry those
        of the large, as far as they share outputs with them.
        """
        if not measured.contradicts:
            return measured
        cotangents = self.point.cotangents
        if measured.group not in self.natural:  # much the same along other directions
            self.natural[measured.group] = steepest(directional, cotangents)
        natural = self.natural[measured.group]
        if measured.group:
            pairs = zip(directional.moved, cotangents, self.point.outputs, strict=True)
            shared = math.hypot(*(norm(v, np.where(m, finite(y), 0)) for m, v, y in pairs))
            natural = max(natural, min(shared, self.size))
        if measured.error <= ROUNDINGS * self.eps * natural:
            return replace(measured, caveat=BELOW_LAST_DIGIT)
        return measured


def steepest(directional: DirectionalFunction, cotangents: Outputs) -> float:
    """Return the largest slope of the projected outputs over whole steps of the ray.

    It is no larger than functions have that do not leave their range within these steps.
    """
    phi = directional.functional(cotangents)
    slopes = (abs(phi(t)) for t in (-1.0, 1.0))
    pairs = zip(cotangents, directional.point.outputs, strict=True)
    size = math.hypot(*(norm(v, 1 + np.abs(finite(y))) for v, y in pairs))
    known = [slope for slope in slopes if math.isfinite(slope)]
    return min(max(known, default=0.0), OUT_OF_RANGE * size)


def _reacted(directional: DirectionalFunction, cotangents: Outputs) -> bool:
    """Whether any output that is projected changed by a single bit along the ray."""
    pairs = zip(directional.moved, cotangents, strict=False)  # nothing where every step was outside
    return any(bool(np.any(moved & (v != 0))) for moved, v in pairs)
