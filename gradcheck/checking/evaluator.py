"""Evaluates a target at chosen points: counted, restored to the same state, never in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.numerics.blockwise import blocks, norm, project
from gradcheck.numerics.derivative import Derivative, along
from gradcheck.numerics.differences import along_step, difference
from gradcheck.numerics.directions import per_entry_scale, smooth_reach
from gradcheck.target import ForwardRun, Target

# A derivative of this many bounds is not zero, whatever a closer look would add.
GLARING = 100.0

# The bound of a slope is so many times the noise of a value by the reach: 33 times by the longest
# step, which is a 27th of the reach. The noise may be so many times what is known of it beforehand.
SLOPE_TO_NOISE = 2.0**10
SPARE = 2.0**5

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
    unit
        Distance of 1 to the next number of what the target computes in, where its outputs come in
        a wider dtype.
    """

    target: Target
    forwards: int = 0
    backwards: int = 0
    unit: float = 0.0
    _scratch: dict[str, Array] = field(default_factory=dict, repr=False)

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

    def natural_scale(self, name: str, value: Array) -> Array:
        """Return the size of step natural for every entry of a tensor, as powers of two."""
        known = self.target.scales.get(name)
        fits = known is not None and known.shape == value.shape
        return np.array(known) if fits else per_entry_scale(value)

    def scratch(self, tensors: Tensors, names: Collection[str]) -> dict[str, Array]:
        """Return arrays like these tensors to write into: the same while the same are asked for."""
        wanted = {name: (tensors[name].shape, tensors[name].dtype) for name in names}
        if wanted != {name: (array.shape, array.dtype) for name, array in self._scratch.items()}:
            self._scratch = {name: np.empty(*like) for name, like in wanted.items()}
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
    """The target along one direction of one tensor, or of several: t -> outputs at x + t d.

    Attributes
    ----------
    evaluator, point
        What is evaluated, and around which point.
    name, direction
        The tensor moved, and the direction d in which it moves.
    keep
        Whether to remember evaluations, so that other cotangents cost no forwards.
    others
        Directions in which other tensors move along with it.
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
    others: Tensors = field(default_factory=dict)
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
        step = difference(moved[self.name], self._origin)
        return self._changes(t, moved), step

    def changes(self, t: float) -> Outputs:
        """Return the change of the outputs at ``t``."""
        return self._changes(t, self._move(t)[0])

    def _changes(self, t: float, moved: Tensors) -> Outputs:
        if t in self._kept:
            return self._kept[t]
        self.farthest = max(self.farthest, abs(t))
        try:
            with np.errstate(all="ignore"):
                run = self.evaluator.run({**self.point.tensors, **moved})
                changes = tuple(map(difference, run.outputs, self.point.outputs))
        except OUTSIDE:
            changes = tuple(np.full(output.shape, np.nan) for output in self.point.outputs)
        if all(c.shape == y.shape for c, y in zip(changes, self.point.outputs, strict=True)):
            seen = [change != 0 for change in changes]
            self.moved = [a | b for a, b in zip(self.moved or seen, seen, strict=True)]
        if self.keep:
            self._kept[t] = changes
        return changes

    def _move(self, t: float, gradient: Array | None = None) -> tuple[Tensors, float]:
        """Return x + t d in the dtype of x, and <gradient, step> of the step that this really is.

        The next move writes over the arrays returned.
        """
        moves = {self.name: self.direction, **self.others}
        moved = self.evaluator.scratch(self.point.tensors, moves)
        gradients = {**self.point.analytic, self.name: gradient} if gradient is not None else {}
        linear: list[float] = []
        with np.errstate(all="ignore"):
            for name, direction in moves.items():
                given = [gradients[name]] if gradients else []
                arrays = self.point.tensors[name], direction, moved[name], *given
                for x, d, part, *rest in blocks(*arrays):
                    step = np.asarray(np.multiply(d, t, dtype=np.float64))
                    np.add(x, step, out=part, casting="unsafe")
                    linear += [along_step(g, part, x, step) for g in rest]
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
        floor = self.floor(cotangents)
        search = partial(
            along,
            cache(self.functional(cotangents, gradient)),
            scale=self._reach(max(floor, noise or 0.0), target),
            floor=floor,
            noise=noise,
            dtype=dtype,
        )
        if coarse_bound is not None:
            found = search(target=coarse_bound)
            if abs(found.value) > GLARING * found.error_bound:
                return found
        return search(target=target)

    def _reach(self, noise: float, target: float) -> float:
        """Return the length over which the target may be smooth along the direction.

        In low precision there are no digits to begin with less. For several tensors at once only a
        bound as close as the ``target`` counts, for which the noise may ask for longer steps.
        """
        if self._origin.dtype != np.float64 or self.evaluator.unit:
            return 1.0
        precise = SPARE * SLOPE_TO_NOISE * noise / target if self.others and target > 0 else 0.0
        return min(1.0, max(smooth_reach(self.direction, *self.others.values()), precise))

    def functional(
        self, cotangents: Outputs, gradient: Array | None = None
    ) -> Callable[[float], float]:
        """Return t -> <cotangents, change of the outputs>, less <gradient, step> where it is given.

        With the analytic gradient subtracted, the function is flat at 0 wherever that is right, and
        the rounding of x + t d cancels to first order. The others that move are subtracted with it.
        """

        def phi(t: float) -> float:
            moved, linear = self._move(t, gradient)
            changes = self._changes(t, moved)
            if any(change.shape != v.shape for change, v in zip(changes, cotangents, strict=True)):
                return math.nan
            with np.errstate(invalid="ignore"):  # of outputs that overflow to both sides
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
                max(float(np.finfo(output.dtype).eps), self.evaluator.unit)
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
