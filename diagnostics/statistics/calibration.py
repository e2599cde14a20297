"""How sure answers are against how often they are right, and the temperature that corrects it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics.history.table import Floats, Mask

BINS = 15  # as in Guo et al. 2017
# Temperatures tried for the bootstrap, evenly spaced in the logarithm from 0.05 to 150.
LOG_TEMPERATURES = np.linspace(-3.0, 5.0, 97)
# Resamples, and samples they are drawn from: the interval is good to a step of the grid.
RESAMPLES, MOST_SAMPLES = 200, 4000
# Ends of the interval: 95 %.
TAIL = 0.025
# Smallest probability whose logarithm is taken.
TINY = 1e-300


@dataclass(frozen=True)
class Temperature:
    """The temperature of least cross-entropy, and how well the samples determine it.

    Parameters
    ----------
    best
        Above 1 where the answers are too sure, below 1 where they are too cautious.
    loss
        Mean cross-entropy at that temperature, nats.
    gain
        What it saves against temperature 1, nats for each sample.
    low, high
        Bootstrap interval of 95 %.
    """

    best: float
    loss: float
    gain: float
    low: float
    high: float


def reliability(p: Floats, right: Mask) -> tuple[Floats, Floats, Floats]:
    """Return mean confidence, accuracy and number of samples of each bin that has any."""
    confidence = p.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS).astype(np.float64)
    used = counts > 0
    sure = np.bincount(bins, confidence, BINS)[used] / counts[used]
    share = np.bincount(bins, right.astype(np.float64), BINS)[used] / counts[used]
    return sure, share, counts[used]


def expected_calibration_error(p: Floats, right: Mask) -> float:
    """Return the mean difference of confidence and accuracy over equally wide bins.

    Notes
    -----
    Guo, Pleiss, Sun and Weinberger 2017, On Calibration of Modern Neural Networks, eq. 3.
    """
    sure, share, counts = reliability(p, right)
    return float((counts * np.abs(sure - share)).sum() / counts.sum())


def fit_temperature(p: Floats, y: np.ndarray) -> Temperature:
    """Return the temperature T that minimises the cross-entropy of ``p ** (1/T)``, normalised.

    Notes
    -----
    Guo et al. 2017, section 4.2; log p serves as logits, from which it differs by a constant
    in each row only. The interval is a percentile bootstrap (Efron 1979): the losses of all
    samples at all temperatures of a grid are computed once, and reweighted for each resample.
    """
    from scipy.optimize import minimize_scalar

    logits = np.log(np.maximum(p, TINY))
    best = minimize_scalar(
        lambda t: float(_losses(logits, y, t).mean()),
        bounds=(LOG_TEMPERATURES[0], LOG_TEMPERATURES[-1]),
        method="bounded",
    )
    gain = float(_losses(logits, y, 0.0).mean() - best.fun)
    low, high = _interval(logits, y)
    return Temperature(float(np.exp(best.x)), float(best.fun), gain, low, high)


def _losses(logits: Floats, y: np.ndarray, log_temperature: float) -> Floats:
    """Cross-entropy of each sample at a temperature."""
    from scipy.special import logsumexp

    scaled = logits / np.exp(log_temperature)
    return np.asarray(logsumexp(scaled, axis=1) - scaled[np.arange(len(y)), y])


def _interval(logits: Floats, y: np.ndarray) -> tuple[float, float]:
    """Where the best temperature lies in 95 % of the resamples."""
    some = np.unique(np.linspace(0, len(y) - 1, MOST_SAMPLES).astype(np.intp))
    table = np.stack([_losses(logits[some], y[some], t) for t in LOG_TEMPERATURES])
    weights = np.random.default_rng(0).multinomial(
        len(some), np.full(len(some), 1 / len(some)), RESAMPLES
    )
    best = LOG_TEMPERATURES[(weights @ table.T).argmin(axis=1)]
    low, high = np.quantile(best, (TAIL, 1 - TAIL))
    return float(np.exp(low)), float(np.exp(high))
