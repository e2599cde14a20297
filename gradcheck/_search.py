"""Where to sample: the walk over windows of steps that ends in a slope with its error bound."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gradcheck._ladder import LEAP, RATIO, Fit, Samples

# Rungs to go down at once, at most.
LONGEST_LEAP = 12

# The tail of structure falls at least with the span of the window; that of noise does not. Halfway
# (in the exponent) is the border. Tails of smooth functions fall with far more than third power.
NOISE_POWER = 0.25
SMOOTH_POWER = 3.0

# Rungs between windows that are to show a trend, and the ratio of successive changes of the slope
# over them up to which it is converging.
FAR = 12
CONVERGING = 0.9

# Two noises may differ this much by chance: root mean squares of four samples do once in 1000.
SAME_LEVEL = 8.0

# Noise of up to this many roundings is taken for what long computations make of rounding, if it is
# small beside the function.
LONG_COMPUTATION = 2.0**10
SMALL = 2.0**-12

# A jump of more than this share of the function is none of rounding, not even in half precision:
# whether the slope of a staircase or of its treads is meant, nobody knows.
COARSE = 2.0**-9

# Relative error bound beyond which longer steps are not worth their evaluations.
PRECISE = 2.0**-40

# Structure finer than this share of a window in which it looks like noise may be meant as noise.
FINE = 2.0**-20


@dataclass(frozen=True)
class Slope:
    """The answer of a search: slope with bound, and the noise of one sample."""

    value: float
    bound: float
    noise: float
    settled: bool

    def including(self, other: Fit) -> Slope:
        """Widen the bound to cover another interval besides."""
        return replace(self, bound=max(self.bound, abs(other.slope - self.value) + other.bound))


class Search:
    """Finds the window that gives the best slope, on both sides of the origin or on one.

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
    """

    def __init__(self, samples: Samples, side: int, closest: float, target: float) -> None:
        self.samples = samples
        self.side = side
        self.lowest = samples.rung(closest)
        self.target = target
        self.fits: list[Fit] = []
        self.noisy = False
        self.alternative: Fit | None = None
        self.tread, self.height = math.inf, 0.0

    def run(self) -> Slope | None:
        """Return the slope; None where the function is not finite."""
        found = self._descend()
        while found is not None:
            noise = self._noise_behind(found)
            if noise <= self.samples.floor:
                return self._answer()
            self._raise_floor(noise)
            self.fits.clear()
            found = self._descend()
        return None

    def _raise_floor(self, noise: float) -> None:
        self.samples.floor = noise
        self.noisy = True

    def _good_enough(self, found: Fit) -> bool:
        return found.resolved or found.bound <= self.target

    def _window(self, rung: int) -> Fit | None:
        found = self.samples.window(rung, self.side, self.target)
        if found is not None:
            self.fits.append(found)
        return found

    def _descend(self) -> Fit | None:
        """Shrink the window until it is resolved, or shrinking no longer helps."""
        rung, last = 0, None
        while rung <= self.lowest:
            found = self._window(rung)
            if found is None:
                rung += LEAP
                continue
            if self._good_enough(found):
                return found
            if last is not None and not _falls(last, found, SMOOTH_POWER):
                return found
            last = found
            # the tail falls with the power `order` of the span, and is to fall to the floor
            excess = math.log(found.tail / found.floor) if found.floor else math.inf
            rungs = excess / found.order / -math.log(RATIO)
            rung += max(1, math.ceil(min(rungs, LONGEST_LEAP)))
        return last

    def _noise_behind(self, found: Fit) -> float:
        """Return the noise that explains an unresolved tail, 0 where it is structure."""
        if found.flat and (jump := self._jump()):
            return jump
        if self._good_enough(found):
            return 0.0
        coarser = self.fits[-2] if len(self.fits) > 1 else found
        noise = found.tail
        if self._modest(noise, found.floor):
            return noise
        rung = self._near(found)
        near = self._window(rung)
        while self.noisy and near and not near.resolved and (closer := self._near(near)) > rung:
            rung, near = closer, self._window(closer)
        if near is None:
            return 0.0
        if near.flat and (jump := self._jump()):
            return jump
        if not near.resolved:
            if near.level >= found.level / SAME_LEVEL:
                return max(noise, near.tail)
            beside = self._window(rung - FAR)
            if beside is not None and not _falls(beside, near, NOISE_POWER):
                return max(beside.tail, near.tail)
        levelled = not _falls(coarser, found, NOISE_POWER)
        if levelled and near.span < FINE * found.span and noise < COARSE * self.samples.magnitude():
            self.alternative = found
        return 0.0

    def _modest(self, noise: float, floor: float) -> bool:
        """Whether a long computation may make that much of rounding."""
        likely = SAME_LEVEL if self.noisy else LONG_COMPUTATION
        return noise <= min(likely * floor, SMALL * self.samples.magnitude())

    def _near(self, found: Fit) -> int:
        """Return the lowest rung at which the slope stands out from the rounding."""
        steepest = abs(found.slope) + found.bound
        margin = 4.0 if self.noisy else self.samples.eps**-0.2
        visible = margin * found.floor / steepest
        return min(self.lowest, self.samples.rung(visible)) if visible else self.lowest

    def _jump(self) -> float:
        """Return the height of the jump that ends the flat stretch, if it is more than rounding."""
        self.tread, height = self.samples.tread(self.side)
        if height <= 4 * max(fit.floor for fit in self.fits):
            return 0.0
        self.height = height
        return height

    def _answer(self) -> Slope:
        near = min(self.fits, key=lambda fit: fit.span)
        trusted = [fit for fit in self.fits if self._good_enough(fit) and fit.agrees(near)]
        if not trusted:
            return Slope(near.slope, 2 * near.bound + self._drift(near), near.noise, False)
        best = self._widen(min(trusted, key=lambda fit: fit.bound))
        slope = Slope(best.slope, best.bound, best.noise, True)
        if self.alternative:
            slope = slope.including(self.alternative)
        if self.height and best.flat:
            return replace(slope, bound=min(slope.bound, 2 * self.height / self.tread))
        if self.height > COARSE * self.samples.magnitude():
            return replace(slope, bound=max(slope.bound, abs(slope.value)))
        return slope

    def _drift(self, near: Fit) -> float:
        """Return how far the slope may still move from ``near`` inwards, if geometrically."""
        rung = self.samples.rung(near.span)
        wider = [self._window(rung - FAR), self._window(rung - 2 * FAR)]
        if wider[0] is None or wider[1] is None:
            return math.inf
        last = abs(wider[0].slope - near.slope)
        if near.agrees(wider[0]):
            return 4 * last
        ratio = last / abs(wider[1].slope - wider[0].slope)
        return 2 * last * ratio / (1 - ratio) if ratio < CONVERGING else math.inf

    def _widen(self, best: Fit) -> Fit:
        """Longer steps drown less in the noise: take the longest that the function allows."""
        if self._good_bound(best):
            return best
        upper = min((fit.span for fit in self.fits if fit.span > best.span), default=math.inf)
        for _ in range(6):
            span = self._worthwhile(best)
            if upper < math.inf:
                span = min(span, math.sqrt(best.span * upper))
            if span == math.inf or span < 4 * best.span:
                break
            wider = self._window(self.samples.rung(span))
            if wider and not wider.resolved and self._modest(wider.tail, best.floor):
                # shorter steps had too few units in the last place to show the noise
                self._raise_floor(wider.tail)
                best, wider = (self._window(self.samples.rung(fit.span)) for fit in (best, wider))
            if wider is None or not wider.resolved or not wider.agrees(best):
                upper = span
            elif wider.bound < best.bound:
                best = wider
            else:
                break
        return best

    def _good_bound(self, fit: Fit) -> bool:
        return fit.bound <= max(self.target, PRECISE * abs(fit.slope))

    def _worthwhile(self, fit: Fit) -> float:
        """Return the span at which the tail of a function that bends there meets the noise."""
        rise = abs(fit.slope) * fit.bends_at
        if fit.noise >= rise:
            return math.inf
        return 2 * fit.bends_at * (fit.noise / rise) ** (1 / 9)


def _falls(wide: Fit, narrow: Fit, power: float) -> bool:
    """Whether the tail falls faster than this power of the span."""
    return narrow.tail <= wide.tail * (narrow.span / wide.span) ** power
