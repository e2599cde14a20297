"""Whether a series ends above its lowest level: the test behind most findings.

Epoch-to-epoch values of a loss are autocorrelated, and their minimum is an extreme value. Tests
made for independent values (Mann-Kendall, or "the last value exceeds the best by two standard
deviations") therefore raise false alarms on a third to a half of runs in which nothing happens.
This one compares medians of windows, and was calibrated on such runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.history.table import Floats
from diagnostics.statistics import robust

# Ratio of the largest to the smallest value from which on a logarithmic scale is fitted.
WIDE_RANGE = 20.0
# Fewer values give no median of second differences worth the name.
SHORTEST_FOR_NOISE = 8
# See `rise`: 99 % of series without a rise stay below; the measured rates are given there.
RISE_THRESHOLD = 7.0
STEADY_RISE_THRESHOLD = 5.0
POSSIBLE_RISE = 4.0
# Kendall's tau of the window medians from the lowest on, for a rise to count as steady.
STEADY_TAU = 0.8
# Fewest windows after the lowest for a rise to count as steady: tau has no meaning below.
STEADY_WINDOWS = 5
# A slope after the lowest window of so many standard errors, which allow for autocorrelation, is a
# rise too where the medians climb steadily, and by that share.
SLOPE_THRESHOLD = 6.0
CLEAR_RELATIVE_RISE = 0.1
# A rise smaller than this share of the lowest level has no consequences.
SMALLEST_RELATIVE_RISE = 0.03


@dataclass(frozen=True)
class Rise:
    """By how much a series ends above its lowest level, and where that began.

    Parameters
    ----------
    statistic
        The rise in units of the noise.
    size
        The last window median minus the lowest.
    relative
        The rise as a share of the lowest level (of its absolute value).
    steady
        Whether the window medians climb without turning back.
    lowest
        The lowest window median.
    slope
        The slope after the lowest window, in standard errors.
    """

    statistic: float
    size: float
    relative: float
    steady: bool
    lowest: float
    slope: float
    values: Floats

    @property
    def margin(self) -> float:
        """How near a rise is: the statistic by its threshold, or the relative rise by its own."""
        threshold = STEADY_RISE_THRESHOLD if self.steady else RISE_THRESHOLD
        high = min(self.statistic / threshold, self.relative / SMALLEST_RELATIVE_RISE)
        if not self.steady:
            return high
        return max(high, min(self.slope / SLOPE_THRESHOLD, self.relative / CLEAR_RELATIVE_RISE))

    @property
    def real(self) -> bool:
        """Whether this is more than noise, and large enough to matter."""
        return self.margin > 1

    @property
    def possible(self) -> bool:
        """Whether this may be more than noise: evidence enough beside other evidence only."""
        return self.statistic > POSSIBLE_RISE and self.relative > SMALLEST_RELATIVE_RISE

    @cached_property
    def onset(self) -> int:
        """Index at which the rise begins."""
        return onset(self.values)


def rise(values: Floats) -> Rise:
    """Test whether a series ends above its lowest level by more than its noise explains.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite values in order of time; at least 8 for a meaningful answer.

    Returns
    -------
    Rise
        With ``real`` as the verdict.

    Notes
    -----
    T = (last window median - lowest window median) / `lasting_noise`. A rise is real when T > 7, or
    when T > 5 and the medians climb steadily, and the relative rise is at least 3 %. Many noisy
    points may rise without leaving their noise: medians that climb steadily by 10 % are a rise as
    well when the slope from the lowest window on exceeds 6 standard errors, see `slope_in_errors`.

    Null series: an exponential decay to a plateau, with AR(1) noise of 10 % of the plateau and
    random depth and time constant. Share judged ``real`` among 1,500 series of each kind:

    ======== ======= ======= ======= ======= =======
    AR(1)    n = 8   n = 12  n = 30  n = 60  n = 120
    ======== ======= ======= ======= ======= =======
    0.0      0.0 %   0.1 %   0.0 %   0.0 %   0.0 %
    0.5      0.0 %   0.1 %   0.0 %   0.0 %   0.0 %
    0.8      0.0 %   0.4 %   1.2 %   0.3 %   0.0 %
    0.9      0.0 %   0.3 %   2.1 %   1.5 %   0.6 %
    ======== ======= ======= ======= ======= =======

    A raw Mann-Kendall test at 5 % raises 42 % to 48 % on such series at AR(1) 0.8.
    """
    points, _ = robust.condense(values, robust.TESTED_POINTS)
    medians = robust.window_medians(points) if len(points) >= 6 else points
    medians = _with_early_lowest(points, medians)
    low = int(np.argmin(medians))
    size = float(medians[-1] - medians[low])
    # a steep fall at the start of a short run is no noise
    later = points[len(points) // 3 :]
    noisy = later if len(later) >= SHORTEST_FOR_NOISE else points
    after = medians[low:]
    tail = points[len(points) - len(after) * robust.window_width(points) :]
    steady = len(after) >= STEADY_WINDOWS and robust.kendall_tau(after) >= STEADY_TAU
    return Rise(
        statistic=_ratio(size, robust.lasting_noise(noisy)),
        size=size,
        relative=_ratio(size, abs(float(medians[low]))),
        steady=steady,
        lowest=float(medians[low]),
        slope=robust.slope_in_errors(tail),
        values=values,
    )


def _with_early_lowest(points: Floats, medians: Floats) -> Floats:
    """Window medians after the lowest of the first window and before, in medians of three.

    Where learning is fastest a minimum may be shorter than a window.
    """
    start = len(points) - (len(medians) - 1) * robust.window_width(points)
    if len(points) < 6 or start < 3:
        return medians
    threes = np.lib.stride_tricks.sliding_window_view(points[:start], 3)
    early = min(float(np.median(threes, axis=1).min()), float(medians[0]))
    return np.concatenate([[early], medians[1:]])


def fall(values: Floats) -> Rise:
    """Test whether a series ends below its highest level: the `rise` of its negative."""
    return rise(-values)


def onset(values: Floats) -> int:
    """Return the index at which the final rise of a series begins.

    Notes
    -----
    From the lowest smoothed value on, the least-squares fit of a level followed by a straight
    line; the onset is where the two meet. A rise over orders of magnitude is straight on a
    logarithmic scale, and fitted there: on a linear one its last values would hide the rest.
    """
    smooth, index = robust.condense(robust.running_median(values, 5))
    if smooth.min() > 0 and smooth.max() > WIDE_RANGE * smooth.min():
        smooth = np.log(smooth)
    low = int(np.argmin(smooth))
    tail = smooth[low:]
    time = np.arange(len(tail), dtype=np.float64)
    if len(tail) < 3:
        return round(float(index[low]))
    hinge = np.maximum(time - time[:-1, None], 0)  # (candidates, rows)
    hinge -= hinge.mean(axis=1, keepdims=True)
    # Sum of squares explained by the line: <hinge, tail>^2 / <hinge, hinge>
    explained = (hinge @ (tail - tail.mean())) ** 2 / np.sum(hinge**2, axis=1)
    return round(float(index[low + int(np.argmax(explained))]))


def _ratio(numerator: float, denominator: float) -> float:
    """Quotient that is zero for zero over anything, infinite for something over zero."""
    if numerator == 0:
        return 0.0
    return numerator / denominator if denominator > 0 else np.inf * np.sign(numerator)
