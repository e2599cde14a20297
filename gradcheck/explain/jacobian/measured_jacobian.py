"""A small tensor seen whole: its gradients and Jacobian, entry by entry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.checking.jacobian.columns import columns_at_once, flat
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.observation import Observation

# So many entries are measured at most, six forwards each; of a larger tensor, some at random.
MOST_ENTRIES = 128
MOST_OUTPUTS = 2048
MOST_NUMBERS = 1 << 21

# What backward returns is heard output by output up to this many outputs.
MOST_ANALYTIC = 128

# An entry is known where its bound is this share of a typical gradient entry at most, and nothing
# is concluded from a tensor of which less than this share is known.
SHARP = 1e-4
ENOUGH_KNOWN = 0.75


@dataclass(frozen=True)
class MeasuredJacobian:
    """The analytic gradient of a small tensor beside its numerical one.

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
        size, outputs = observation.analytic.size, sum(y.size for y in observation.point.outputs)
        if size == 0 or outputs > MOST_OUTPUTS or size * outputs > MOST_NUMBERS:
            return None
        measured = cls(observation, *_jacobian(observation))
        wanted = ENOUGH_KNOWN * min(size, MOST_ENTRIES)
        return measured if measured.known.sum() >= wanted else None

    @property
    def analytic(self) -> Array:
        """The analytic gradient."""
        return self.observation.analytic

    @property
    def name(self) -> str:
        """The tensor's name."""
        return self.observation.name

    @cached_property
    def value(self) -> Array:
        """The tensor itself, in float64."""
        return self.observation.value.astype(np.float64)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.observation.shape

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
    def cotangents(self) -> Outputs:
        """Cotangents of the analytic gradient."""
        return self.observation.point.cotangents

    @cached_property
    def contributions(self) -> Array:
        """Share of every output in the gradient of every entry, (outputs, entries)."""
        return np.asarray(flat(self.cotangents)[:, None] * self.jacobian)

    @cached_property
    def gradient(self) -> Array:
        """The numerical gradient."""
        return self.along(self.cotangent)

    @cached_property
    def bound(self) -> Array:
        """Bound on analytic minus numerical gradient where it is right: both sides' errors."""
        blur = (np.abs(flat(self.cotangents)) @ self.error).reshape(self.shape)
        rounding = self.observation.rounding(ROUNDINGS * self.observation.eps)
        return np.asarray(MARGIN * (rounding + blur))

    @cached_property
    def known(self) -> Array:
        """Entries whose numbers are sharp enough to tell one bug from another."""
        largest = np.maximum(np.abs(self.analytic), np.abs(self.gradient)) * self.observation.scale
        typical = float(np.sqrt(np.nanmean(largest**2)))
        blunt = max(SHARP, 4 * MARGIN * ROUNDINGS * self.observation.eps)
        return np.asarray(self.bound * self.observation.scale <= blunt * typical)

    @cached_property
    def excess(self) -> Array:
        """Analytic minus numerical gradient, zero where they agree within the bounds."""
        difference = self.analytic - self.gradient
        return np.asarray(np.where(~(np.abs(difference) > self.bound), 0.0, difference))

    @cached_property
    def wrong(self) -> Array:
        """Entries whose analytic gradient is known to be wrong."""
        return np.asarray((self.excess != 0) & self.known)

    @property
    def local(self) -> bool:
        """Whether every output depends on the entry at its own position alone."""
        if not self.keeps_shape or np.isnan(self.jacobian).any():
            return False
        others = ~np.eye(self.analytic.size, dtype=bool)
        return not np.any((np.abs(self.jacobian) > MARGIN * self.error) & others)

    @cached_property
    def analytic_jacobian(self) -> Array | None:
        """What backward makes of each output alone, by rows; None where it takes no cotangent."""
        sizes = [v.size for v in self.cotangents]
        if (
            not self.observation.takes_cotangent
            or sum(sizes) > MOST_ANALYTIC
            or np.isnan(self.jacobian).any()
        ):
            return None
        rows = []
        for unit in np.eye(sum(sizes)):
            parts = np.split(unit, np.cumsum(sizes)[:-1])
            shaped = tuple(p.reshape(v.shape) for p, v in zip(parts, self.cotangents, strict=True))
            row = self.observation.ask(shaped)
            if row is None or not np.isfinite(row).all():
                return None
            rows.append(row.reshape(-1))
        return np.array(rows)

    @cached_property
    def jacobian_bound(self) -> Array:
        """Bound on a right analytic Jacobian's difference from the numerical one."""
        sizes = np.abs(self.jacobian)
        row = np.sqrt(np.mean(sizes**2, axis=1, keepdims=True))
        rounding = ROUNDINGS * self.observation.eps * np.maximum(sizes, row)
        return np.asarray(MARGIN * (self.error + rounding))

    def along(self, cotangent: Array) -> Array:
        """Return the numerical gradient for another cotangent of the first output."""
        return (flat((cotangent, *self.cotangents[1:])) @ self.jacobian).reshape(self.shape)


def _jacobian(observation: Observation) -> tuple[Array, Array]:
    """Measure all columns, or some of many."""
    size, cotangent = observation.analytic.size, flat(observation.point.cotangents)
    chosen = np.arange(size)
    if size > MOST_ENTRIES:
        chosen = np.sort(observation.rng.choice(size, MOST_ENTRIES, replace=False))
    at = observation.evaluator, observation.point, observation.name, observation.scale
    columns = [columns_at_once(*at, np.array([i]), int(i)) for i in chosen]
    measured = np.stack(columns, axis=-1)  # (slope and error, outputs, entries chosen)
    # an output that is not finite is no obstacle where its cotangent is zero
    unknown = np.stack([np.zeros_like(cotangent), np.where(cotangent != 0, np.inf, 0.0)])[..., None]
    whole = np.full((2, cotangent.size, size), np.nan)
    whole[..., chosen] = np.where(np.isfinite(measured.sum(axis=0)), measured, unknown)
    return whole[0], whole[1]
