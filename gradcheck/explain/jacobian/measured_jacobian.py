"""A small tensor seen whole: claim, numerical gradient and Jacobian, entry by entry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.checking.evaluator import DirectionalFunction, norm
from gradcheck.checking.measurement import ROUNDINGS
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.observation import Observation

# So many entries are measured at most, six forwards each; of a larger tensor, some at random.
MOST_ENTRIES = 128
MOST_OUTPUTS = 2048
MOST_NUMBERS = 1 << 21

# Claims are heard output by output up to this many outputs.
MOST_CLAIMS = 128

# An entry is known where its bound is this share of a typical gradient entry at most, and nothing
# is concluded from a tensor of which less than this share is known.
SHARP = 1e-4
ENOUGH_KNOWN = 0.75


@dataclass(frozen=True)
class MeasuredJacobian:
    """The claim on a small tensor beside its numerical gradient.

    Attributes
    ----------
    observation
        Where it comes from.
    jacobian, error
        Numerical derivatives of every output by every entry, (outputs, entries), with bounds;
        NaN in the columns of entries that were not measured.
    """

    observation: Observation
    jacobian: Array
    error: Array

    @classmethod
    def of(cls, observation: Observation) -> MeasuredJacobian | None:
        """Measure the Jacobian; None where the tensor is large or the numbers are blurred."""
        size, outputs = observation.claim.size, sum(y.size for y in observation.point.outputs)
        if size == 0 or outputs > MOST_OUTPUTS or size * outputs > MOST_NUMBERS:
            return None
        measured = cls(observation, *_jacobian(observation))
        wanted = ENOUGH_KNOWN * min(size, MOST_ENTRIES)
        return measured if measured.known.sum() >= wanted else None

    @property
    def claim(self) -> Array:
        """The claimed gradient."""
        return self.observation.claim

    @property
    def name(self) -> str:
        """The tensor's name."""
        return self.observation.name

    @cached_property
    def value(self) -> Array:
        """The tensor itself, in float64."""
        return self.observation.point.tensors[self.name].astype(np.float64)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.claim.shape

    @cached_property
    def output(self) -> Array:
        """The first output, which is the only one of most layers, in float64."""
        return self.observation.point.outputs[0].astype(np.float64)

    @cached_property
    def cotangent(self) -> Array:
        """The cotangent of the first output, in float64."""
        return np.asarray(self.cotangents[0], dtype=np.float64)

    @property
    def single(self) -> bool:
        """Whether there is one output."""
        return len(self.observation.point.outputs) == 1

    @property
    def keeps_shape(self) -> bool:
        """Whether there is one output, shaped like the tensor."""
        return self.single and self.output.shape == self.shape

    @property
    def scalar_loss(self) -> bool:
        """Whether the backward takes no cotangent."""
        return self.observation.listen is None

    @property
    def cotangents(self) -> Outputs:
        """Cotangents of the claim."""
        return self.observation.point.cotangents

    @cached_property
    def contributions(self) -> Array:
        """Share of every output in the gradient of every entry, (outputs, entries)."""
        return np.asarray(_flat(self.cotangents)[:, None] * self.jacobian)

    @cached_property
    def gradient(self) -> Array:
        """The numerical gradient."""
        return self.pull(self.cotangents)

    @cached_property
    def bound(self) -> Array:
        """Bound on claim minus gradient where the claim is right: both sides' errors."""
        typical = norm(self.claim, self.observation.scale) / np.sqrt(self.claim.size)
        sizes = np.maximum(np.abs(self.claim), typical / self.observation.scale)
        unsure = np.broadcast_to(self.observation.point.unsure[self.observation.name], self.shape)
        rounding = ROUNDINGS * self.observation.eps * sizes + 4 * unsure
        return np.asarray(MARGIN * (rounding + self.blur(self.cotangents)))

    @cached_property
    def known(self) -> Array:
        """Entries whose numbers are sharp enough to tell one bug from another."""
        largest = np.maximum(np.abs(self.claim), np.abs(self.gradient)) * self.observation.scale
        typical = float(np.sqrt(np.nanmean(largest**2)))
        blunt = max(SHARP, 4 * MARGIN * ROUNDINGS * self.observation.eps)
        return np.asarray(self.bound * self.observation.scale <= blunt * typical)

    @cached_property
    def excess(self) -> Array:
        """Claim minus numerical gradient, zero where they agree within the bounds."""
        difference = self.claim - self.gradient
        return np.asarray(np.where(~(np.abs(difference) > self.bound), 0.0, difference))

    @cached_property
    def wrong(self) -> Array:
        """Entries whose claim is known to be wrong."""
        return np.asarray((self.excess != 0) & self.known)

    @property
    def local(self) -> bool:
        """Whether every output depends on the entry at its own position alone."""
        if not self.keeps_shape or np.isnan(self.jacobian).any():
            return False
        others = ~np.eye(self.claim.size, dtype=bool)
        return not np.any((np.abs(self.jacobian) > MARGIN * self.error) & others)

    def pull(self, cotangents: Outputs) -> Array:
        """Return the numerical gradient for other cotangents."""
        return (_flat(cotangents) @ self.jacobian).reshape(self.shape)

    def blur(self, cotangents: Outputs) -> Array:
        """Return the bound on what `pull` returns."""
        return (np.abs(_flat(cotangents)) @ self.error).reshape(self.shape)

    @cached_property
    def claims(self) -> Array | None:
        """Claimed Jacobian, a row for every output; None where the backward takes no cotangent."""
        sizes = [v.size for v in self.cotangents]
        if self.scalar_loss or sum(sizes) > MOST_CLAIMS or np.isnan(self.jacobian).any():
            return None
        rows = []
        for position in np.flatnonzero(np.ones(sum(sizes))):
            unit = np.zeros(sum(sizes))
            unit[position] = 1.0
            parts = np.split(unit, np.cumsum(sizes)[:-1])
            shaped = tuple(p.reshape(v.shape) for p, v in zip(parts, self.cotangents, strict=True))
            claim = self.observation.ask(shaped)
            if claim is None:
                return None
            rows.append(claim.reshape(-1))
        claims = np.array(rows)
        return claims if np.isfinite(claims).all() else None

    @cached_property
    def claims_bound(self) -> Array:
        """Bound on a right claimed Jacobian's difference from the numerical one."""
        sizes = np.abs(self.jacobian)
        row = np.sqrt(np.mean(sizes**2, axis=1, keepdims=True))
        bound: Array = MARGIN * (
            self.error + ROUNDINGS * self.observation.eps * np.maximum(sizes, row)
        )
        return bound

    def along(self, cotangent: Array) -> Array:
        """Return `pull` for another cotangent of the first output."""
        return self.pull((cotangent, *self.cotangents[1:]))


