"""Second derivatives: the bounds hold on as many functions as those of the first do."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_hess

from gradcheck import Kink, derivative, gradient, hessian
from tests.support import second_derivatives as functions
from tests.support.functions import Case

EPS = float(np.finfo(np.float64).eps)


def misses(cases: Iterator[Case]) -> list[str]:
    """Return those whose error exceeds the stated bound, beyond the rounding of ``exact``."""
    missed = []
    for case in cases:
        found = derivative(case.f, case.t, order=2)
        if not abs(found.value - case.exact) <= found.error_bound + 2 * EPS * abs(case.exact):
            missed.append(f"{case.name}: {found}, exact {case.exact}")
    return missed


@pytest.mark.parametrize(
    "cases",
    [
        functions.smooth_cases,
        functions.narrow_cases,
        *(
            lambda family=family: family(101)
            for family in (
                functions.generated_cases,
                functions.kinked_cases,
                functions.limited_cases,
                functions.piecewise_cases,
                functions.noisy_cases,
                functions.narrow_argument_cases,
            )
        ),
    ],
)
def test_error_bound_holds(cases: Callable[[], Iterator[Case]]) -> None:
    assert misses(cases()) == []


@pytest.mark.parametrize("cases", [functions.smooth_cases, lambda: functions.generated_cases(102)])
def test_smooth_functions_are_differentiated_to_1e_10_in_few_evaluations(
    cases: Callable[[], Iterator[Case]],
) -> None:
    measured = [(case, derivative(case.f, case.t, order=2)) for case in cases()]
    errors = [abs(found.value - case.exact) for case, found in measured]
    relative = [e / (abs(case.exact) or 1.0) for e, (case, _) in zip(errors, measured, strict=True)]
    ratios = [d.error_bound / e for e, (_, d) in zip(errors, measured, strict=True) if e > 0]

    assert len(measured) >= 200
    assert statistics.median(relative) <= 1e-10
    assert statistics.median(found.evaluations for _, found in measured) <= 17
    assert statistics.median(ratios) < 1000


@pytest.mark.parametrize(
    ("f", "left", "right"),
    [
        (lambda x: x * abs(x), -2.0, 2.0),
        (lambda x: max(x, 0.0) ** 2, 0.0, 2.0),
        (lambda x: math.exp(x) + max(x, 0.0) ** 2, 1.0, 3.0),
        (lambda x: 7 + math.sin(x) + 1e-3 * x * abs(x), -2e-3, 2e-3),
        (lambda x: np.float32(x * abs(x)), -2.0, 2.0),
    ],
)
def test_kink_of_the_slope_is_reported_with_both_second_derivatives(
    f: Callable[[float], float], left: float, right: float
) -> None:
    found = derivative(f, 0.0, order=2)

    assert isinstance(found.kink, Kink)
    assert found.kink.left == pytest.approx(left, rel=0, abs=found.kink.left_bound)
    assert found.kink.right == pytest.approx(right, rel=0, abs=found.kink.right_bound)
    assert max(found.kink.left_bound, found.kink.right_bound) < 1e-4
    assert found.value - found.error_bound <= left
    assert found.value + found.error_bound >= right


@pytest.mark.parametrize(
    ("f", "t"),
    [
        (abs, 0.0),
        (lambda x: max(x, 0.0), 0.0),
        (lambda x: math.sin(x) + 1e-6 * abs(x), 0.0),
        (lambda x: abs(x) ** 1.5, 0.0),
        (lambda x: math.copysign(abs(x) ** 1.5, x), 0.0),
        (lambda x: x * x * math.log(abs(x)) if x else 0.0, 0.0),
        (math.sqrt, 0.0),
        (math.asin, 1.0),
        (math.floor, 2.0),
    ],
)
def test_where_there_is_no_second_derivative_the_bound_is_infinite(
    f: Callable[[float], float], t: float
) -> None:
    found = derivative(f, t, order=2)

    assert found.error_bound == math.inf
    assert found.kink is None


@pytest.mark.parametrize(
    ("f", "t", "exact", "widest"),
    [
        (lambda x: x * x * math.sqrt(x), 0.0, 0.0, 1e-2),
        (lambda x: math.exp(x) if x >= 0 else math.nan, 0.0, 1.0, 1e-7),
        (lambda x: math.sin(x) if x <= 1 else math.inf, 1.0, -math.sin(1), 1e-7),
        (lambda x: abs(x) ** 3, 0.0, 0.0, 1e-7),
        (lambda x: round(math.sin(x), 6), 1.0, -math.sin(1), 1e-2),
        (lambda x: x * x, 1e-170, 2.0, 1e-12),
    ],
)
def test_ends_of_domains_and_stairs_have_bounds_that_hold(
    f: Callable[[float], float], t: float, exact: float, widest: float
) -> None:
    found = derivative(f, t, order=2)

    assert abs(found.value - exact) <= found.error_bound < widest


@pytest.mark.parametrize(
    ("f", "t", "trend"),
    [
        (lambda x: math.floor(1000 * x * x) / 1000, 0.3005, 2.0),
        (lambda x: math.floor(10 * x * x) / 10, 0.3005, 2.0),
        (lambda x: math.floor(10 * x * x) / 10, 0.0, 2.0),
        (lambda x: math.floor(10 * x) / 10, 0.55, 0.0),
    ],
)
def test_bound_covers_both_readings_of_a_coarse_staircase(
    f: Callable[[float], float], t: float, trend: float
) -> None:
    found = derivative(f, t, order=2)

    assert abs(found.value) <= found.error_bound
    assert abs(found.value - trend) <= found.error_bound


def test_overflow_is_undecided() -> None:
    assert derivative(math.log, 1e-300, order=2).error_bound == math.inf
    assert derivative(lambda x: x * x, 1e200, order=2).error_bound == math.inf


def test_hessian_of_random_functions_whose_units_differ_holds() -> None:
    errors = []
    for case in functions.array_cases(103):
        found = hessian(case.f, case.x)

        error = np.abs(found.value - case.exact)
        assert np.array_equal(found.value, found.value.T)
        assert (error <= found.error_bound + 2 * EPS * np.abs(case.exact)).all(), case.name
        errors.append(error / np.abs(case.exact))
    assert np.median(np.concatenate([each.ravel() for each in errors])) <= 1e-9


def test_hessian_has_the_shape_of_x_twice_and_counts_its_evaluations() -> None:
    x = np.array([[1.2, -0.7], [3.0, 0.1]])
    calls = []

    def f(p: np.ndarray) -> float:
        calls.append(p)
        return float(rosen(p.ravel()))

    found = hessian(f, x)

    exact = rosen_hess(x.ravel()).reshape(2, 2, 2, 2)
    assert (np.abs(found.value - exact) <= found.error_bound).all()
    assert found.error_bound.max() < 1e-3
    assert found.evaluations == len(calls)


def test_hessian_of_entries_whose_axes_show_nothing() -> None:
    found = hessian(lambda x: x[0] * x[1], np.zeros(2))

    assert (np.abs(found.value - [[0, 1], [1, 0]]) <= found.error_bound).all()
    assert found.error_bound.max() < 1e-9


def test_hessian_in_float32_moves_by_steps_that_are_exact() -> None:
    x = np.array([1.1, -0.3, 700.0], dtype=np.float32)

    def f(p: np.ndarray) -> np.float32:
        assert p.dtype == np.float32
        return np.sin(p[0]) * p[1] + p[1] * np.log(p[2])

    found = hessian(f, x)

    a, b, c = (float(v) for v in x)
    exact = np.zeros((3, 3))
    exact[0, 0] = -math.sin(a) * b
    exact[0, 1] = exact[1, 0] = math.cos(a)
    exact[1, 2] = exact[2, 1] = 1 / c
    exact[2, 2] = -b / c**2
    assert (np.abs(found.value - exact) <= found.error_bound).all()
    assert found.error_bound[0, 1] < 1e-2


def test_hessian_in_a_corner_of_the_domain() -> None:
    def f(x: np.ndarray) -> float:
        if x[0] < 0 or x[1] > 1:
            raise AssertionError("outside")
        return float(np.exp(x[0] * x[1]))

    found = hessian(f, np.array([0.0, 1.0]))

    assert (np.abs(found.value - [[1, 1], [1, 0]]) <= found.error_bound).all()
    assert found.error_bound.max() < 1e-5


def test_hessian_at_kinks_covers_all_sides_or_nothing_is_known() -> None:
    of_slope = hessian(lambda x: abs(x[0]) * x[0] + x[0] * x[1], np.array([0.0, 1.0]))
    of_value = hessian(lambda x: abs(x[0]) + x[0] * x[1], np.array([0.0, 1.0]))

    assert abs(of_slope.value[0, 0]) + 2 <= of_slope.error_bound[0, 0] + 1e-9
    assert abs(of_slope.value[0, 1] - 1) <= of_slope.error_bound[0, 1]
    assert of_value.error_bound[0, 0] == math.inf


def test_hessian_of_stacked_points_and_of_nothing() -> None:
    x = np.array([0.3, -1.2])

    found = hessian(lambda p: np.sin(p[:, 0]) * p[:, 1], x, vectorized=True)

    exact = [[-math.sin(0.3) * -1.2, math.cos(0.3)], [math.cos(0.3), 0]]
    assert (np.abs(found.value - exact) <= found.error_bound).all()
    assert hessian(np.sum, np.zeros((0, 3))).value.shape == (0, 3, 0, 3)


def test_gradient_shares_the_value_at_the_point() -> None:
    calls = []

    def f(x: np.ndarray) -> float:
        calls.append(tuple(x))
        return float(np.sin(x).sum())

    found = gradient(f, np.array([0.3, 0.4, 0.5]))

    assert found.evaluations == len(calls) == len(set(calls))


@pytest.mark.parametrize("order", [0, 3, 1.5])
def test_order_is_one_or_two(order: float) -> None:
    with pytest.raises((TypeError, ValueError), match=f"order={order}: expected an integer"):
        derivative(math.sin, 1.0, order=order)
