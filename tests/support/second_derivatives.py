"""Functions with known second derivatives, for tests and benchmarks.

Those of `tests.support.functions` differentiated once more, and random compositions, at random
points, in random units.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import mpmath
import numpy as np

from tests.support.functions import DOUBLE, SMOOTH, Case, Formula, tame_cases

DIGITS = 60

# Curvature in natural units, relative to the function, below which a composition is left out.
SATURATED = 1e-6

# What random compositions are made of; each is smooth and finite wherever it is used.
OUTER: dict[str, Formula] = {
    "exp": lambda m, u: m.exp(u / 3),
    "sin": lambda m, u: m.sin(u),
    "tanh": lambda m, u: m.tanh(u),
    "log": lambda m, u: m.log(u**2 + 2),
    "sqrt": lambda m, u: m.sqrt(u**2 + 1),
    "inverse": lambda m, u: 1 / (u**2 + 1),
    "gauss": lambda m, u: m.exp(-(u**2) / 4),
    "atan": lambda m, u: m.atan(u),
    "softplus": lambda m, u: m.log1p(m.exp(u)),
    "erf": lambda m, u: m.erf(u),
    "square": lambda m, u: u**2,
    "cubic": lambda m, u: u**3 / 6 - u,
}
JOINED: dict[str, Callable[[Any, Any], Any]] = {
    "plus": lambda a, b: a + b,
    "times": lambda a, b: a * b,
    "over": lambda a, b: a / (b * b + 1),
}


@dataclass(frozen=True)
class ArrayCase:
    """A function of an array, a point, and the matrix of second derivatives there."""

    name: str
    f: Callable[[Any], Any]
    x: np.ndarray
    exact: np.ndarray


def second(formula: Formula, t: float) -> float:
    with mpmath.workdps(DIGITS):
        return float(mpmath.re(mpmath.diff(lambda x: formula(mpmath.mp, x), mpmath.mpf(t), 2)))


def twice(name: str, formula: Formula, t: float) -> Case:
    return Case(f"{name} at {t:g}", lambda x: formula(DOUBLE, x), float(t), second(formula, t))


def smooth_cases() -> Iterator[Case]:
    """The smooth functions of the table, tame and badly scaled."""
    for name, (formula, points) in SMOOTH.items():
        for t in points:
            yield twice(name, formula, t)


def composition(rng: np.random.Generator) -> tuple[str, Formula]:
    """Return a random composition of three functions of one variable."""
    first, other, around = rng.choice(list(OUTER), size=3)
    join = str(rng.choice(list(JOINED)))
    a, b, c, d = (float(v) for v in rng.uniform(0.3, 2, size=4) * rng.choice([-1, 1], size=4))

    def formula(m: Any, x: Any) -> Any:
        joined = JOINED[join](OUTER[first](m, a * x + b), OUTER[other](m, c * x + d))
        return OUTER[around](m, joined)

    return f"{around}({first} {join} {other})", formula


def generated_cases(seed: int, count: int = 200) -> Iterator[Case]:
    """Random compositions at random points, of units from 1e-3 to 1e6 and with offsets.

    In shorter units some are polynomials as far as the first samples reach, which hides what they
    are at the point. None is so saturated that its curvature is lost in the rounding of its values.
    """
    rng = np.random.default_rng(seed)
    index = 0
    while index < count:
        name, formula = composition(rng)
        t = float(rng.uniform(-2, 2))
        if abs(second(formula, t)) < SATURATED * (1 + abs(formula(DOUBLE, t))):
            continue
        index += 1
        unit, size = 10.0 ** rng.uniform([-3, -6], 6)
        offset = float(rng.choice([0.0, 0.0, 1.0, -100.0]))

        def scaled(
            m: Any, x: Any, g: Formula = formula, u: Any = unit, s: Any = size, o: float = offset
        ) -> Any:
            return float(s) * (g(m, x / float(u)) + o)

        yield twice(f"{index}: {name}, unit {unit:.0e}", scaled, t * float(unit))


def tame() -> Iterator[Case]:
    """Smooth functions of unit scale, of which the second derivative does not nearly vanish."""
    for case in tame_cases():
        name, _, t = case.name.rpartition(" at ")
        exact = second(SMOOTH[name][0], case.t)
        if abs(exact) >= 1e-3:
            yield replace(case, name=f"{name} at {t}", exact=exact)


def noisy_cases(seed: int) -> Iterator[Case]:
    """Smooth functions with random noise, or noise that depends on the bits of the argument."""
    rng = np.random.default_rng(seed)
    for index, case in enumerate(tame()):
        amplitude = 10 ** rng.uniform(-15, -2)
        size = amplitude * max(abs(case.f(case.t)), min(1.0, abs(case.exact) / 10))
        source = np.random.default_rng([seed, index])
        yield replace(
            case,
            name=f"{case.name} with noise {amplitude:.0e}",
            f=lambda x, f=case.f, a=size, r=source: f(x) + a * r.normal(),
        )
        yield replace(
            case,
            name=f"{case.name} with hashed noise {amplitude:.0e}",
            f=lambda x, f=case.f, a=size: f(x) + a * math.sin(1e5 * (hash(x) % 100003)),
        )


def narrow_cases() -> Iterator[Case]:
    """Functions rounded to float32 and float16: their type shown, or hidden in a float."""
    for case in tame():
        for narrow in (np.float32, np.float16):
            name = f"{case.name} in {narrow.__name__}"
            yield replace(case, name=name, f=lambda x, f=case.f, n=narrow: n(f(x)))
            if case.t != 0:  # as for first derivatives
                yield replace(
                    case, name=f"{name}, hidden", f=lambda x, f=case.f, n=narrow: float(n(f(x)))
                )


def narrow_argument_cases(seed: int) -> Iterator[Case]:
    """Points of float32 and float16, with arithmetic in that type."""
    table: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
        "exp": (np.exp, math.exp),
        "sin": (np.sin, lambda x: -math.sin(x)),
        "tanh": (np.tanh, lambda x: -2 * math.tanh(x) / math.cosh(x) ** 2),
        "log": (np.log, lambda x: -1 / x**2),
        "sqrt": (np.sqrt, lambda x: -0.25 * x**-1.5),
        "square": (lambda x: x * x, lambda x: 2.0),
        "cubic": (lambda x: ((x - 2) * x + 1) * x - 3, lambda x: 6 * x - 4),
    }
    rng = np.random.default_rng(seed)
    for name, (f, exact) in table.items():
        for narrow in (np.float32, np.float16):
            for t in rng.uniform(0.2, 4, size=4):
                point = narrow(t)
                yield Case(f"{name} of {narrow.__name__} {point}", f, point, exact(float(point)))


def kinked_cases(seed: int, count: int = 60) -> Iterator[Case]:
    """Kinks of f (power 1) and of f' (power 2) beside the point: its own side is wanted."""
    rng = np.random.default_rng(seed)
    for index in range(2 * count):
        power = 1 + index % 2
        distance = float(rng.choice([-1, 1]) * 10 ** rng.uniform(-9, 0))
        left, right = (float(s) for s in rng.normal(size=2) * 10 ** rng.uniform(-3, 3))
        t = float(rng.choice([0.0, 1.0, -0.7, 13.3]))
        own = (left if distance > 0 else right) if power == 2 else 0.0

        def f(x: float, a: float = t + distance, s: Any = (left, right), p: int = power) -> float:
            return s[x > a] * (x - a) ** p + math.sin(x)

        yield Case(
            f"{left:.2g}, {right:.2g} times (x - a)^{power}, a {distance:.1e} from {t}",
            f,
            t,
            2 * own - math.sin(t),
        )


