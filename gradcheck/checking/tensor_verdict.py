"""What was measured along directions, and the verdict made of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from gradcheck.numerics.derivative import Derivative
from gradcheck.report.data import Verdict

# A difference of this many bounds is taken for an error of the gradient; between one and this many,
# more directions are tried. The bound already holds by itself: this is the margin of safety.
MARGIN = 3.0


@dataclass(frozen=True)
class Measurement:
    """One direction: the error of the gradient along it, and what limits the knowledge of it.

    ``bound`` covers the outputs that the direction moves. What others may do below their last digit
    is ``unresolved``: it explains a difference, and is no obstacle to agreement. ``reacted`` tells
    whether any output changed by a single bit along the direction, ``caveat`` why a difference
    shows nothing.
    """

    derivative: Derivative
    error: float
    bound: float
    scale: float
    group: str
    unresolved: float = 0.0
    reacted: bool = True
    caveat: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the gradient is consistent with the numerical derivative (NaN is not)."""
        return self.error <= self.bound

    @property
    def contradicts(self) -> bool:
        """Whether the difference is beyond the bound by the margin."""
        return not self.caveat and self.error > MARGIN * (self.bound + self.unresolved)

    @property
    def resolution(self) -> float:
        """The smallest error, relative to the gradient, that this direction could have shown."""
        seen = self.bound if self.agrees else self.error + self.bound + self.unresolved
        return seen / self.scale if self.scale > 0 else (math.inf if seen > 0 else 0.0)


@dataclass
class TensorVerdict:
    """The verdict on one tensor with the measurements behind it."""

    verdict: Verdict
    reason: str = ""
    measurements: list[Measurement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def relative_error(self) -> float:
        """Largest error over the directions, relative to the gradient's scale."""
        return self._largest(ratio(m.error, m.scale) for m in self.measurements)

    @property
    def error_bound(self) -> float:
        """Largest bound over the directions, relative to the gradient's scale."""
        return self._largest(ratio(m.bound, m.scale) for m in self.measurements)

    @property
    def resolution(self) -> float:
        """The smallest relative error that all of the directions together could have missed."""
        resolutions = [m.resolution for m in self.measurements]
        return math.inf if any(map(math.isnan, resolutions)) else max(resolutions, default=math.inf)

    @staticmethod
    def _largest(ratios: Iterable[float]) -> float:
        """Return the largest of the ratios that are known."""
        return max((ratio for ratio in ratios if math.isfinite(ratio)), default=0.0)


def ratio(part: float, whole: float) -> float:
    """Return part / whole, with nothing of nothing being zero."""
    if part == 0:
        return 0.0
    return part / whole if whole > 0 else math.inf
