"""The step size: windows of samples are shrunk or widened until the derivative is tightly bound.

Windows shrink until one is resolved. Where that does not help, a window as close to the origin as
rounding allows tells whether what stands in the way is noise or structure (kinks, oscillations,
jumps): noise is as large there, structure is not. From the answer windows grow as long as that
lessens the influence of the noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gradcheck.numerics.jumps import jump_beyond
from gradcheck.numerics.polynomial_fit import Fit
from gradcheck.numerics.samples import LEAP, RATIO, Samples, first_step

# Rungs to go down at once, at most.
LONGEST_LEAP = 12

# The tail of structure falls at least with the root of the span, or the slope would be infinite;
# that of noise does not fall. Halfway (in the exponent) between the two is the border. Tails of
# smooth functions fall with more than the third power.
NOISE_POWER = 0.25
SMOOTH_POWER = 3.0

# Rungs between windows that are to show a trend; the relative change of the slope over them that
# is one, not noise, and the ratio of successive changes up to which the slope converges.
FAR = 12
MOVING = 2.0**-5
CONVERGING = 0.9

# Two noises may differ this much by chance: root mean squares of four samples do once in 1000.
SAME_LEVEL = 8.0

# Noise of up to this many roundings is taken for what long computations make of rounding, if it is
# small beside the function.
LONG_COMPUTATION = 2.0**10
SMALL = 2.0**-12

# A jump of more than this share of the function is none of rounding, not even in half precision:
# whether the slope of a staircase or of its plateaus is meant, nobody knows.
COARSE = 2.0**-9

# Structure finer than this share of a window in which it looks like noise may be meant as noise.
FINE = 2.0**-20

# Relative error bound beyond which longer steps are not worth their evaluations.
PRECISE = 2.0**-40
MOST_ATTEMPTS = 6


@dataclass(frozen=True)
class DerivativeEstimate:
    """The answer of a search: derivative with bound, the noise of one sample, and the window used.

    ``span`` is the longest step of that window; ``settled`` tells whether it was resolved, or its
    bound good enough.
    """

    value: float
    bound: float
    noise: float
    span: float
    settled: bool


class StepSizeSearch:
    """Finds the window that gives the best derivative, on both sides of the origin or on one.

    Parameters
    ----------
    samples
        The function.
    side
        0 for both, 1 and -1 for one side of the origin.
    closest
        Span of the smallest window worth looking at.
    target
        Bound that is good enough.
    order
        Which derivative is wanted: 1 or 2.
    """

    def __init__(
        self, samples: Samples, side: int, closest: float, target: float, order: int = 1
    ) -> None:
        self.samples = samples
        self.side = side
        self.closest = closest
        self.target = target
        self.order = order
        self.fits: list[Fit] = []
        self.noisy = False
        self.alternative: Fit | None = None
        self.plateau, self.jump = math.inf, 0.0

    def run(self) -> DerivativeEstimate | None:
        """Return the slope; None where the function is not finite."""
        while (found := self._descend()) is not None:
            noise = self._noise_behind(found)
            if noise <= self.samples.floor:
                return self._answer()
            self._raise_floor(noise)
            self.fits.clear()
        return None

    def _window(self, level: int) -> Fit | None:
        found = self.samples.window(level, self.side, self.target, self.order)
        if found is not None:
            self.fits.append(found)
        return found

    def _good(self, found: Fit) -> bool:
        return found.resolved or found.bound <= self.target

    def _raise_floor(self, noise: float) -> None:
        """Take this noise as known, and as growing with the function beyond the samples so far."""
        self.samples.floor = noise
        self.samples.eps = max(self.samples.eps, noise / self.samples.magnitude())
        self.noisy = True

    def _descend(self) -> Fit | None:
        """Shrink the window until it is resolved, or shrinking no longer helps."""
        level, last = 0, None
        while self.samples.span(level) >= self.closest:
            found = self._window(level)
            if found is None:
                level += LEAP
                continue
            if self._good(found) or (last and not last.falls(found, SMOOTH_POWER)):
                return found
            last = found
            # the tail falls with the power `order` of the span, and is to fall to the floor
            excess = math.log(found.tail / found.floor) if found.floor else math.inf
            levels = excess / found.degree / -math.log(RATIO)
            level += max(1, math.ceil(min(levels, LONGEST_LEAP)))
        return last

    def _noise_behind(self, found: Fit) -> float:
        """Return the noise that explains an unresolved window, 0 where it is structure."""
        if found.flat and (jump := self._jump_beyond()):
            return jump
        if self._good(found):
            return 0.0
        if self._modest(found.tail, found.floor):
            return found.tail
        levelled = len(self.fits) > 1 and not self.fits[-2].falls(found, NOISE_POWER)
        near = self._close_look(found)
        if near is None:
            return 0.0
        if near.flat and (jump := self._jump_beyond()):
            return jump
        level = self.samples.level(near.span)
        if not near.resolved and not self.samples.jumps(level, self.side):
            if near.level >= found.level / SAME_LEVEL:
                return max(found.tail, near.tail)
            beside = self._window(level - FAR)
            if beside is not None and not beside.falls(near, NOISE_POWER):
                return max(beside.tail, near.tail)
        faint = found.tail < COARSE * self.samples.magnitude()
        if levelled and faint and near.span < FINE * found.span:
            self.alternative = found
        return 0.0

    def _modest(self, noise: float, floor: float) -> bool:
        """Whether a long computation may make that much of rounding."""
        likely = SAME_LEVEL if self.noisy else LONG_COMPUTATION
        return noise <= min(likely * floor, SMALL * self.samples.magnitude())

    def _close_look(self, found: Fit) -> Fit | None:
        """Return the window nearest to the origin in which the slope still shows."""
        level = self._near(found)
        near = self._window(level)
        while near and not near.resolved and self._near(near) > level:
            # from afar a sharp bend looks flat: there is nearer to look, unless at noise
            bends = self.order == 2 and near.level < found.level / SAME_LEVEL
            if not (self.noisy or bends):
                break
            level = self._near(near)
            near = self._window(level)
        return near

    def _near(self, found: Fit) -> int:
        """Return the level at which a derivative as large as ``found`` allows stands out."""
        margin = 4.0 if self.noisy else self.samples.eps**-0.2
        visible = margin * found.floor / (abs(found.value) + found.bound)
        if self.order == 2:  # a kink of f' leaves so much less in the tail than one of f
            visible = math.sqrt(2 * margin * visible)
        return self.samples.level(max(visible, self.closest))

    def _jump_beyond(self) -> float:
        """Return the height of the jump that ends the flat stretch, if it is above the noise."""
        plateau, jump = self.samples.plateau(self.side)
        if jump <= 4 * max(fit.floor for fit in self.fits):
            return 0.0
        self.plateau, self.jump = plateau, jump
        return jump

    def _answer(self) -> DerivativeEstimate:
        near = min(self.fits, key=lambda fit: fit.span)
        trusted = [fit for fit in self.fits if self._good(fit) and fit.agrees(near)]
        if not trusted:
            bound = 2 * near.bound + self._drift(near)
            return DerivativeEstimate(near.value, bound, near.noise, near.span, False)
        best = self._widen(min(trusted, key=lambda fit: fit.bound))
        answer = DerivativeEstimate(best.value, best.bound, trusted[-1].noise, best.span, True)
        if self.jump and best.flat:
            return replace(answer, bound=min(best.bound, self._steepest(self.jump, self.plateau)))
        if self.jump > COARSE * self.samples.magnitude():
            return replace(answer, bound=max(best.bound, abs(best.value)))
        bound = max(best.bound, self._trend_across_jumps(best))
        if self.alternative is not None:
            bound = max(bound, self._reach(best, self.alternative))
        return replace(answer, bound=bound)

    def _trend_across_jumps(self, best: Fit) -> float:
        """Return how far off the slope may be that was meant, where jumps end the stretch at 0.

        So does the value of a computation that stops at a tolerance, or takes steps as it sees fit.
        """
        if not any(fit.span > best.span and not fit.resolved for fit in self.fits):
            return 0.0
        length, jump = jump_beyond(self.samples, best, self.side, LONG_COMPUTATION * best.floor)
        if not 0 < jump <= COARSE * self.samples.magnitude():
            return 0.0
        steepest = self._steepest(jump, length)
        as_noise = replace(self.samples, floor=jump)
        as_noise.known = self.samples.known
        trend = StepSizeSearch(as_noise, self.side, self.closest, 0.0, self.order).run()
        return steepest if trend is None else min(steepest, self._reach(best, trend))

    def _steepest(self, jump: float, length: float) -> float:
        """Return the largest derivative that a staircase may have whose steps are so long.

        Of slope g, steps are jump / |g| long; where it turns with curvature g, at least the root.
        """
        steepest = 2 * self.order * jump / length
        return steepest if self.order == 1 else steepest / length

    def _reach(self, best: Fit, other: Fit | DerivativeEstimate) -> float:
        """Return the distance from the best window to the far end of another reading."""
        return abs(other.value - best.value) + other.bound

    def _drift(self, near: Fit) -> float:
        """Return how far the slope may still move from ``near`` to the origin."""
        level = self.samples.level(near.span)
        wide, wider = self._window(level - FAR), self._window(level - 2 * FAR)
        if wide is None or wider is None:
            return math.inf
        change, before = abs(near.value - wide.value), abs(wide.value - wider.value)
        if change < MOVING * abs(near.value) and near.agrees(wide):
            return 4 * change
        if change >= CONVERGING * before:
            return math.inf
        ratio = change / before
        return 2 * change * max(ratio / (1 - ratio), 2)  # twice the rest of a geometric series

    def _widen(self, best: Fit) -> Fit:
        """Longer steps drown less in the noise: take the longest that the function allows."""
        upper = min((fit.span for fit in self.fits if fit.span > best.span), default=math.inf)
        for _ in range(MOST_ATTEMPTS):
            span = min(self._worthwhile(best), math.sqrt(best.span) * math.sqrt(upper))
            precise = best.bound <= max(self.target, PRECISE * abs(best.value))
            if precise or span < 4 * best.span or span == math.inf:
                break
            level = self.samples.level(span)
            wider = self._window(level)
            if wider and not wider.resolved and self._modest(wider.tail, best.floor):
                # shorter steps span too few units in the last place to show the noise
                self._raise_floor(wider.tail)
                best = self._window(self.samples.level(best.span)) or best
                wider = self._window(level)
            if wider is None or not wider.resolved or not wider.agrees(best):
                upper = span
            elif wider.bound < best.bound:
                best = wider
            else:
                break
        return best

    def _worthwhile(self, fit: Fit) -> float:
        """Return the span at which the tail of a function that bends there meets the noise."""
        rise = abs(fit.value) * fit.bends_at
        if self.order == 2:
            rise *= fit.bends_at / 2
        if fit.noise >= rise:
            return math.inf
        return first_step(fit.bends_at, fit.noise / rise)
