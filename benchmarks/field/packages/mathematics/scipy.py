"""scipy: test functions, distributions and their densities, splines, special functions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import drawn, functions, load, normal, uniform
from benchmarks.field.readings import Reading, elementwise, loss


def _distribution(name: str, x: Any, *shape: float, f: str = "cdf", g: str = "pdf") -> Item:
    def make() -> tuple:
        frozen = load(f"scipy.stats:{name}")(*shape)
        return ((getattr(frozen, f), getattr(frozen, g)), *drawn((x,)))

    return Item(f"{name} {f}", make, elementwise())


def _curve(name: str, make_curve: Callable[[np.ndarray, np.ndarray], Any]) -> Item:
    def make() -> tuple:
        curve = make_curve(np.linspace(0.0, 1.0, 9), np.random.default_rng(3).standard_normal(9))
        return ((curve, curve.derivative()), *drawn((uniform(7),)))

    return Item(name, make, elementwise())


def _least_squares() -> tuple:
    t, y, at = drawn((uniform(9), normal(9), uniform(2)))
    return (
        (
            lambda p: p[0] * np.exp(-p[1] * t) - y,
            lambda p: np.stack([np.exp(-p[1] * t), -p[0] * t * np.exp(-p[1] * t)], axis=1),
        ),
        at,
    )


def _read_jacobian(thing: Any, at: np.ndarray) -> Reading:
    f, g = thing
    return Reading(lambda: f(at), lambda c: [c @ g(at)], [at])


def _special(f: str, g: str, x: Any) -> Item:
    return Item(
        f"{f} and {g}",
        functions(f"scipy.special:{f}", f"scipy.special:{g}", given=(x,)),
        elementwise(),
    )


PACKAGE = Package(
    "scipy==1.17.1",
    (
        Item("rosen", functions("scipy.optimize:rosen", "scipy.optimize:rosen_der",
                                given=(normal(5),)),
             loss(), ("scipy.optimize._optimize:rosen_der",)),
        _distribution("norm", normal(8), 0.2, 1.3),
        _distribution("expon", uniform(8), 0.0, 1.3),
        _distribution("gamma", uniform(8), 2.5),
        _distribution("beta", uniform(8), 2.5, 1.5),
        _distribution("t", normal(8), 4.0),
        _distribution("logistic", normal(8)),
        _distribution("weibull_min", uniform(8), 1.7),
        _special("gammaln", "psi", uniform(8, low=0.5, high=4.0)),
        _curve("CubicSpline", lambda x, y: load("scipy.interpolate:CubicSpline")(x, y)),
        _curve("PchipInterpolator",
               lambda x, y: load("scipy.interpolate:PchipInterpolator")(x, y)),
        _curve("Akima1DInterpolator",
               lambda x, y: load("scipy.interpolate:Akima1DInterpolator")(x, y)),
        _curve("make_interp_spline",
               lambda x, y: load("scipy.interpolate:make_interp_spline")(x, y)),
        Item("least squares of an exponential", _least_squares, _read_jacobian, kind="jacobian"),
    ),
)  # fmt: skip
