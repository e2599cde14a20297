"""What one window of samples says: the parts below the derivative."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.numerics.polynomial_fit import fit
from gradcheck.numerics.samples import RATIO, Samples

PAIRED = np.concatenate([[h, -h] for h in RATIO ** np.arange(5.0)])
ONE_SIDED = RATIO ** np.arange(8.0)


def sampled(phi: Callable[[float], float], **options: float) -> Samples:
    return Samples(phi, 1.0, offset=0.0, eps=2.0**-52, step=lambda t: t, **options)


@pytest.mark.parametrize("degree", range(1, 9))
@pytest.mark.parametrize("steps", [PAIRED, ONE_SIDED])
def test_polynomials_are_fitted_to_rounding(steps: np.ndarray, degree: int) -> None:
    coefficients = np.random.default_rng(degree).normal(size=degree)
    values = sum(c * steps**k for k, c in enumerate(coefficients, start=1))

    found = fit(steps, values, 1e-15, mirrored=steps is PAIRED)

    assert abs(found.value - coefficients[0]) <= found.bound
    if degree <= 6:
        assert found.resolved
        assert found.bound < 1e-10


def test_bound_scales_with_values_and_steps() -> None:
    values = np.sin(PAIRED)

    plain = fit(PAIRED, values, 0.0, mirrored=True)
    scaled = fit(1e-8 * PAIRED, 1e200 * values, 0.0, mirrored=True)

    assert scaled.value == pytest.approx(1e208 * plain.value, rel=1e-12)
    assert scaled.bound == pytest.approx(1e208 * plain.bound, rel=1e-6)


def test_bound_of_a_window_across_a_kink_covers_both_slopes() -> None:
    found = fit(PAIRED, np.maximum(PAIRED, 0), 1e-16, mirrored=True)

    assert not found.resolved
    assert found.value - found.bound <= 0
    assert found.value + found.bound >= 1


def test_undersampled_oscillation_is_not_resolved() -> None:
    found = fit(PAIRED, np.sin(300 * PAIRED), 1e-16, mirrored=True)

    assert not found.resolved


def test_noise_is_read_from_the_tail() -> None:
    noise = 1e-6 * np.random.default_rng(0).normal(size=(50, len(PAIRED)))

    tails = [fit(PAIRED, 2 * PAIRED + n, 0.0, mirrored=True).tail for n in noise]

    assert 0.5e-6 < np.median(tails) < 2e-6


def test_bend_is_where_the_cubic_term_overtakes_the_linear_one() -> None:
    found = fit(PAIRED / 8, 4 * (PAIRED / 8) + (PAIRED / 8) ** 3, 1e-16, mirrored=True)

    assert found.bends_at == pytest.approx(2.0, rel=0.01)


def test_samples_are_evaluated_once() -> None:
    calls = []
    samples = sampled(lambda t: calls.append(t) or math.sin(t))

    samples.window(0, 0, 0.0)
    samples.window(0, 0, 0.0)
    samples.window(1, 1, 0.0)

    assert len(calls) == len(set(calls)) == len(samples.known)


def test_window_that_is_not_finite_says_nothing() -> None:
    samples = sampled(lambda t: math.sqrt(t) if t > 0 else math.nan)

    assert samples.window(0, 0, 0.0) is None
    assert samples.window(0, 1, 0.0) is not None


def test_levels_and_spans_are_inverse() -> None:
    samples = sampled(math.sin)

    assert [samples.level(samples.span(level)) for level in range(-90, 90)] == list(range(-90, 90))


def test_flat_stretch_ends_in_a_jump_or_continuously() -> None:
    stairs = sampled(lambda t: 0.01 * math.floor(t / 0.01 + 0.5))
    stairs.window(0, 0, 0.0)
    stairs.window(9, 0, 0.0)
    ramp = sampled(lambda t: max(t - 0.3, 0.0))
    ramp.window(0, 0, 0.0)
    constant = sampled(lambda t: 0.0)
    constant.window(0, 0, 0.0)

    assert stairs.plateau(0) == pytest.approx((0.005, 0.01), rel=0.01)
    assert ramp.plateau(0) == pytest.approx((0.3, 0.0), rel=0.01)
    assert constant.plateau(0) == (math.inf, 0.0)


def test_jump_at_the_origin_is_told_from_noise() -> None:
    rng = np.random.default_rng(0)

    assert sampled(lambda t: float(t > 0) + t).jumps(12, 0)
    assert not sampled(lambda t: rng.normal()).jumps(12, 0)
    assert not sampled(abs).jumps(12, 0)
