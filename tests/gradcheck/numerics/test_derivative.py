"""The stated error bound holds on every function of a large table, and is not absurdly wide."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from gradcheck.numerics.derivative import Derivative, along, derivative
from gradcheck.numerics.partials import gradient, jacobian
from gradcheck.numerics.two_sided import Kink
from tests.support import functions
from tests.support.functions import Case

EPS = float(np.finfo(np.float64).eps)


def measure(case: Case) -> tuple[Derivative, float]:
    found = derivative(case.f, case.t)
    return found, abs(found.value - case.exact)


def misses(cases: Iterator[Case]) -> list[str]:
    """Return those whose error exceeds the stated bound, beyond the rounding of ``exact``."""
    missed = []
    for case in cases:
        found, error = measure(case)
        if not error <= found.error_bound + 2 * EPS * abs(case.exact):
            missed.append(f"{case.name}: {found}, exact {case.exact}")
    return missed


@pytest.mark.parametrize(
    "cases",
    [
        functions.smooth_cases,
        functions.kinked_cases,
        functions.piecewise_cases,
        functions.limited_cases,
        functions.narrow_cases,
        functions.narrow_argument_cases,
        functions.noisy_cases,
    ],
)
def test_error_bound_holds(cases: Callable[[], Iterator[Case]]) -> None:
    assert misses(cases()) == []


def test_smooth_functions_are_differentiated_to_1e_12_in_few_evaluations() -> None:
    measured = [(case, *measure(case)) for case in functions.smooth_cases()]
    relative = [error / (abs(case.exact) or 1.0) for case, _, error in measured]
    evaluations = [found.evaluations for _, found, _ in measured]
    ratios = [found.error_bound / error for _, found, error in measured if error > 0]

    assert len(measured) > 200
    assert statistics.median(relative) <= 1e-12
    assert statistics.median(evaluations) <= 12
    assert statistics.mean(evaluations) <= 18  # badly scaled ones included
    assert statistics.median(ratios) < 1000


def test_bounds_of_tame_smooth_functions_are_tight() -> None:
    for case in functions.tame_cases():
        found, _ = measure(case)

        # rounding of f limits the bound, relative to f as well as to f'
        size = max(abs(case.exact), abs(case.f(case.t)))
        assert found.error_bound <= 1e-9 * max(size, 1e-3), case.name


def test_kinks_beside_the_point_do_not_widen_the_bound() -> None:
    for distance in (1e-7, -1e-5, 1e-3):
        found = derivative(lambda x: max(x, 0.2 * x), distance)

        assert found.kink is None
        assert found.error_bound < 1e-10


@pytest.mark.parametrize(
    ("f", "left", "right"),
    [
        (abs, -1.0, 1.0),
        (lambda x: max(x, 0.0), 0.0, 1.0),
        (lambda x: max(x, 0.01 * x), 0.01, 1.0),
        (lambda x: 7 + max(math.exp(x), 1 - x), -1.0, 1.0),
        (lambda x: math.sin(x) + 1e-6 * abs(x), 1 - 1e-6, 1 + 1e-6),
        (lambda x: np.float32(abs(x)), -1.0, 1.0),
    ],
)
def test_kink_at_the_point_is_reported_with_both_slopes(
    f: Callable[[float], float], left: float, right: float
) -> None:
    found = derivative(f, 0.0)

    assert isinstance(found.kink, Kink)
    assert found.kink.left == pytest.approx(left, rel=0, abs=found.kink.left_bound)
    assert found.kink.right == pytest.approx(right, rel=0, abs=found.kink.right_bound)
    assert max(found.kink.left_bound, found.kink.right_bound) < 1e-5
    assert left <= found.value <= right
    # every subgradient is within the bound
    assert found.value - found.error_bound <= left
    assert found.value + found.error_bound >= right


@pytest.mark.parametrize("f", [lambda x: x * abs(x), lambda x: abs(x) ** 1.5, lambda x: x**2])
def test_smooth_enough_functions_have_no_kink(f: Callable[[float], float]) -> None:
    found = derivative(f, 0.0)

    assert found.kink is None
    assert abs(found.value) <= found.error_bound < 1e-4


@pytest.mark.parametrize(
    ("f", "t"),
    [
        (math.sqrt, 0.0),
        (math.asin, 1.0),
        (np.cbrt, 0.0),
        (lambda x: math.sqrt(abs(x)), 0.0),
        (lambda x: x * math.log(x) if x else 0.0, 0.0),
        (lambda x: x**0.9, 0.0),
        (math.floor, 2.0),
        (lambda x: float(x >= 0), 0.0),
    ],
)
def test_infinite_slopes_and_jumps_have_infinite_bounds(
    f: Callable[[float], float], t: float
) -> None:
    assert derivative(f, t).error_bound == math.inf


@pytest.mark.parametrize(
    ("f", "t", "exact"),
    [
        (lambda x: x * math.sqrt(x), 0.0, 0.0),
        (lambda x: x**2.5, 0.0, 0.0),
        (lambda x: math.exp(x) if x >= 0 else math.nan, 0.0, 1.0),
        (lambda x: math.sin(x) if x <= 1 else math.inf, 1.0, math.cos(1)),
        (math.log, 1e-300, 1e300),
        (lambda x: 1 / (1 - x), 1 - 2.0**-30, 2.0**60),
    ],
)
def test_one_side_suffices_at_the_end_of_the_domain(
    f: Callable[[float], float], t: float, exact: float
) -> None:
    found = derivative(f, t)

    assert abs(found.value - exact) <= found.error_bound
    assert found.error_bound < 1e-4 * max(1.0, exact)


def test_staircase_of_rounding_is_differentiated_as_the_function_behind_it() -> None:
    found = derivative(lambda x: round(math.sin(x), 6), 1.0)

    assert abs(found.value - math.cos(1)) <= found.error_bound < 1e-2
    assert 1e-7 < found.noise < 1e-5


@pytest.mark.parametrize(
    ("f", "t", "trend"),
    [
        (lambda x: math.floor(1000 * x) / 1000, 0.3005, 1.0),
        (lambda x: math.floor(10 * x) / 10, 0.55, 1.0),
        (lambda x: (1e16 + x) - 1e16, 1.0, 1.0),
        (math.floor, 0.5, 1.0),
    ],
)
def test_bound_covers_both_readings_of_a_coarse_staircase(
    f: Callable[[float], float], t: float, trend: float
) -> None:
    found = derivative(f, t)

    assert abs(found.value) <= found.error_bound
    assert abs(found.value - trend) <= found.error_bound


def test_bound_covers_fine_oscillations_as_noise_and_as_structure() -> None:
    found = derivative(lambda x: math.sin(x) + 1e-9 * math.sin(1e8 * x), 1.0)

    as_noise = math.cos(1)
    as_structure = math.cos(1) + 0.1 * math.cos(1e8)
    assert abs(found.value - as_noise) <= found.error_bound
    assert abs(found.value - as_structure) <= found.error_bound


@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-9])
def test_noise_is_measured(size: float) -> None:
    rng = np.random.default_rng(3)

    found = derivative(lambda x: math.sin(x) + size * rng.normal(), 1.0)

    assert size / 4 < found.noise < 4 * size


def test_constant_has_zero_slope() -> None:
    assert derivative(lambda x: 0.0, 3.0).error_bound == 0
    assert derivative(lambda x: 5.0, 3.0).value == 0


def test_function_that_is_not_finite_is_undecided() -> None:
    isolated = derivative(lambda x: 0.0 if x == 1 else math.nan, 1.0)

    assert math.isnan(isolated.value)
    assert isolated.error_bound == math.inf
    assert math.isnan(derivative(lambda x: math.nan, 1.0).value)


def test_evaluations_are_counted() -> None:
    calls = []

    def f(x: float) -> float:
        calls.append(x)
        return math.sin(x) + abs(x)

    assert derivative(f, 0.0).evaluations == len(calls)


def test_arguments_have_the_type_of_the_point() -> None:
    seen = set()

    def f(x: object) -> object:
        seen.add(type(x))
        return x

    derivative(f, np.float32(1))
    assert seen == {np.float32}


def test_scale_saves_evaluations() -> None:
    def f(x: float) -> float:
        return math.sin(1e6 * x)

    informed, guessing = derivative(f, 1e-6, scale=1e-6), derivative(f, 1e-6)

    assert informed.evaluations < guessing.evaluations
    assert abs(informed.value - 1e6 * math.cos(1)) <= informed.error_bound


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, "f=3: expected a function"),
        ((math.sin, "one"), TypeError, "t='one': expected a number"),
        ((math.sin, [1.0, 2.0]), TypeError, "t=.*: expected a number"),
        ((math.sin, 1j), TypeError, "t=1j: expected a number"),
        ((math.sin, math.nan), ValueError, "t=nan: expected a number that is finite"),
        ((lambda x: 1j * x, 1.0), TypeError, "must return real numbers"),
        ((lambda x: None, 1.0), TypeError, "must return real numbers"),
        ((lambda x: [x, x], 1.0), ValueError, "see jacobian"),
        ((lambda x: x if x == 1 else [x, x], 1.0), ValueError, "keep its shape"),
    ],
)
def test_bad_arguments_are_named(
    arguments: tuple[object, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        derivative(*arguments)


def test_scale_must_be_positive() -> None:
    with pytest.raises(ValueError, match=r"scale=0\.0: expected a number above 0"):
        derivative(math.sin, 1.0, scale=0.0)


def test_own_errors_of_the_function_are_not_swallowed() -> None:
    with pytest.raises(ValueError, match="mine"):
        derivative(lambda x: (_ for _ in ()).throw(ValueError("mine")), 1.0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradient_holds_entry_by_entry(dtype: type) -> None:
    x = np.linspace(-1, 2, 6, dtype=dtype).reshape(2, 3)
    before = x.copy()

    found = gradient(lambda x: (np.sin(x) * x).sum(), x)

    exact = np.sin(x.astype(float)) + np.cos(x.astype(float)) * x
    assert found.value.shape == x.shape
    assert (np.abs(found.value - exact) <= found.error_bound).all()
    assert found.error_bound.max() < (1e-11 if dtype is np.float64 else 1e-2)
    assert (x == before).all()


def test_jacobian_shares_evaluations_between_outputs() -> None:
    matrix = np.arange(6.0).reshape(2, 3)
    calls = []

    def f(x: np.ndarray) -> np.ndarray:
        calls.append(x)
        return matrix @ x**2

    found = jacobian(f, np.array([1.0, 2.0, -1.0]))

    exact = matrix * [2.0, 4.0, -2.0]
    assert found.value.shape == (2, 3)
    assert (np.abs(found.value - exact) <= found.error_bound + 1e-15).all()
    assert found.evaluations == len(calls)


def test_empty_arrays_have_empty_derivatives() -> None:
    assert gradient(np.sum, np.zeros((0, 3))).value.shape == (0, 3)
    assert jacobian(lambda x: x, np.zeros(0)).value.shape == (0, 0)
    assert jacobian(lambda x: x[:0], np.zeros(2)).value.shape == (0, 2)


def test_gradient_wants_real_arrays() -> None:
    with pytest.raises(TypeError, match="real numbers"):
        gradient(np.sum, np.zeros(2, dtype=complex))


def test_linear_function_takes_four_evaluations_when_its_noise_is_known() -> None:
    found = along(lambda t: 3 * t, noise=1e-15)

    assert found.evaluations == 4
    assert abs(found.value - 3) <= found.error_bound < 1e-11


@pytest.mark.parametrize("phi", [math.sin, math.expm1, math.tanh, lambda t: t / (1 + t)])
def test_smooth_function_takes_at_most_eight_evaluations_for_a_moderate_target(
    phi: Callable[[float], float],
) -> None:
    found = along(phi, noise=1e-15, target=1e-8)

    assert found.evaluations <= 8
    assert abs(found.value - 1) <= found.error_bound <= 1e-8


def test_known_noise_limits_the_bound_from_below() -> None:
    assert along(lambda t: 2 * t, floor=1e-3).error_bound > 1e-3
    assert along(lambda t: 2 * t, noise=1e-3).error_bound > 1e-3


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_steps_have_few_digits_in_the_given_type(dtype: type) -> None:
    steps = []

    def phi(t: float) -> float:
        steps.append(t)
        return math.sin(t)

    found = along(phi, dtype=dtype)

    assert abs(found.value - 1) <= found.error_bound
    one = dtype(1)
    assert all(float(one + dtype(t)) - 1 == t for t in steps if abs(t) > 0.01)


def test_scale_moves_the_steps_of_along() -> None:
    found = along(lambda t: math.sin(1e5 * t), scale=1e-5, noise=1e-16)

    assert found.evaluations <= 10
    assert abs(found.value - 1e5) <= found.error_bound < 1e-6


def test_vectorized_function_gives_the_same_bounds_in_a_tenth_of_the_calls():
    calls = []

    def f(points):
        calls.append(len(points))
        return np.exp(np.sin(points))

    found = derivative(f, 0.7, vectorized=True)
    alone = derivative(lambda t: np.exp(np.sin(t)), 0.7)
    exact = math.cos(0.7) * math.exp(math.sin(0.7))
    assert abs(found.value - exact) <= found.error_bound <= 1e-10
    assert found.value == pytest.approx(alone.value, abs=found.error_bound + alone.error_bound)
    assert len(calls) <= alone.evaluations / 3
    assert found.evaluations == sum(calls)


def test_vectorized_function_is_asked_one_by_one_at_the_end_of_its_domain():
    def f(points):
        if np.any(points < 0):
            raise ValueError("outside")
        return points**1.5 + points

    found = derivative(f, 0.0, vectorized=True)
    assert abs(found.value - 1.0) <= found.error_bound


def test_vectorized_function_has_to_return_a_value_for_every_point():
    with pytest.raises(ValueError, match="along the first axis"):
        derivative(lambda t: 1.0, 0.0, vectorized=True)


def test_gradient_and_jacobian_of_stacked_points():
    x = np.array([[0.3, -1.2], [2.0, 0.1]])
    found = gradient(lambda p: np.sum(np.sin(p), axis=(1, 2)), x, vectorized=True)
    assert np.all(np.abs(found.value - np.cos(x)) <= found.error_bound)
    rows = jacobian(lambda p: p[:, 0] * p[:, 1], x, vectorized=True)
    assert rows.value.shape == (2, 2, 2)
    np.testing.assert_allclose(rows.value[0], [[2.0, 0.0], [0.3, 0.0]], atol=1e-9)