def limited_cases(seed: int, count: int = 60) -> Iterator[Case]:
    """Powers of |x|: limited smoothness at the point or beside it."""
    rng = np.random.default_rng(seed)
    for power in rng.uniform(2.25, 7, size=count):
        signed = bool(rng.integers(2))
        distance = float(rng.choice([0, 1]) * 10 ** rng.uniform(-8, 0))

        def f(x: float, p: float = power, d: float = distance, odd: bool = signed) -> float:
            return abs(x + d) ** p * (math.copysign(1, x + d) if odd else 1) + math.exp(x)

        exact = power * (power - 1) * distance ** (power - 2) + 1
        yield Case(f"{'sign(x)' * signed}|x|^{power:.2f} at {distance:.1e}", f, 0.0, exact)


def piecewise_cases(seed: int, count: int = 30) -> Iterator[Case]:
    """Many kinks: of f, in polygons, and of f', in their integrals."""
    rng = np.random.default_rng(seed)
    for spacing in 10.0 ** rng.uniform(-5, -1, size=count):
        heights = np.cumsum(rng.normal(size=1000)) * spacing
        areas = np.concatenate([[0.0], np.cumsum((heights[1:] + heights[:-1]) / 2 * spacing)])
        cell = int(rng.integers(300, 700))
        t = float((cell + rng.uniform(0.2, 0.8)) * spacing)

        def polygon(x: float, s: float = spacing, h: Any = heights) -> float:
            k = min(max(int(x / s), 0), len(h) - 2)
            return float(h[k] + (h[k + 1] - h[k]) * (x / s - k))

        def integral(x: float, s: float = spacing, h: Any = heights, a: Any = areas) -> float:
            k = min(max(int(x / s), 0), len(h) - 2)
            u = x - k * s
            return float(a[k] + h[k] * u + (h[k + 1] - h[k]) / s * u * u / 2)

        yield Case(f"polygon of {spacing:.1e}", polygon, t, 0.0)
        rise = float((heights[cell + 1] - heights[cell]) / spacing)
        yield Case(f"integral of a polygon of {spacing:.1e}", integral, t, rise)