def _flat(arrays: Outputs) -> Array:
    return np.concatenate([np.asarray(a, dtype=np.float64).reshape(-1) for a in arrays])


def _jacobian(observation: Observation) -> tuple[Array, Array]:
    """Measure all columns by central differences at three steps, twice extrapolated."""
    size = observation.claim.size
    chosen = np.arange(size)
    if size > MOST_ENTRIES:
        chosen = np.sort(observation.rng.choice(size, MOST_ENTRIES, replace=False))
    columns = [_column(observation, np.unravel_index(i, observation.shape)) for i in chosen]
    jacobian, error = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    bad = ~np.isfinite(jacobian + error)
    jacobian = np.where(bad, 0.0, jacobian)
    error = np.where(bad, _infinite_where_seen(observation), error)
    if size == len(chosen):
        return jacobian, error
    whole = np.full((2, len(jacobian), size), np.nan)
    whole[0][:, chosen], whole[1][:, chosen] = jacobian, error
    return whole[0], whole[1]


def _infinite_where_seen(observation: Observation) -> Array:
    """An output that is not finite is no obstacle where its cotangent is zero."""
    return np.where(_flat(observation.point.cotangents) != 0, np.inf, 0.0)[:, None]


def _column(observation: Observation, index: tuple[Any, ...]) -> tuple[Array, Array]:
    point = observation.point
    direction = np.zeros(observation.shape)
    direction[index] = observation.scale[index]
    directional = DirectionalFunction(
        observation.evaluator, point.tensors, point.outputs, observation.name, direction
    )
    eps = float(np.finfo(point.tensors[observation.name].dtype).eps)
    # fourth-order truncation h**4 meets the noise eps / h
    largest = 2.0 ** (round(np.log2(eps) / 5) + 1)
    slopes = [_slope(directional, index, largest / 2**k) for k in range(3)]
    # Richardson: (4 D(h/2) - D(h)) / 3 is free of the error in h**2
    coarse, fine = ((4 * b - a) / 3 for a, b in pairwise(slopes))
    noise = np.concatenate(
        [
            np.abs(y.astype(np.float64)).reshape(-1)
            * (float(np.finfo(y.dtype).eps) if y.dtype.kind == "f" else 0.0)
            for y in point.outputs
        ]
    ) / (largest / 4 * observation.scale[index])
    return fine, np.abs(fine - coarse) + 2 * noise


def _slope(directional: DirectionalFunction, index: tuple[Any, ...], t: float) -> Array:
    (above, up), (below, down) = directional.at(t), directional.at(-t)
    with np.errstate(all="ignore"):
        slope: Array = (_flat(above) - _flat(below)) / (up[index] - down[index])
    if slope.size != sum(y.size for y in directional.outputs):
        return np.full(sum(y.size for y in directional.outputs), np.nan)
    return slope
