"""Functions with known derivatives, for tests and benchmarks of the derivative.

Smooth functions are written once, over a module ``m`` that is either `DOUBLE` (float64) or mpmath
(many digits), so that the exact derivative needs no formula that could be wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
from scipy import special

DOUBLE = SimpleNamespace(
    exp=math.exp, log=math.log, sqrt=math.sqrt, sin=math.sin, cos=math.cos, tan=math.tan,
    tanh=math.tanh, sinh=math.sinh, cosh=math.cosh, asinh=math.asinh, atan=math.atan,
    asin=math.asin, acos=math.acos, atanh=math.atanh, erf=math.erf, erfc=math.erfc,
    gamma=math.gamma, loggamma=math.lgamma, log1p=math.log1p, expm1=math.expm1, cbrt=math.cbrt,
    besselj=lambda n, x: float(special.jv(n, x)), airyai=lambda x: float(special.airy(x)[0]),
    digamma=lambda x: float(special.digamma(x)), lambertw=lambda x: float(special.lambertw(x).real),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A function, a point and the derivative there (infinite where the slope is)."""

    name: str
    f: Callable[[Any], Any]
    t: Any
    exact: float


Formula = Callable[[Any, Any], Any]

SMOOTH: dict[str, tuple[Formula, list[float]]] = {
    "exp": (lambda m, x: m.exp(x), [-20, -1, 0, 1e-8, 0.3, 1, 5, 30, 100]),
    "sin": (lambda m, x: m.sin(x), [0, 1e-8, 1e-3, 0.5, 1, 1.5707963, 3, 10, 100, 12345.6]),
    "cos": (lambda m, x: m.cos(x), [0, 1e-8, 0.7, 2, 40]),
    "tan": (lambda m, x: m.tan(x), [0, 0.5, 1.2, 1.55]),
    "tanh": (lambda m, x: m.tanh(x), [-3, -0.1, 0, 1, 5, 12]),
    "sigmoid": (lambda m, x: 1 / (1 + m.exp(-x)), [-8, 0, 0.4, 6]),
    "softplus": (lambda m, x: m.log1p(m.exp(x)), [-10, 0, 2]),
    "gelu": (lambda m, x: x * (1 + m.erf(x / m.sqrt(2))) / 2, [-2, 0, 1.5]),
    "swish": (lambda m, x: x / (1 + m.exp(-x)), [-4, 0, 3]),
    "log": (lambda m, x: m.log(x), [1e-8, 1e-3, 0.5, 1, 2, 1e3, 1e8]),
    "log1p": (lambda m, x: m.log1p(x), [-0.999, 1e-8, 0.5]),
    "sqrt": (lambda m, x: m.sqrt(x), [1e-8, 1e-4, 0.01, 1, 7, 1e8]),
    "x**2.5": (lambda m, x: x ** m.sqrt(6.25), [1e-6, 0.5, 4]),
    "1/x": (lambda m, x: 1 / x, [1e-8, 1e-3, -0.2, 1, 50, 1e8]),
    "1/x**2": (lambda m, x: 1 / x**2, [0.01, 1, -3]),
    "runge": (lambda m, x: 1 / (1 + 25 * x**2), [0, 0.1, 0.5, 2]),
    "narrow runge": (lambda m, x: 1 / (1 + 1e8 * x**2), [1e-4, 0.01, 1]),
    "gauss": (lambda m, x: m.exp(-(x**2)), [0, 0.5, 2, 5]),
    "flat": (lambda m, x: m.exp(-1 / x**2), [0.05, 0.1, 0.2, 0.5, 1]),
    "atan": (lambda m, x: m.atan(x), [0, 1, -20]),
    "asinh": (lambda m, x: m.asinh(x), [0.1, 100]),
    "asin": (lambda m, x: m.asin(x), [0, 0.5, 0.99, 0.999999]),
    "acos": (lambda m, x: m.acos(x), [-0.3, 0.9999]),
    "atanh": (lambda m, x: m.atanh(x), [0.5, 0.999]),
    "erf": (lambda m, x: m.erf(x), [0, 0.5, 2, 4]),
    "erfc": (lambda m, x: m.erfc(x), [1, 6]),
    "gamma": (lambda m, x: m.gamma(x), [0.5, 1.4616321449683622, 3, 10.5, -1.5]),
    "lgamma": (lambda m, x: m.loggamma(x), [0.1, 2, 30, 1e6]),
    "digamma": (lambda m, x: m.digamma(x), [0.3, 4]),
    "bessel 0": (lambda m, x: m.besselj(0, x), [0, 1, 5, 30]),
    "bessel 3": (lambda m, x: m.besselj(3, x), [0.5, 8]),
    "airy": (lambda m, x: m.airyai(x), [-5, 0, 2]),
    "lambert w": (lambda m, x: m.lambertw(x), [0.1, 3]),
    "sin(100x)": (lambda m, x: m.sin(100 * x), [0, 0.3, 1, 7]),
    "sin(1e6x)": (lambda m, x: m.sin(1e6 * x), [1e-6, 0.1, 1]),
    "sin(64 pi x)": (lambda m, x: m.sin(64 * 3.141592653589793 * x), [0, 0.25, 1]),
    "sin(1e8x)": (lambda m, x: m.sin(1e8 * x), [0, 1e-8, 3e-8]),
    "sin(x/1e8)": (lambda m, x: m.sin(x / 1e8), [0, 1, 1e8]),
    "exp(-x/1e6)": (lambda m, x: m.exp(-x / 1e6), [0, 1, 1e6]),
    "1e8 tanh": (lambda m, x: 1e8 * m.tanh(x), [0.5, 3]),
    "1e-8 tanh": (lambda m, x: 1e-8 * m.tanh(x), [0.5, 3]),
    "1e12 + x^2": (lambda m, x: 1e12 + x**2, [1e-3, 1, 100]),
    "1e8 + sin": (lambda m, x: 1e8 + m.sin(x), [0, 1, 4]),
    "1e4 + sin": (lambda m, x: 1e4 + m.sin(x), [0, 1]),
    "cubic": (lambda m, x: x**3 - 2 * x + 5, [-1, 0, 0.816496580927726, 2, 1e4]),
    "x^9": (lambda m, x: x**9, [0, 0.1, 1, 3]),
    "(x-1)^7 expanded": (
        lambda m, x: x**7 - 7 * x**6 + 21 * x**5 - 35 * x**4 + 35 * x**3 - 21 * x**2 + 7 * x - 1,
        [1, 1.01, 2],
    ),
    "chebyshev 20": (lambda m, x: m.cos(20 * m.acos(x)), [0, 0.3, 0.9]),
    "1-cos": (lambda m, x: 1 - m.cos(x), [0, 1e-6, 0.1]),
    "log(1+x)": (lambda m, x: m.log(1 + x), [1e-8, 1e-3]),
    "exp sin": (lambda m, x: m.exp(m.sin(3 * x)), [0, 1, 20]),
    "sin(x^2)": (lambda m, x: m.sin(x**2), [0, 1, 10, 50]),
    "sin(1/x)": (lambda m, x: m.sin(1 / x), [0.01, 0.1, 1]),
    "x^x": (lambda m, x: m.exp(x * m.log(x)), [0.1, 1, 5]),
    "softmax loss": (lambda m, x: m.log(m.exp(x) + m.exp(2 - x) + 3) - x, [-2, 0, 4]),
    "expm1/x": (lambda m, x: m.expm1(x) / x, [1e-3, 1]),
    "slow + fast": (lambda m, x: m.sin(x) + m.sin(50 * x) / 50, [0.2, 1]),
    "steep tanh": (lambda m, x: m.tanh(1e4 * (x - 0.3)), [0.3, 0.30001, 0.301]),
    "constant": (lambda m, x: 5 + 0 * x, [0, 1, 1e6]),
    "linear": (lambda m, x: 3 * x - 7, [0, 1, 1e8, -1e-8]),
}  # fmt: skip