def array_cases(seed: int, count: int = 40) -> Iterator[ArrayCase]:
    """Random functions of two to four entries, whose units differ by up to 12 orders."""
    rng = np.random.default_rng(seed)
    for index in range(count):
        size = int(rng.integers(2, 5))
        units = 10.0 ** rng.uniform(-6, 6, size=size)
        weights = rng.uniform(0.3, 1, size=(2, size)) * rng.choice([-1, 1], size=(2, size))
        names = [str(each) for each in rng.choice(list(OUTER), size=3)]
        join = str(rng.choice(list(JOINED)))

        def value(
            m: Any, x: Any, n: Any = names, j: str = join, u: Any = units, w: Any = weights
        ) -> Any:
            a, b = (
                sum(float(c) * v / float(s) for c, v, s in zip(row, x, u, strict=True)) for row in w
            )
            return OUTER[n[2]](m, JOINED[j](OUTER[n[0]](m, a), OUTER[n[1]](m, b)))

        x = units * rng.uniform(-2, 2, size=size)
        yield ArrayCase(
            f"{index}: {names[2]}({names[0]} {join} {names[1]}) of {size}",
            lambda p, g=value: g(DOUBLE, [float(v) for v in p]),
            x,
            exact_hessian(value, x),
        )


def exact_hessian(formula: Callable[[Any, Any], Any], x: np.ndarray) -> np.ndarray:
    exact = np.empty((x.size, x.size))
    with mpmath.workdps(DIGITS):
        for i, j in np.ndindex(exact.shape):
            times = [int(k == i) + int(k == j) for k in range(x.size)]
            exact[i, j] = mpmath.diff(
                lambda *p: formula(mpmath.mp, p), tuple(map(mpmath.mpf, x)), tuple(times)
            )
    return exact
