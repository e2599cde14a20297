"""Trends in short, noisy, autocorrelated series, judged against the noise of the series itself.

Epoch-to-epoch values of a loss are autocorrelated, and their minimum is an extreme value. Tests
made for independent values (Mann-Kendall, or "the last value exceeds the best by two standard
deviations") therefore raise false alarms on a third to a half of runs in which nothing happens.
The tests here compare medians of windows and were calibrated on such runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from diagnostics.table import Floats

# 1 / Phi^-1(3/4): makes the median absolute deviation estimate a standard deviation.
MAD_TO_SIGMA = 1.4826
# Var(y[t] - 2 y[t+1] + y[t+2]) = (1 + 4 + 1) sigma^2 for independent values.
SECOND_DIFFERENCE_GAIN = np.sqrt(6.0)
# Series are condensed to this many block medians where a method is not linear in time.
POINTS = 400
# Fewer values give no median of second differences worth the name.
SHORTEST_FOR_NOISE = 8
# Longer series are condensed to this length before a test, which averages noise away.
TESTED_POINTS = 120
# See `rise`: 99 % of series without a rise stay below; the measured rates are given there.
RISE_THRESHOLD = 9.0
STEADY_RISE_THRESHOLD = 6.0
POSSIBLE_RISE = 4.0
# Kendall's tau of the window medians from the lowest on, for a rise to count as steady.
STEADY_TAU = 0.8
# Fewest windows after the lowest for a rise to count as steady: tau has no meaning below.
STEADY_WINDOWS = 5
# A rise smaller than this share of the lowest level has no consequences.
SMALLEST_RELATIVE_RISE = 0.03


def noise(values: Floats) -> float:
    """Return the standard deviation of the noise, shape (n,) to a scalar, whatever the trend.

    Notes
    -----
    1.4826 MAD of the second differences, divided by sqrt(6): smooth trends vanish in second
    differences, outliers in the median (after Gasser, Sroka and Jennen-Steinmetz 1986,
    Biometrika 73, 625). Positive autocorrelation makes it too small, by 2.6 at AR(1) 0.8.
    """
    if len(values) < 3:
        return 0.0
    second = np.diff(values, 2)
    deviation = np.median(np.abs(second - np.median(second)))
    return float(MAD_TO_SIGMA * deviation / SECOND_DIFFERENCE_GAIN)


def condense(values: Floats, points: int = POINTS) -> tuple[Floats, Floats]:
    """Return at most ``points`` block medians and the middle index of each block."""
    block = -(-len(values) // points)
    if block <= 1:
        return values, np.arange(len(values), dtype=np.float64)
    whole = len(values) // block * block
    tail = len(values) - whole
    middles = (np.arange(0, whole, block) + (block - 1) / 2 + tail).astype(np.float64)
    medians: Floats = np.median(values[tail:].reshape(-1, block), axis=1).astype(np.float64)
    return medians, middles


def window_medians(values: Floats) -> Floats:
    """Return medians of some ten windows aligned to the end."""
    width = max(3, len(values) // 10)
    count = len(values) // width
    return np.asarray(
        np.median(values[len(values) - count * width :].reshape(count, width), axis=1)
    )


def theil_sen(values: Floats) -> float:
    """Return the median slope per row over all pairs of rows.

    Notes
    -----
    Sen 1968, J. Am. Stat. Assoc. 63, 1379. Series are condensed first, so that the cost is bounded.
    """
    values, index = condense(values, 200)
    if len(values) < 2:
        return 0.0
    i, j = np.triu_indices(len(values), 1)
    return float(np.median((values[j] - values[i]) / (index[j] - index[i])))


def kendall_tau(values: Floats) -> float:
    """Return Kendall's rank correlation of a short series with time, between -1 and 1."""
    if len(values) < 2:
        return 0.0
    i, j = np.triu_indices(len(values), 1)
    return float(np.mean(np.sign(values[j] - values[i])))


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
    """

    statistic: float
    size: float
    relative: float
    steady: bool
    lowest: float
    values: Floats

    @property
    def margin(self) -> float:
        """The statistic divided by its threshold, or the relative rise by its own if nearer."""
        threshold = STEADY_RISE_THRESHOLD if self.steady else RISE_THRESHOLD
        return min(self.statistic / threshold, self.relative / SMALLEST_RELATIVE_RISE)

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
    T = (last window median - lowest window median) / noise. A rise is real when T > 9, or when
    T > 6 and the medians climb steadily, and the relative rise is at least 3 %.

    Null series: an exponential decay to a plateau, with AR(1) noise of 10 % of the plateau and
    random depth and time constant. Share judged ``real`` among 1,500 series for each of n = 12,
    30, 60 and 120:

    ======== ====== ====== ====== ======
    AR(1)    n = 12 n = 30 n = 60 n = 120
    ======== ====== ====== ====== ======
    0.0      0.2 %  0.0 %  0.0 %  0.0 %
    0.5      0.6 %  0.0 %  0.0 %  0.0 %
    0.8      1.1 %  2.5 %  1.3 %  0.3 %
    ======== ====== ====== ====== ======

    A raw Mann-Kendall test at 5 % raises 42 % to 48 % on such series at AR(1) 0.8.
    """
    points, _ = condense(values, TESTED_POINTS)
    medians = window_medians(points) if len(points) >= 6 else points
    low = int(np.argmin(medians))
    size = float(medians[-1] - medians[low])
    after = medians[low:]
    steady = len(after) >= STEADY_WINDOWS and kendall_tau(after) >= STEADY_TAU
    return Rise(
        statistic=_ratio(size, _noise_near_the_end(points)),
        size=size,
        relative=_ratio(size, abs(float(medians[low]))),
        steady=steady,
        lowest=float(medians[low]),
        values=values,
    )


def _noise_near_the_end(points: Floats) -> float:
    """Noise of the later two thirds: a steep fall at the start of a short run is no noise."""
    later = points[len(points) // 3 :]
    return noise(later if len(later) >= SHORTEST_FOR_NOISE else points)


def fall(values: Floats) -> Rise:
    """Test whether a series ends below its highest level: the `rise` of its negative."""
    return rise(-values)


def onset(values: Floats) -> int:
    """Return the index at which the final rise of a series begins.

    Notes
    -----
    From the lowest smoothed value on, the least-squares fit of a level followed by a straight
    line; the onset is where the two meet.
    """
    smooth, index = condense(running_median(values, 5))
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


def running_median(values: Floats, width: int) -> Floats:
    """Return the centred running median, shape (n,); the window is cut short at the ends."""
    if len(values) < width:
        return values
    half = width // 2
    padded = np.pad(values, half, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1))


def _ratio(numerator: float, denominator: float) -> float:
    """Quotient that is zero for zero over anything, infinite for something over zero."""
    if numerator == 0:
        return 0.0
    return numerator / denominator if denominator > 0 else np.inf * np.sign(numerator)