def smooth_cases() -> Iterator[Case]:
    """Smooth float64 functions, with derivatives from 60 digits."""
    for name, (formula, points) in SMOOTH.items():
        for t in points:
            yield smooth_case(name, formula, t)


def smooth_case(name: str, formula: Formula, t: float) -> Case:
    with mpmath.workdps(60):
        exact = mpmath.diff(lambda x: formula(mpmath.mp, x), mpmath.mpf(t))
        return Case(
            f"{name} at {t:g}", lambda x: formula(DOUBLE, x), float(t), float(mpmath.re(exact))
        )


def _kinked(left: float, right: float, at: float, offset: float) -> Callable[[float], float]:
    return lambda x: offset + (right if x > at else left) * (x - at) + math.sin(x)


def kinked_cases(seed: int = 0, count: int = 60) -> Iterator[Case]:
    """Kinks near the point: the slope of its own side is wanted."""
    for distance in (3e-7, -3e-7, 1e-5, -1e-3, 0.02):
        yield Case(f"relu at {distance}", lambda x: max(x, 0.0), distance, float(distance > 0))
        yield Case(
            f"leaky relu at {distance}",
            lambda x: max(x, 0.01 * x),
            distance,
            1.0 if distance > 0 else 0.01,
        )
        yield Case(
            f"|x - {distance}|", lambda x, d=distance: abs(x - d), 0.0, -math.copysign(1, distance)
        )
    rng = np.random.default_rng(seed)
    for _ in range(count):
        distance = float(rng.choice([-1, 1]) * 10 ** rng.uniform(-9, 0))
        left, right = (float(s) for s in rng.normal(size=2) * 10 ** rng.uniform(-3, 3))
        t = float(rng.choice([0.0, 1.0, -0.7, 13.3]))
        offset = float(rng.choice([0.0, 1.0, -30.0]))
        slope = (left if distance > 0 else right) + math.cos(t)
        yield Case(
            f"slopes {left:.2g}, {right:.2g} meet {distance:.1e} from {t}, offset {offset}",
            _kinked(left, right, t + distance, offset),
            t,
            slope,
        )


