"""Whether an analytic gradient at a kink is a subgradient, as the gradients around it tell.

A member of the Clarke subdifferential lies between the gradients on all sides of the point
(F. H. Clarke, "Optimization and Nonsmooth Analysis", 1983, theorem 2.5.1).
"""

from __future__ import annotations

import math

import numpy as np

from gradcheck._types import Array, Tensors
from gradcheck.checking.context import NUDGE, CheckContext
from gradcheck.checking.evaluator import OUTSIDE, DirectionalFunction, Linearization
from gradcheck.report.data import Verdict

# The gradients around are seen at a few points only, and a little beside the kink: this share of
# their spread, and of the gradient, is allowed.
BETWEEN = 0.1

MANY_KINKS = (
    "so many kinks meet at it that the gradients around do not show which are possible; "
    "check at another input"
)
OF_ALL_TENSORS = (
    "at it the gradient is between those around only where the other tensors move as well; "
    "check at another input"
)

# Sides looked at beside the first ones, where a gradient seems to be no subgradient.
MORE_SIDES = 8
SIDES_OF_ALL = 24

# Share of the way to a side where gradients that are continuous are close to the one at the point.
NEARER = 2.0**-12

# A derivative known to a tenth is finite for certain.
SURE = 0.1


class _Sides:
    """The analytic gradient of a tensor at the base point, and at points around it."""

    def __init__(self, context: CheckContext, name: str, *, others_move: bool = False) -> None:
        self.context = context
        self.name = name
        self.others = [n for n in context.native.target.tensors if n != name and others_move]
        self.cotangents = tuple(np.abs(v) for v in context.native_base.cotangents)
        self.base = context.native.target.tensors
        self.here = self._gradient(self.base)
        self.points: list[Tensors] = []
        self.around: list[Array] = []

    def _gradient(self, tensors: Tensors) -> Array:
        return self.context.gradient(tensors, self.cotangents, self.name)

    def look(self, signs: Array | float = 0.0) -> None:
        """Move the entries of the tensor as the signs say, at random where they are zero.

        So move the other parameters, by one sign; other inputs move at random.
        """
        context = self.context
        tensors: Tensors = self.base
        for other in self.others:
            one = 0.0 if context.native.target.role(other) == "input" else np.ravel(signs)[0]
            tensors = context.side(other, one, tensors)
        self.points.append(context.side(self.name, signs, tensors))
        self.around.append(self._gradient(self.points[-1]))

    def look_across(self) -> None:
        """Break ties towards the gradient at the point, and the other way."""
        preferred = np.where(self.here > np.mean(self.around, axis=0), 1.0, -1.0)
        self.look(preferred)
        self.look(-preferred)

    def look_alike(self) -> None:
        """Move every entry as where its gradient is closest to the one at the point."""
        closest = np.argmin(np.abs(np.stack(self.around) - self.here), axis=0)
        moves = np.stack([point[self.name] - self.base[self.name] for point in self.points])
        self.look(np.sign(np.take_along_axis(moves, closest[None], axis=0)[0]))

    def tend_to_here(self) -> bool:
        """Whether the gradients tend to the one at the point: there the function is smooth."""
        far = self._farthest(self.around)
        return any(
            self._farthest([self._gradient(self._nearer(p, share)) for p in self.points])
            <= math.sqrt(NEARER) * far
            for share in (NEARER, NEARER**3)
        )

    def _farthest(self, gradients: list[Array]) -> float:
        return max(float(np.max(np.abs(g - self.here), initial=0.0)) for g in gradients)

    def _nearer(self, side: Tensors, share: float) -> Tensors:
        """Return the tensors a small share of the way to a side."""
        moved = dict(self.base)
        with np.errstate(all="ignore"):
            for name in (self.name, *self.others):
                own = self.base[name]
                moved[name] = (own + share * (side[name] - own)).astype(own.dtype)
        return moved

    def beyond(self) -> Array:
        """Return which entries lie outside of those around, by more than the slack allows."""
        low, high = np.min(self.around, axis=0), np.max(self.around, axis=0)
        slack = BETWEEN * (high - low) + self._curved()
        return np.asarray(~((self.here >= low - slack) & (self.here <= high + slack)))

    def sums(self) -> tuple[float, float, float, bool]:
        """Return the sum of all entries, the least and the largest around, and if it is between."""
        sums = [float(g.sum()) for g in self.around]
        total, low, high = float(self.here.sum()), min(sums), max(sums)
        allowed = BETWEEN * (high - low) + self._curved() * np.sqrt(self.here.size)
        return total, low, high, low - allowed <= total <= high + allowed

    def exhausted(self) -> Array:
        """Return the entries whose gradients around the point are repeated, so that few are unseen.

        At a single kink an entry has two gradients, at k of them up to 2^k. Where all that were
        seen differ, nearly as many are unseen as there are (Good's estimate of the unseen share is
        the share of those seen once), and one outside of them may be a subgradient all the same.
        """
        values = np.sort(np.stack(self.around), axis=0)
        repeated = np.diff(values, axis=0) <= self._curved()
        return np.asarray(repeated.sum(axis=0) >= len(self.around) // 2)

    def _curved(self) -> float:
        """Return how far a smooth gradient may bend over so small a move."""
        return BETWEEN * NUDGE * 16 * float(np.sqrt(np.mean(np.square(self.around))))


def against_sides(context: CheckContext, name: str) -> tuple[Verdict, str]:
    """Compare the gradient at the point with those around it: the verdict, and why unless PASS."""
    sides = _Sides(context, name)
    try:
        for signs in (1.0, -1.0, 0.0, 0.0):
            sides.look(signs)
        if sides.beyond().any():  # a tie may have been broken otherwise every time
            sides.look_across()
        if sides.tend_to_here():
            return Verdict.PASS, ""
        wrong = beyond = sides.beyond()
        if wrong.any():  # whether they are all the gradients there are, more sides show
            for _ in range(MORE_SIDES):
                sides.look()
            beyond = sides.beyond()
            wrong = beyond & sides.exhausted()
        sides.look_alike()
    except OUTSIDE:
        return Verdict.PASS, ""
    reason = _no_subgradient(sides, wrong)
    if reason:
        if _is_subgradient_of_all(context, name):
            return Verdict.UNDECIDED, OF_ALL_TENSORS
        return Verdict.FAIL, reason
    return (Verdict.UNDECIDED, MANY_KINKS) if beyond.any() else (Verdict.PASS, "")


def _no_subgradient(sides: _Sides, wrong: Array) -> str:
    """Say what shows that the gradient is no subgradient, empty where nothing does."""
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        low, high = np.min(sides.around, axis=0)[index], np.max(sides.around, axis=0)[index]
        return (
            f"at it {int(wrong.sum())} of {wrong.size} entries are no subgradient: at {index} the "
            f"analytic gradient is {sides.here[index]:.4g}, those around are {low:.4g} to "
            f"{high:.4g}"
        )
    total, low, high, between = sides.sums()
    if between:
        return ""
    return (
        f"at it the entries add up to {total:.4g}, around it to {low:.4g} to {high:.4g}: a tie "
        "is counted more than once, or not at all"
    )


def _is_subgradient_of_all(context: CheckContext, name: str) -> bool:
    """Whether the gradient lies between those around where all tensors move.

    Of many units that have their kinks at one point, each may be given a valid slope, and the
    gradient be none by the input alone: it is one by the parameters too, which part the kinks.
    """
    sides = _Sides(context, name, others_move=True)
    try:
        for signs in (1.0, -1.0, *[0.0] * SIDES_OF_ALL):
            sides.look(signs)
        sides.look_across()
        return sides.tend_to_here() or bool(not sides.beyond().any() and sides.sums()[-1])
    except OUTSIDE:
        return False


def diverges(context: CheckContext, point: Linearization, name: str) -> bool:
    """Whether the derivative by the first entry that is not finite in the gradient is not either.

    A square root at zero rightly has an infinite gradient; a norm there has a kink, and none.
    """
    analytic, value = point.analytic[name], point.tensors[name]
    if analytic.shape != value.shape:
        return False
    direction = np.zeros(value.shape)
    direction[tuple(np.argwhere(~np.isfinite(analytic))[0])] = 1.0
    along = DirectionalFunction(context.wide, point, name, direction)
    found = along.derivative(point.cotangents)
    return found.kink is None and not found.error_bound <= SURE * max(abs(found.value), 1.0)
