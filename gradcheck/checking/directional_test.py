"""Analytic gradient against numerical derivative: the verdict on one tensor.

Along a direction d the analytic gradient g gives <g, d>, and the function d/dt <v, f(x + t d)>
within a bound.
A verdict compares the difference with that bound and with nothing else: agreement within the
bound passes, disagreement far beyond it, confirmed along a second direction, fails, and a bound too
wide to have shown a grave error decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.evaluator import DirectionalFunction
from gradcheck.checking.measurer import (
    BELOW_LAST_DIGIT,
    COARSEST_RESOLUTION,
    ROUNDINGS,
    Measurer,
    steepest,
)
from gradcheck.checking.signal import reaction, reaction_to_others
from gradcheck.checking.tensor_verdict import Measurement, TensorVerdict, ratio
from gradcheck.numerics.blockwise import blocks, norm
from gradcheck.numerics.directions import own_scale, rademacher, varied
from gradcheck.report.data import Verdict

# Contributions that spread over more than this are also tested by groups of like size.
SPREAD = 1e6
MOST_GROUPS = 3

# Of n numbers spread like a normal distribution, 0.8 n s / rms are smaller than s by chance. So
# many, with a margin for other distributions, have no scale of their own but their neighbours'.
CHANCE = 4.0

# A gradient this much smaller than the secant slopes of the function over the tensor's own scale
# vanishes for all that floating-point numbers can tell.
VANISHING = 1e-6

# So many directions have to contradict a gradient that fails, and so many further ones are asked
# where fewer do.
CONFIRMING = 2
FURTHER_DIRECTIONS = 3

# Among so few entries the errors of two cancel in one direction of 2**n by their signs alone.
FEW = 64


def groups_of_like_size(analytic: Array, scale: Array, size: float) -> dict[str, Array]:
    """Return a mask for each group by its label; nothing where all entries are of like size.

    Along a direction that moves all entries, an error in small ones drowns in the bound of the
    large ones. Each group is therefore tested by itself as well, on its own scale.

    Parameters
    ----------
    analytic, scale
        The gradient, and the steps natural for the entries: their product is what counts.
    size
        The norm of the product.
    """

    def parts() -> Iterator[Array]:
        for g, s in blocks(analytic, scale):
            part = np.asarray(g * s)
            yield np.abs(part, out=part)

    extremes = [(float(part.min()), float(part.max())) for part in parts()]
    smallest, largest = min(low for low, _ in extremes), max(high for _, high in extremes)
    if largest == 0:
        return {}
    by_chance = CHANCE * math.sqrt(analytic.size) / size
    upper = largest / SPREAD
    if smallest >= upper:
        return {}
    below = sum(int(np.count_nonzero(part < upper)) for part in parts()) / analytic.size
    if smallest > 0 and below <= by_chance * upper:
        return {}
    sizes = np.abs(analytic) * scale
    groups: dict[str, Array] = {}
    while len(groups) < MOST_GROUPS:
        members = (sizes > 0) & (sizes < upper)
        if np.mean(members) <= by_chance * upper:
            break
        upper = float(sizes[members].max())
        within = members & (sizes > upper / SPREAD)
        groups[f"entries near {upper:.0e} of their scale"] = within
        upper = upper / SPREAD
    if smallest == 0:
        groups["entries that should be zero"] = sizes == 0
    return groups


class DirectionalTest:
    """Tests one tensor of a point.

    Parameters
    ----------
    measurer
        Measures the error of its analytic gradient along directions.
    rng
        Source of the directions.
    """

    def __init__(self, measurer: Measurer, rng: np.random.Generator) -> None:
        self.measurer = measurer
        self.rng = rng
        self.value = measurer.value
        self.analytic = measurer.analytic
        self.scale = measurer.scale

    def run(self, directions: int = 2, known: Sequence[Measurement] = ()) -> TensorVerdict:
        """Return the verdict at this point alone, from ``directions`` directions at least.

        Some of them may be ``known`` already.
        """
        measured = [
            *known,
            *(self.measurer.measure(self.direction(n)) for n in range(len(known), directions)),
        ]
        groups = groups_of_like_size(self.analytic, self.scale, self.measurer.size)
        measured += [self._of_group(label, members) for label, members in groups.items()]
        disagreeing = [m for m in measured if not m.agrees and math.isfinite(m.bound)]
        if disagreeing:
            first = disagreeing[0]
            return self._confirm(first, groups.get(first.group, np.array(True)), measured)
        return self._passed(measured)

    def direction(self, turn: int) -> Array:
        """Draw the direction of a turn."""
        return self._direction(self._scale_of(turn))

    def _scale_of(self, turn: int) -> Array:
        """Return steps that move entries as their neighbours, and as their own size, in turn.

        Where all are zero they have none of their own.
        """
        if turn % 2 == 0 or not self.value.any():
            return self.scale
        return own_scale(self.value, self.scale, 1e-3)

    def _direction(self, scale: Array) -> Array:
        """Draw a direction; of few entries with sizes that differ, so that no errors cancel."""
        draw = varied if scale.size <= FEW else rademacher
        return draw(self.rng, scale, self.value)

    def _of_group(self, label: str, members: Array) -> Measurement:
        return self.measurer.measure(self._direction(np.where(members, self.scale, 0)), label)

    def _confirm(
        self, first: Measurement, members: Array, measured: list[Measurement]
    ) -> TensorVerdict:
        """Ask further directions until two contradict, before saying FAIL."""
        every = list(measured)
        alike = [m for m in measured if m.group == first.group]
        for _ in range(FURTHER_DIRECTIONS):
            if sum(m.contradicts for m in alike) >= CONFIRMING:
                break
            alike.append(self._of_group(first.group, members))
            every.append(alike[-1])
        contradictions = [m for m in alike if m.contradicts]
        if len(contradictions) >= CONFIRMING:
            worst = max(contradictions, key=lambda m: ratio(m.error, m.scale))
            where = f" ({worst.group})" if worst.group else ""
            return TensorVerdict(
                Verdict.FAIL,
                f"off by {ratio(worst.error, worst.scale):.2g} of the gradient{where}, "
                f"{worst.error / worst.bound:.2g} times the error bound, "
                f"in {len(contradictions)} of {len(alike)} directions",
                every,
            )
        return self._passed(every)

    def _passed(self, measured: list[Measurement]) -> TensorVerdict:
        """Return PASS where the bounds are tight enough to have earned it."""
        if not any(m.reacted for m in measured):
            return self._unmoved(measured)
        notes = []
        decisive = measured
        coarsest = self.measurer.coarsest
        vanishing = [m for m in measured if not m.resolution <= coarsest]
        if vanishing:
            secant = self._secant_slope()
            share = max(VANISHING, min(2 * ROUNDINGS * self.measurer.eps, COARSEST_RESOLUTION))
            if all(m.error + m.bound + self._reach(m) <= share * secant for m in vanishing):
                notes.append(
                    "part of the gradient vanishes here: below "
                    f"{max(m.error + m.bound for m in vanishing) / secant:.1g} of the function's "
                    "own slope over the tensor's scale"
                )
                decisive = [
                    replace(m, scale=secant) if m.resolution > coarsest else m for m in measured
                ]
        outcome = TensorVerdict(Verdict.PASS, "", decisive, notes)
        if any(m.derivative.kink is not None for m in measured):
            outcome.notes.append(
                "kink at the point: the analytic gradient is a valid subgradient along it"
            )
        if not 0 < outcome.resolution <= coarsest:  # NaN decides nothing either
            outcome.verdict = Verdict.UNDECIDED
            outcome.reason = self._why_undecided(outcome)
        return outcome

    def _unmoved(self, measured: list[Measurement]) -> TensorVerdict:
        """Test a tensor that moves no output by a single bit: the analytic gradient must be zero.

        That the output does not depend on the tensor here is seen only where it is seen to depend
        on something: on the tensor itself farther away, as where it saturates, or on another one.
        """
        of = self.measurer
        signal, note = reaction(of.evaluator, of.point, of.name, self.rng)
        reason = note
        if signal == 0:
            signal = reaction_to_others(of.evaluator, of.point, of.name, self.rng)
            note = "the output does not depend on it here"
        if signal == 0:
            return TensorVerdict(Verdict.UNDECIDED, reason)
        least = of.eps * signal
        decisive = [
            replace(m, bound=max(m.bound, m.unresolved, least), scale=signal) for m in measured
        ]
        outcome = TensorVerdict(Verdict.PASS, "", decisive, [f"the gradient is zero: {note}"])
        if not outcome.resolution <= COARSEST_RESOLUTION:
            return TensorVerdict(Verdict.UNDECIDED, BELOW_LAST_DIGIT, decisive)
        return outcome

    def _reach(self, measurement: Measurement) -> float:
        """Return how large the analytic derivative along a measured direction may be."""
        return measurement.scale if measurement.group else self.measurer.size

    def _secant_slope(self) -> float:
        """Return the largest slope of the function over steps of the tensor's own size."""
        of, point = self.measurer, self.measurer.point
        directional = DirectionalFunction(of.evaluator, point, of.name, self._direction(self.scale))
        pairs = zip(point.cotangents, point.outputs, strict=True)
        sizes = (norm(v, np.nan_to_num(y)) for v, y in pairs)
        known = (size for size in sizes if math.isfinite(size))
        return max(steepest(directional, point.cotangents), 0.0, *known)

    def _why_undecided(self, outcome: TensorVerdict) -> str:
        worst = max(outcome.measurements, key=lambda m: m.resolution)
        if worst.caveat:
            return worst.caveat
        if not math.isfinite(worst.bound):
            return "the function is not finite or not smooth on either side of the point"
        noise = worst.derivative.noise
        return (
            f"an error below {worst.resolution:.1g} of the gradient would not be seen "
            f"(noise of the forward {noise:.1g})"
        )