def piecewise_cases(seed: int = 0, count: int = 30) -> Iterator[Case]:
    """Many kinks: random walks between grid points, and ReLU networks along a line."""
    rng = np.random.default_rng(seed)
    for spacing in 10.0 ** rng.uniform(-6, -1, size=count):
        grid = spacing * np.arange(1000)
        heights = np.cumsum(rng.normal(size=1000)) * spacing
        cell = int(rng.integers(300, 700))
        yield Case(
            f"kinks every {spacing:.1e}",
            lambda x, g=grid, h=heights: float(np.interp(x, g, h)),
            float(grid[cell] + rng.uniform(0.2, 0.8) * spacing),
            float((heights[cell + 1] - heights[cell]) / (grid[cell + 1] - grid[cell])),
        )
    for width in rng.integers(3, 40, size=count):
        first, bias, last = rng.normal(size=(3, width))
        second = rng.normal(size=(width, width)) / math.sqrt(width)
        t = float(rng.normal())
        active = first * t + bias > 0
        hidden = second @ np.maximum(first * t + bias, 0) > 0
        yield Case(
            f"ReLU network of width {width}",
            lambda x, a=first, b=bias, c=second, d=last: float(
                d @ np.maximum(c @ np.maximum(a * x + b, 0), 0)
            ),
            t,
            float((last * hidden) @ (second @ (first * active))),
        )


