"""What a hypothesis may ask: the claim, and numerical derivatives along any direction."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from gradcheck.compare import ROUNDINGS, WANTED_ACCURACY
from gradcheck.losses import Losses
from gradcheck.point import Lab, Point
from gradcheck.probe import Probe, Ray, norm, per_entry_scale, varied
from gradcheck.target import Array, Outputs

# Directions along which every hypothesis is tested. With a factor fitted, one of them is spent:
# a wrong hypothesis has to agree by chance on all the others.
DIRECTIONS = 4


@dataclass(frozen=True)
class Bounded:
    """A number known within a bound."""

    value: float
    bound: float


@dataclass
class Evidence:
    """The claimed gradient of one tensor, and the means to test what produced it.

    Attributes
    ----------
    probe, point, name
        The layer, the point with its claims, and the tensor.
    eps
        Rounding unit of the layer.
    rng
        Source of the directions.
    batch
        Number of samples, 0 where there is no batch.
    losses
        Losses of the outputs that the claim may descend, where the outputs are predictions.
    alone
        The same evidence with every sample predicted alone.
    """

    probe: Probe
    point: Point
    name: str
    eps: float
    rng: np.random.Generator
    batch: int = 0
    losses: Losses | None = None
    alone: Evidence | None = None
    directions: list[Array] = field(default_factory=list)
    _rays: dict[bytes, Ray] = field(default_factory=dict)
    _memo: dict[tuple[bytes, bytes], Bounded] = field(default_factory=dict)
    _noise: float | None = None

    @classmethod
    def of(cls, lab: Lab, point: Point, name: str) -> Evidence:
        """Gather the evidence of a check."""
        return cls(lab.wide, point, name, lab.eps, lab.rng, lab.native.target.batch)

    def __post_init__(self) -> None:
        value = self.point.tensors[self.name]
        self.claim: Array = self.point.claimed[self.name].astype(np.float64)
        self.scale = per_entry_scale(value)
        if self.directions:
            return
        self.directions = [varied(self.rng, self.scale, value) for _ in range(DIRECTIONS)]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.point.tensors[self.name].shape

    def claimed(self, direction: Array) -> Bounded:
        """Return <claim, direction> with the rounding it carries."""
        size = norm(self.claim, direction)
        unsure = np.broadcast_to(self.point.unsure[self.name], direction.shape)
        value = float(np.sum(self.claim * direction))
        return Bounded(value, ROUNDINGS * self.eps * size + 4 * norm(unsure, direction))

    def numerical(self, direction: Array, cotangents: Outputs | None = None) -> Bounded:
        """Return the derivative of <cotangents, outputs> along ``direction``, measured.

        Parameters
        ----------
        direction
            Shaped like the tensor.
        cotangents
            Those of the claim where None. Others cost no further forwards at the same steps.
        """
        chosen = self.point.cotangents if cotangents is None else cotangents
        key = direction.tobytes()
        memo = key, b"".join(v.tobytes() for v in chosen)
        if memo not in self._memo:
            if key not in self._rays:
                self._rays[key] = Ray(
                    self.probe, self.point.tensors, self.point.outputs, self.name, direction, True
                )
            size = norm(self.claim, direction)
            derivative = self._rays[key].derivative(
                chosen, noise=None, target=WANTED_ACCURACY * size
            )
            bound = derivative.error_bound if math.isfinite(derivative.value) else math.inf
            self._memo[memo] = Bounded(derivative.value, bound)
        return self._memo[memo]
