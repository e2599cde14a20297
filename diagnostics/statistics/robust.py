"""Noise, levels and slopes of short series, robust against outliers and autocorrelation."""

from __future__ import annotations

import numpy as np

from diagnostics.history.table import Floats

# 1 / Phi^-1(3/4): makes the median absolute deviation estimate a standard deviation.
MAD_TO_SIGMA = 1.4826
# Var(y[t] - 2 y[t+1] + y[t+2]) = (1 + 4 + 1) sigma^2 for independent values.
SECOND_DIFFERENCE_GAIN = np.sqrt(6.0)
# Lags at which noise is looked for, in rows.
LAGS = (1, 2, 4)
# Series are condensed to this many block medians where a method is not linear in time.
POINTS = 400
# Longer series are condensed to this length before a test, which averages noise away.
TESTED_POINTS = 120
# Fewer points give no slope with a standard error worth the name.
SHORTEST_FOR_SLOPE = 8


def noise(values: Floats, lag: int = 1) -> float:
    """Return the standard deviation of the noise, shape (n,) to a scalar, whatever the trend.

    Notes
    -----
    1.4826 MAD of the second differences y[t] - 2 y[t + lag] + y[t + 2 lag], divided by sqrt(6):
    smooth trends vanish in second differences, outliers in the median (after Gasser, Sroka and
    Jennen-Steinmetz 1986, Biometrika 73, 625). Positive autocorrelation makes it too small: with
    AR(1) noise their variance is (6 - 8 r^lag + 2 r^(2 lag)) sigma^2.
    """
    if len(values) <= 2 * lag:
        return 0.0
    second = values[2 * lag :] - 2 * values[lag:-lag] + values[: -2 * lag]
    deviation = np.median(np.abs(second - np.median(second)))
    return float(MAD_TO_SIGMA * deviation / SECOND_DIFFERENCE_GAIN)


def lasting_noise(values: Floats) -> float:
    """Return the largest `noise` at lags 1, 2 and 4: wandering noise hides from lag 1.

    At AR(1) 0.9 lag 1 sees a quarter of the standard deviation, lag 4 half of it. A smooth bend
    adds to lag 4, which makes tests that divide by this noise more careful, never less.
    """
    lags = [lag for lag in LAGS if lag == 1 or 4 * lag <= len(values)]
    return max(noise(values, lag) for lag in lags)


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
    width = window_width(values)
    count = len(values) // width
    return np.asarray(
        np.median(values[len(values) - count * width :].reshape(count, width), axis=1)
    )


def window_width(values: Floats) -> int:
    """Points in one window."""
    return max(3, len(values) // 10)


def slope_in_errors(values: Floats) -> float:
    """Return the least-squares slope by its standard error, zero for few values.

    Notes
    -----
    With residuals of AR(1) correlation r the variance of the slope is (1 + r) / (1 - r) times that
    of independent ones. The estimate of r is corrected for its bias, (1 + 3 r) / n (Marriott and
    Pope 1954, Biometrika 41, 390), and held below 0.97.
    """
    n = len(values)
    if n < SHORTEST_FOR_SLOPE:
        return 0.0
    time = np.arange(n) - (n - 1) / 2
    slope = float(time @ values / (time @ time))
    residual = values - values.mean() - slope * time
    power = float(residual @ residual)
    if power == 0:
        return 0.0 if slope == 0 else float(np.copysign(np.inf, slope))
    r = float(residual[1:] @ residual[:-1]) / power
    r = min(max(r + (1 + 3 * r) / n, 0.0), 0.97)
    variance = power / (n - 2) * (1 + r) / (1 - r) / float(time @ time)
    return slope / float(np.sqrt(variance))


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


def running_median(values: Floats, width: int) -> Floats:
    """Return the centred running median, shape (n,); the window is cut short at the ends."""
    if len(values) < width:
        return values
    half = width // 2
    padded = np.pad(values, half, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1))