def limited_cases(seed: int = 0, count: int = 60) -> Iterator[Case]:
    """Powers of |x|: limited smoothness at the point or beside it."""
    rng = np.random.default_rng(seed)
    for power in rng.uniform(1.25, 6, size=count):
        signed = bool(rng.integers(2))
        distance = float(rng.choice([0, 1]) * 10 ** rng.uniform(-8, 0))
        slope = power * distance ** (power - 1)

        def f(x: float, p: float = power, d: float = distance, odd: bool = signed) -> float:
            return abs(x + d) ** p * (math.copysign(1, x + d) if odd else 1) + math.exp(x)

        kind = "sign(x)" if signed else ""
        yield Case(f"{kind}|x|^{power:.2f} at {distance:.1e}", f, 0.0, slope + 1)


def tame_cases() -> Iterator[Case]:
    """Those smooth cases whose scale is that of the point or 1."""
    badly_scaled = ("1e", "expanded", "steep", "narrow", "100", "64 pi", "1/x at", "sin(")
    for case in smooth_cases():
        small = abs(case.t) <= 50 and abs(case.exact) <= 1e4
        if small and not any(word in case.name for word in badly_scaled):
            yield case


def narrow_cases() -> Iterator[Case]:
    """Functions rounded to float32 and float16: their type shown, or hidden in a float."""
    for case in tame_cases():
        for narrow in (np.float32, np.float16):
            if abs(case.exact) < 1e-3:
                continue
            name = f"{case.name} in {narrow.__name__}"
            yield Case(name, lambda x, f=case.f, n=narrow: n(f(x)), case.t, case.exact)
            if case.t != 0:  # where f vanishes, noise that vanishes with it cannot be measured
                yield Case(
                    f"{name}, hidden",
                    lambda x, f=case.f, n=narrow: float(n(f(x))),
                    case.t,
                    case.exact,
                )


def narrow_argument_cases(seed: int = 0) -> Iterator[Case]:
    """Float32 and float16 arithmetic throughout: points of that type, or rounded to it inside."""
    table: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
        "exp": (np.exp, math.exp),
        "sin": (np.sin, math.cos),
        "tanh": (np.tanh, lambda x: 1 - math.tanh(x) ** 2),
        "log": (np.log, lambda x: 1 / x),
        "sqrt": (np.sqrt, lambda x: 0.5 / math.sqrt(x)),
        "square": (lambda x: x * x, lambda x: 2 * x),
        "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: 1 / (2 + 2 * math.cosh(x))),
        "cubic": (lambda x: ((x - 2) * x + 1) * x - 3, lambda x: 3 * x * x - 4 * x + 1),
    }
    rng = np.random.default_rng(seed)
    for name, (f, slope) in table.items():
        for narrow in (np.float32, np.float16):
            for t in rng.uniform(0.2, 4, size=4):
                point = narrow(t)
                label = f"{name} of {narrow.__name__}"
                yield Case(f"{label} at {point}", f, point, slope(float(point)))
                yield Case(
                    f"{label} rounded at {t:.3g}",
                    lambda x, f=f, n=narrow: float(f(n(x))),
                    float(t),
                    slope(float(t)),
                )


def noisy_cases(seed: int = 0) -> Iterator[Case]:
    """Smooth functions with noise of all sizes: random, or a function of the argument's bits."""
    rng = np.random.default_rng(seed)
    for index, case in enumerate(tame_cases()):
        amplitude = 10 ** rng.uniform(-15, -2)
        size = amplitude * max(abs(case.f(case.t)), min(1.0, abs(case.exact) / 10))
        source = np.random.default_rng([seed, index])
        name = f"{case.name} with noise {amplitude:.0e}"
        yield Case(
            f"{name}, normal",
            lambda x, f=case.f, a=size, r=source: f(x) + a * r.normal(),
            case.t,
            case.exact,
        )
        yield Case(
            f"{name}, multiplicative",
            lambda x, f=case.f, a=amplitude, r=source: f(x) * (1 + a * r.uniform(-1, 1)),
            case.t,
            case.exact,
        )
        yield Case(
            f"{name}, hashed",
            lambda x, f=case.f, a=size: f(x) + a * math.sin(1e5 * (hash(x) % 100003)),
            case.t,
            case.exact,
        )
