"""Evaluates a target at chosen points: counted, restored to the same state, never in place."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property, partial

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.numerics.blockwise import blocks, norm, project
from gradcheck.numerics.derivative import Derivative, along
from gradcheck.target import ForwardRun, Target

# A derivative of this many bounds is not zero, whatever a closer look would add.
GLARING = 100.0

# Entries that move per kink that is reckoned with, and the shortest reach that is started with:
# rounding noise there still leaves ten digits.
ENTRIES_PER_KINK = 64
SHORTEST_REACH = 2.0**-9

# What a forward may raise at a point outside its domain, where it is taken to be NaN.
OUTSIDE = (ValueError, ArithmeticError, AssertionError)

# Outputs whose magnitudes span more than this are looked at for the components that a direction
# moves: the rounding noise of the others is then no noise of the derivative.
WIDE_RANGE = 1e6


@dataclass
class Evaluator:
    """A target with its calls counted.

    Attributes
    ----------
    target
        What is probed.
    forwards, backwards
        Calls made so far.
    """

    target: Target
    forwards: int = 0
    backwards: int = 0
    _scratch: Array = field(default_factory=lambda: np.empty(0), repr=False)

    def run(self, tensors: Tensors) -> ForwardRun:
        """Run the forward from the remembered state."""
        self.target.state.restore()
        return self.run_on(tensors)

    def run_on(self, tensors: Tensors) -> ForwardRun:
        """Run the forward from whatever state the last call left behind."""
        self.forwards += 1
        with np.errstate(all="ignore"):
            return self.target.call(tensors)

    def pull(self, run: ForwardRun, cotangents: Outputs, *, last: bool = False) -> dict[str, Array]:
        """Run the backward that belongs to ``run`` on copies of the cotangents.

        The gradients are copies, unless this is the ``last`` backward while they are in use.
        """
        self.backwards += 1
        with np.errstate(all="ignore"):
            gradients = run.pullback(tuple(cotangent.copy() for cotangent in cotangents))
        return {
            name: np.asarray(gradient) if last else np.array(gradient)
            for name, gradient in gradients.items()
        }

    def scratch(self, like: Array) -> Array:
        """Return an array like ``like`` to write into: the same one every time, to spare memory."""
        if (self._scratch.shape, self._scratch.dtype) != (like.shape, like.dtype):
            self._scratch = np.empty(like.shape, like.dtype)
        return self._scratch


@dataclass(frozen=True)
class Linearization:
    """A point, the outputs there, and the analytic gradients for a cotangent.

    Attributes
    ----------
    tensors, outputs
        In the dtype of the numerical derivative, which may be wider than the layer's own.
    cotangents
        One per output.
    analytic
        The analytic gradients of the layer in its own dtype, by tensor, as they were returned.
    unsure
        Their rounding errors, entry by entry, as seen when the cotangent is perturbed by one
        rounding.
    """

    tensors: Tensors
    outputs: Outputs
    cotangents: Outputs
    analytic: dict[str, Array]
    unsure: dict[str, Array]


@dataclass
class DirectionalFunction:
    """The target along one direction of one tensor: t -> outputs at x + t d.

    Attributes
    ----------
    evaluator, point
        What is evaluated, and around which point.
    name, direction
        The tensor moved, and the direction d in which it moves.
    keep
        Whether to remember evaluations, so that other cotangents cost no forwards.
    farthest
        Largest |t| evaluated so far.
    moved
        Which entries of the outputs have changed at all so far.
    """

    evaluator: Evaluator
    point: Linearization
    name: str
    direction: Array
    keep: bool = False
    farthest: float = 0.0
    moved: list[Array] = field(default_factory=list)
    _kept: dict[float, Outputs] = field(default_factory=dict)

    @property
    def _origin(self) -> Array:
        return self.point.tensors[self.name]

    def at(self, t: float) -> tuple[Outputs, Array]:
        """Return the change of the outputs at ``t``, and the step that was really taken.

        The step differs from t d by the rounding of x + t d in the tensor's own dtype.
        """
        moved, _ = self._move(t)
        step = _difference(moved, self._origin)
        return self._changes(t, moved), step

    def changes(self, t: float) -> Outputs:
        """Return the change of the outputs at ``t``."""
        return self._changes(t, self._move(t)[0])

    def _changes(self, t: float, moved: Array) -> Outputs:
        if t in self._kept:
            return self._kept[t]
        self.farthest = max(self.farthest, abs(t))
        try:
            with np.errstate(all="ignore"):
                run = self.evaluator.run({**self.point.tensors, self.name: moved})
                changes = tuple(map(_difference, run.outputs, self.point.outputs))
        except OUTSIDE:
            changes = tuple(np.full(output.shape, np.nan) for output in self.point.outputs)
        if all(c.shape == y.shape for c, y in zip(changes, self.point.outputs, strict=True)):
            seen = [change != 0 for change in changes]
            self.moved = [a | b for a, b in zip(self.moved or seen, seen, strict=True)]
        if self.keep:
            self._kept[t] = changes
        return changes

    def _move(self, t: float, gradient: Array | None = None) -> tuple[Array, float]:
        """Return x + t d in the dtype of x, and <gradient, step> of the step that this really is.

        The next move writes over the array returned.
        """
        origin = self._origin
        moved = self.evaluator.scratch(origin)
        given = () if gradient is None else (gradient,)
        linear: list[float] = []
        with np.errstate(all="ignore"):
            for x, d, part, *rest in blocks(origin, self.direction, moved, *given):
                part[...] = x + np.multiply(d, t, dtype=np.float64)
                linear += [float(np.sum(g * _difference(part, x))) for g in rest]
        return moved, math.fsum(linear)

    def derivative(
        self,
        cotangents: Outputs,
        gradient: Array | None = None,
        *,
        noise: float | None = None,
        target: float = 0.0,
        coarse_bound: float | None = None,
    ) -> Derivative:
        """Return the derivative of `functional` at t = 0, within a bound that holds.

        Parameters
        ----------
        cotangents, gradient
            As for `functional`.
        noise
            Noise of one evaluation, where it is known from an earlier derivative.
        target
            Bound at which the search for a better one may stop.
        coarse_bound
            A wider bound that is enough where the derivative is glaringly unlike zero.
        """
        dtype = self._origin.dtype
        search = partial(
            along,
            cache(self.functional(cotangents, gradient)),
            scale=self._reach,
            floor=self.floor(cotangents),
            noise=noise,
            dtype=dtype,
        )
        if coarse_bound is not None:
            found = search(target=coarse_bound)
            if abs(found.value) > GLARING * found.error_bound:
                return found
        return search(target=target)

    @cached_property
    def _reach(self) -> float:
        """Return the length over which the target may be smooth along the direction.

        Of n entries that move at once, each may carry a kink: the nearest is about 1/n away. In
        float64 there are digits enough to start there; in low precision there are not.
        """
        if self._origin.dtype != np.float64:
            return 1.0
        moving = max(1, int(np.count_nonzero(self.direction)) // ENTRIES_PER_KINK)
        return max(SHORTEST_REACH, 2.0 ** -round(math.log2(moving)))

    def functional(
        self, cotangents: Outputs, gradient: Array | None = None
    ) -> Callable[[float], float]:
        """Return t -> <cotangents, change of the outputs>, less <gradient, step> where it is given.

        With the analytic gradient subtracted, the function is flat at 0 wherever that is right, and
        the rounding of x + t d cancels to first order.
        """

        def phi(t: float) -> float:
            moved, linear = self._move(t, gradient)
            changes = self._changes(t, moved)
            if any(change.shape != v.shape for change, v in zip(changes, cotangents, strict=True)):
                return math.nan
            return math.fsum(map(project, cotangents, changes)) - linear

        return phi

    def unresolved(self, cotangents: Outputs) -> float:
        """Return how large a derivative may hide below the last digit of outputs that stay put."""
        return self.floor(cotangents, everything=True) / (self.farthest or 1.0)

    def floor(self, cotangents: Outputs, *, everything: bool = False) -> float:
        """Return the rounding of the outputs in their own dtype, as it reaches `functional`.

        Outputs that the direction does not move at all count only if ``everything`` does.
        """
        return math.hypot(
            *(
                float(np.finfo(output.dtype).eps)
                * norm(cotangent, finite(output) if everything else self._noisy(position, output))
                for position, (cotangent, output) in enumerate(
                    zip(cotangents, self.point.outputs, strict=True)
                )
                if output.dtype.kind == "f"
            )
        )

    def _noisy(self, position: int, output: Array) -> Array:
        known = finite(output)
        sizes = np.abs(known[known != 0])
        if sizes.size == 0 or float(sizes.max()) <= WIDE_RANGE * float(sizes.min()):
            return known
        moved = self.changes(2.0**-6)[position] != 0
        return np.where(moved, known, 0) if moved.any() else known


def finite(output: Array) -> Array:
    """Return ``output`` with zeros for what is NaN or infinite."""
    return np.where(np.isfinite(output), output, 0)


def _difference(now: Array, before: Array) -> Array:
    """Return now - before in float64, zero where both are the same infinity or NaN."""
    if now.shape != before.shape:
        return now
    if np.result_type(now, before).itemsize < 8 or now.dtype.kind != "f":
        now, before = now.astype(np.float64), before.astype(np.float64)
    difference = now - before
    if math.isfinite(float(difference.sum())):
        return difference
    same = ~np.isfinite(before) & ((now == before) | (np.isnan(now) & np.isnan(before)))
    return np.where(same, 0.0, difference)
