"""What scipy.optimize is given is checked as it is: the solvers run with the same functions."""

from __future__ import annotations

from functools import wraps

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import (
    curve_fit,
    least_squares,
    minimize,
    newton,
    root,
    rosen,
    rosen_der,
    rosen_hess,
    rosen_hess_prod,
)
from scipy.sparse import csr_matrix

from gradcheck import check

START = np.array([0.1, 0.2, 0.3, -0.5])
TIMES = np.linspace(0.0, 1.0, 8)
DATA = 2.0 * np.exp(-1.3 * TIMES)


def wrong(function, factor=1.5):
    """Return a function whose result is too large."""

    @wraps(function)
    def too_large(*arguments):
        return factor * function(*arguments)

    return too_large


def residuals(p, t, y):
    return p[0] * np.exp(-p[1] * t) - y


def jacobian(p, t, y):
    e = np.exp(-p[1] * t)
    return np.stack([e, -p[0] * t * e], axis=1)


def system(x):
    difference = x[0] - x[1]
    return np.array([x[0] + 0.5 * difference**3 - 1.0, -0.5 * difference**3 + x[1]])


def system_jacobian(x):
    square = 1.5 * (x[0] - x[1]) ** 2
    return np.array([[1 + square, -square], [-square, 1 + square]])


def test_minimize_with_a_gradient_beside_the_value():
    def both(x):
        return rosen(x), rosen_der(x)

    assert minimize(both, START, jac=True).success
    assert check(both, START).ok
    assert not check(lambda x: (rosen(x), wrong(rosen_der)(x)), START, explain=False).ok


@pytest.mark.parametrize("second", [{"hess": rosen_hess}, {"hessp": rosen_hess_prod}])
def test_minimize_with_second_derivatives(second):
    (function,) = second.values()

    assert minimize(rosen, START, method="trust-ncg", jac=rosen_der, **second).success
    assert check((rosen, rosen_der, function), START).ok
    assert check((rosen_der, function), START).ok
    assert not check((rosen, rosen_der, wrong(function)), START, explain=False).ok


def test_minimize_takes_points_of_whole_numbers_and_lists():
    assert check((rosen, rosen_der, rosen_hess), np.array([1, 2, 3])).ok
    assert check((rosen, rosen_der, rosen_hess), [0.1, 0.2, 0.3]).ok


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_least_squares_with_more_arguments(form):
    def jac(p, t, y):
        return form(jacobian(p, t, y))

    found = least_squares(residuals, [1.0, 1.0], jac=jac, args=(TIMES, DATA))
    report = check((residuals, jac), np.array([1.0, 1.0]), TIMES, DATA)

    assert found.success
    assert report.ok, str(report)
    assert not check((residuals, wrong(jac)), np.array([1.0, 1.0]), TIMES, DATA, explain=False).ok


def test_root_with_a_jacobian_apart_and_beside():
    def both(x):
        return system(x), system_jacobian(x)

    x = np.array([0.3, 0.9])

    assert root(system, x, jac=system_jacobian).success
    assert root(both, x, jac=True).success
    assert check((system, system_jacobian), x).ok
    assert check(both, x).ok


def test_a_wrong_jacobian_beside_the_outputs_is_named():
    def both(x):
        J = system_jacobian(x)
        J[1] = -J[1]
        return system(x), J

    report = check(both, np.array([0.3, 0.9]))

    assert report.explanations[0].code == "sign_flipped"
    assert report.tensors["x"].jacobian.region == "row 1 of 2 of the Jacobian (2, 2)"


def test_curve_fit_has_a_column_for_each_number():
    def curve(t, a, b):
        return a * np.exp(-b * t)

    def jac(t, a, b):
        e = np.exp(-b * t)
        return np.stack([e, -a * t * e], axis=1)

    def second_too_large(t, a, b):
        J = jac(t, a, b)
        J[:, 1] *= 2
        return J

    curve_fit(curve, TIMES, DATA, p0=[1.0, 1.0], jac=jac)
    report = check((curve, second_too_large), TIMES, 1.0, 1.0, explain=False)

    assert check((curve, jac), TIMES, 1.0, 1.0).ok
    assert report.tensors["a"].ok
    assert not report.tensors["b"].ok


def test_newton_with_two_derivatives_of_a_number():
    functions = (lambda x: x**3 - 1.0, lambda x: 3 * x**2, lambda x: 6 * x)

    assert newton(functions[0], 1.3, fprime=functions[1], fprime2=functions[2]) == pytest.approx(
        1.0
    )
    assert check(functions, 1.3).ok
    assert not check((*functions[:2], wrong(functions[2])), 1.3, explain=False).ok


def test_solve_ivp_is_differentiated_by_the_state():
    def pendulum(t, y):
        return np.array([y[1], -np.sin(y[0]) * t])

    def jac(t, y):
        return np.array([[0.0, 1.0], [-np.cos(y[0]) * t, 0.0]])

    y = np.array([0.3, 0.9])

    assert solve_ivp(pendulum, (0, 1), y, method="Radau", jac=jac).success
    assert check((pendulum, jac), 0.5, y).ok
