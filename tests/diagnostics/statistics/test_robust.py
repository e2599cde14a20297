"""Trends are told from noise, and autocorrelated noise is not called a trend."""

import numpy as np
import pytest

from diagnostics.statistics import robust
from diagnostics.statistics.rise_test import fall, onset, rise
from tests.support import training_runs as runs


def nulls(count, length, correlation, seed=0):
    """Losses that decay to a plateau and stay there."""
    rng = np.random.default_rng(seed)
    t = np.arange(length)
    for _ in range(count):
        decay = rng.uniform(1, 3) * np.exp(-t / (length * rng.uniform(0.05, 0.3)))
        yield 1 + decay + 0.1 * runs.autoregressive(length, correlation, rng)


@pytest.mark.parametrize("length", [12, 30, 60, 120])
@pytest.mark.parametrize(
    ("correlation", "rate"), [(0.0, 0.005), (0.5, 0.01), (0.8, 0.03), (0.9, 0.04)]
)
def test_noise_on_a_plateau_is_rarely_called_a_rise(length, correlation, rate):
    alarms = [rise(y).real for y in nulls(200, length, correlation)]

    assert np.mean(alarms) <= rate


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("epochs", [12, 30, 100])
def test_a_rise_by_half_is_found_under_two_per_cent_noise(epochs, seed):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, epochs)
    y = (0.4 + 1.5 * np.exp(-12 * t) + 0.4 * np.maximum(t - 0.3, 0)) * (
        1 + 0.02 * rng.normal(size=epochs)
    )

    assert rise(y).real


def test_onset_lies_where_the_rise_begins():
    t = np.arange(60)
    y = 0.5 + np.exp(-t / 4.0) + 0.02 * np.maximum(t - 25, 0)

    assert abs(onset(y) - 25) <= 4


def test_noise_is_measured_whatever_the_trend():
    rng = np.random.default_rng(0)
    y = np.linspace(10, 0, 2000) ** 2 + 0.5 * rng.normal(size=2000)

    assert robust.noise(y) == pytest.approx(0.5, rel=0.1)


def test_theil_sen_ignores_an_outlier():
    y = 3.0 * np.arange(50.0)
    y[10] = 1e6

    assert robust.theil_sen(y) == pytest.approx(3.0, rel=0.01)


def test_condensed_series_keeps_its_level_and_its_positions():
    y = np.arange(1003.0)

    medians, index = robust.condense(y, 100)

    assert len(medians) <= 100
    np.testing.assert_allclose(medians, index)


def test_constant_series_neither_rises_nor_falls():
    assert not rise(np.ones(30)).real
    assert not fall(np.ones(30)).real


def test_a_rise_over_orders_of_magnitude_begins_where_its_logarithm_does():
    t = np.arange(60)
    y = np.exp(np.maximum(t - 30, 0) * 0.8)

    assert abs(onset(y) - 30) <= 4


def test_noise_that_wanders_is_not_mistaken_for_small():
    y = runs.autoregressive(4000, 0.9, np.random.default_rng(0))

    assert robust.noise(y) < 0.35
    assert 0.45 < robust.lasting_noise(y) < 1


def test_a_slope_is_judged_by_what_autocorrelation_leaves_of_its_evidence():
    rng = np.random.default_rng(0)
    t = np.arange(100.0)
    steps = [robust.slope_in_errors(runs.autoregressive(100, 0.8, rng)) for _ in range(200)]

    assert np.mean(np.abs(steps) > 4) < 0.03
    assert robust.slope_in_errors(0.05 * t + rng.normal(size=100)) > 10
    assert robust.slope_in_errors(np.ones(100)) == 0


def test_a_long_noisy_rise_is_found_though_it_stays_within_its_noise():
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, 100)
    y = (0.4 + 1.5 * np.exp(-12 * t) + 0.4 * np.maximum(t - 0.3, 0)) * (
        1 + 0.1 * rng.normal(size=100)
    )

    assert rise(y).statistic < 5
    assert rise(y).real
