"""What a hypothesis may ask: the analytic gradient, and numerical ones along any direction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.checking.context import CheckContext
from gradcheck.checking.evaluator import DirectionalFunction, Evaluator, Linearization
from gradcheck.checking.jacobian.claimed import ClaimedJacobian
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.formulas.losses import Losses
from gradcheck.numerics.blockwise import norm
from gradcheck.numerics.directions import varied

# Directions along which every hypothesis is tested. With a factor fitted, one of them is spent:
# a wrong hypothesis has to agree by chance on all the others.
DIRECTIONS = 4

# Accuracy at which a prediction tells one bug from another, relative to the gradient.
ACCURACY = 1e-8

# What strangers' code may raise for tensors and cotangents that it never met.
UNASKED = (ValueError, ArithmeticError, IndexError)

# Steps of a sketch, and the relative error it is trusted to at best.
SKETCH_STEPS = (2.0**-14, 2.0**-12)
SKETCH_ERROR = 1e-2


@dataclass(frozen=True)
class Bounded:
    """A number known within a bound."""

    value: float
    bound: float


@dataclass
class Observation:
    """The analytic gradient of one tensor, and the means to test what produced it.

    Attributes
    ----------
    evaluator, point, name
        The layer, the point with its gradients, and the tensor.
    eps
        Rounding unit of the layer.
    rng
        Source of the directions.
    batch
        Number of samples, 0 where there is no batch.
    losses
        Losses of the outputs that the gradient may descend, where the outputs are predictions.
    alone
        The same evidence with every sample predicted alone.
    backward
        Returns the layer's gradient at other tensors for other cotangents.
    takes_cotangent
        Whether its backward takes any cotangent, and is not that of a loss.
    own
        Dtypes of the layer's own tensors.
    matrix
        Returns the Jacobian that the gradient is made of, None where it is made of none.
    constants
        Returns the arrays beside the tensors that the output depends on, by name.
    """

    evaluator: Evaluator
    point: Linearization
    name: str
    eps: float
    rng: np.random.Generator
    batch: int = 0
    losses: Losses | None = None
    alone: Observation | None = None
    backward: Callable[[Tensors, Outputs], Array] | None = None
    takes_cotangent: bool = False
    own: dict[str, np.dtype[Any]] = field(default_factory=dict)
    matrix: Callable[[], ClaimedJacobian | None] = lambda: None
    constants: Callable[[], Tensors] = dict
    directions: list[Array] = field(default_factory=list)
    _rays: dict[bytes, DirectionalFunction] = field(default_factory=dict)
    _memo: dict[tuple[bytes, bytes], Bounded] = field(default_factory=dict)

    @classmethod
    def of(cls, context: CheckContext, point: Linearization, name: str) -> Observation:
        """Gather the evidence of a check."""
        target = context.native.target
        return cls(
            context.wide,
            point,
            name,
            context.eps,
            context.rng,
            target.batch,
            backward=partial(context.gradient, name=name),
            takes_cotangent=not target.unit_cotangent,
            own={tensor: value.dtype for tensor, value in target.tensors.items()},
            matrix=partial(ClaimedJacobian.of, context, point, name),
            constants=lambda: {u.name: u.value for u in context.uncovered if u.value is not None},
        )

    def __post_init__(self) -> None:
        value = self.value
        self.analytic: Array = self.point.analytic[self.name].astype(np.float64)
        self.scale = self.evaluator.natural_scale(self.name, value)
        if not self.directions:
            self.directions = [varied(self.rng, self.scale, value) for _ in range(DIRECTIONS)]

    @property
    def value(self) -> Array:
        """The tensor."""
        return self.point.tensors[self.name]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.value.shape

    def rounding(self, unit: float) -> Array:
        """Return a bound on the rounding of each entry of the gradient, ``unit`` of its size."""
        typical = norm(self.analytic, self.scale) / math.sqrt(self.analytic.size)
        unsure = np.broadcast_to(self.point.unsure[self.name], self.shape)
        sizes = np.maximum(np.abs(self.analytic), typical / self.scale)
        return np.asarray(unit * sizes + 4 * unsure)

    def ask(self, cotangents: Outputs, moved: Tensors | None = None) -> Array | None:
        """Return the analytic gradient for other cotangents, at the point or with tensors replaced.

        None where the backward takes no cotangent, or not this one.
        """
        if self.backward is None or not self.takes_cotangent:
            return None
        try:
            return self.backward(self._native({**self.point.tensors, **(moved or {})}), cotangents)
        except UNASKED:
            return None

    @cached_property
    def fewer(self) -> Observation | None:
        """The evidence of the same tensor with the last sample left out, None where it has to stay.

        Leaving it out may break what strangers' code holds on to, such as labels: then nothing is
        known of fewer samples.
        """
        target = self.evaluator.target
        if self.backward is None or self.batch < 2 or not target.batch_tensors:
            return None
        tensors = dict(self.point.tensors)
        for name in target.batch_tensors:
            tensors[name] = tensors[name][:-1]
        try:
            outputs = self.evaluator.run(tensors).outputs
            cotangents = tuple(
                v[tuple(slice(n) for n in y.shape)]
                for v, y in zip(self.point.cotangents, outputs, strict=True)
            )
            analytic = self.backward(self._native(tensors), cotangents)
        except UNASKED:
            return None
        point = Linearization(
            tensors, outputs, cotangents, {self.name: analytic}, {self.name: np.zeros(())}
        )
        return Observation(self.evaluator, point, self.name, self.eps, self.rng, self.batch - 1)

    def _native(self, tensors: Tensors) -> Tensors:
        """Return the tensors in the layer's own dtypes."""
        return {
            name: value.astype(self.own.get(name, value.dtype)) for name, value in tensors.items()
        }

    def analytic_along(self, direction: Array) -> Bounded:
        """Return <analytic gradient, direction> with the rounding it carries."""
        size = norm(self.analytic, direction)
        unsure = np.broadcast_to(self.point.unsure[self.name], direction.shape)
        value = float(np.sum(self.analytic * direction))
        return Bounded(value, ROUNDINGS * self.eps * size + 4 * norm(unsure, direction))

    def numerical(self, direction: Array, cotangents: Outputs | None = None) -> Bounded:
        """Return the derivative of <cotangents, outputs> along ``direction``, measured.

        Parameters
        ----------
        direction
            Shaped like the tensor.
        cotangents
            Those of the gradient where None. Others cost no further forwards at the same steps.
        """
        chosen = self.point.cotangents if cotangents is None else cotangents
        key = direction.tobytes(), b"".join(v.tobytes() for v in chosen)
        if key not in self._memo:
            derivative = self._ray(direction).derivative(
                chosen, target=ACCURACY * norm(self.analytic, direction)
            )
            bound = derivative.error_bound if math.isfinite(derivative.value) else math.inf
            self._memo[key] = Bounded(derivative.value, bound)
        return self._memo[key]

    def sketch(self, direction: Array, cotangents: Outputs | None = None) -> Bounded:
        """Return a cheap estimate of `numerical`, good for refusing what is far from fitting.

        Two central differences at fixed steps, four forwards for a direction whatever the number
        of cotangents; their gap, widened, stands for the error.
        """
        chosen = self.point.cotangents if cotangents is None else cotangents
        directional = self._ray(direction)
        phi = directional.functional(chosen)
        fine, coarse = ((phi(t) - phi(-t)) / (2 * t) for t in SKETCH_STEPS)
        noise = ROUNDINGS * directional.floor(chosen) / SKETCH_STEPS[0]
        return Bounded(fine, 2 * abs(fine - coarse) + SKETCH_ERROR * abs(fine) + noise)

    @cached_property
    def contrast(self) -> Array | None:
        """A direction along which the analytic gradient vanishes, as all of its multiples do.

        None where it vanishes along others, too, so that this tells nothing.
        """
        one, other = self.directions[:2]
        along, beside = self.analytic_along(one).value, self.analytic_along(other).value
        size = max(abs(along), abs(beside))
        return None if size == 0 else one * (beside / size) - other * (along / size)

    def glimpse(self, direction: Array, cotangents: Outputs | None = None) -> Bounded:
        """Return a still cheaper estimate of `numerical` than `sketch`: it tells zero from others.

        One-sided differences take half of the forwards.
        """
        chosen = self.point.cotangents if cotangents is None else cotangents
        directional = self._ray(direction)
        phi = directional.functional(chosen)
        fine, coarse = (phi(t) / t for t in SKETCH_STEPS)
        noise = 2 * ROUNDINGS * directional.floor(chosen) / SKETCH_STEPS[0]
        return Bounded(fine, 2 * abs(fine - coarse) + noise)

    def _ray(self, direction: Array) -> DirectionalFunction:
        key = direction.tobytes()
        if key not in self._rays:
            self._rays[key] = DirectionalFunction(
                self.evaluator, self.point, self.name, direction, keep=True
            )
        return self._rays[key]
