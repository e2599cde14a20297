"""Stretches between jumps: what a function is on its own, and what was meant across them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from gradcheck import derivative
from gradcheck.numerics.jumps import jump_beyond
from gradcheck.numerics.samples import RATIO, Samples

SMOOTH: list[list[Callable[[float], float]]] = [
    [math.sin, math.cos, lambda x: -math.sin(x)],
    [math.exp, math.exp, math.exp],
    [lambda x: 3 + x**3, lambda x: 3 * x * x, lambda x: 6 * x],
    [lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3],
]


def sawtooths(seed: int, count: int = 200) -> Iterator[tuple[Callable, float, list, list]]:
    """Smooth functions with an error that rises, linearly or not, and falls back at once.

    With the first and second derivatives that are meant, and those between the jumps.
    """
    rng = np.random.default_rng(seed)
    for index in range(count):
        smooth, slope, curvature = SMOOTH[index % 4]
        power = 1 + (index // 4) % 2
        t, phase = float(rng.uniform(0.3, 1.5)), float(rng.uniform(0.1, 0.9))
        length = 10 ** rng.uniform(-4, -2.3)
        jump = smooth(t) * 10 ** rng.uniform(-6, -3)

        def f(x: float, g=smooth, p=power, o=t, c=phase, s=length, j=jump) -> float:
            u = (x - o) / s + c
            return g(x) + j * (u - math.floor(u)) ** p

        first = [0, power * jump / length * phase ** (power - 1)]
        second = [0, (power == 2) * 2 * jump / length**2]
        yield f, t, [slope(t) + e for e in first], [curvature(t) + e for e in second]


def test_bound_covers_the_slope_between_jumps_and_the_one_across_them() -> None:
    missed = []
    for f, t, first, _ in sawtooths(seed=201):
        found = derivative(f, t)
        if any(abs(found.value - each) > found.error_bound + 1e-14 for each in first):
            missed.append((found, first))

    assert missed == []


def test_bound_covers_the_second_derivative_across_jumps() -> None:
    missed = []
    for f, t, _, (meant, _) in sawtooths(seed=202):
        found = derivative(f, t, order=2)
        if abs(found.value - meant) > found.error_bound:
            missed.append((found, meant))

    assert missed == []


@pytest.mark.parametrize("tolerance", [1e-4, 1e-5, 1e-6, 1e-8])
def test_root_within_a_tolerance_has_the_slope_of_the_root(tolerance: float) -> None:
    def root(k: float) -> float:
        """Return u of u**3 + u = k by bisection, and half a step of Newton's method."""
        low, high = 0.0, 4.0
        while high - low > tolerance:
            middle = (low + high) / 2
            low, high = (middle, high) if middle**3 + middle < k else (low, middle)
        u = (low + high) / 2
        return u - (u**3 + u - k) / (3 * u * u + 1) / 2

    for k in np.random.default_rng(203).uniform(1.2, 4, size=10):
        found = derivative(root, float(k))

        (u,) = (float(each.real) for each in np.roots([1, 0, 1, -k]) if abs(each.imag) < 1e-9)
        assert abs(found.value - 1 / (3 * u * u + 1)) <= found.error_bound


def test_coarse_jump_is_a_discontinuity_beside_which_the_slope_is_sharp() -> None:
    found = derivative(lambda x: x - math.floor(x), 0.3)

    assert abs(found.value - 1) <= found.error_bound < 1e-10


def window_of(phi: Callable[[float], float]) -> tuple[Samples, object]:
    """Sample ten rungs to both sides, and fit the window four rungs down."""
    samples = Samples(phi, 1.0, offset=0.0, eps=2.0**-52, step=lambda t: t)
    for rung in range(10):
        for sign in (1, -1):
            samples.at(sign * RATIO**rung)
    return samples, samples.window(4, 0, 0.0)


def test_jump_is_located_between_two_samples() -> None:
    samples, fit = window_of(lambda t: math.sin(t) + (0.01 if t > 0.3 else 0.0))

    distance, jump = jump_beyond(samples, fit, 0, 1e-13)

    assert distance == pytest.approx(0.3, rel=0.05)
    assert jump == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(
    "phi", [math.sin, lambda t: math.sin(t) + max(t - 0.3, 0.0), lambda t: math.tanh(20 * t)]
)
def test_smooth_functions_and_kinks_have_no_jump_and_cost_nothing(
    phi: Callable[[float], float],
) -> None:
    samples, fit = window_of(phi)
    before = len(samples.known)

    assert jump_beyond(samples, fit, 0, 1e-13) == (math.inf, 0.0)
    assert len(samples.known) == before


def test_kinks_beside_the_point_are_no_jumps():
    """However near the next kink of a polygon is to a sample."""
    for seed in range(300):
        rng = np.random.default_rng(seed)
        kinks = 2.0 ** rng.uniform(-9, -2, 30) * rng.choice([-1, 1], 30)
        slopes = rng.normal(size=30)

        result = derivative(lambda t, k=kinks, s=slopes: float(np.sum(s * np.maximum(t - k, 0))))

        assert abs(result.value - np.sum(slopes[kinks < 0])) <= result.error_bound < 1e-8, seed
