"""Race of `gradcheck.derivative` and `hessian` against SciPy, numdifftools and jacobi.

Run with ``python -m benchmarks.derivative``; needs mpmath, numdifftools and jacobi. A bound holds
when the error does not exceed it by more than the rounding of the exact value. An answer that is
not finite, or an exception, holds only where the bound is infinite, and counts as undecided. The
rivals state an estimate of their error rather than a bound. The second derivative of jacobi, which
has none of its own, is its derivative of its derivative. Of a Hessian the entry that is worst off
counts.
"""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck import derivative, hessian
from tests.support import functions, second_derivatives

ROUNDING = 4 * float(np.finfo(float).eps)
SEED = 11

Array = NDArray[Any]

Function = Callable[[Any], Any]
Rival = Callable[[Function, Any], tuple[Any, Any]]


def ours(f: Function, t: float) -> tuple[float, float]:
    found = derivative(f, t)
    return found.value, found.error_bound


def scipy_differentiate(f: Function, t: float) -> tuple[float, float]:
    from scipy.differentiate import derivative as differentiate

    found = differentiate(np.vectorize(f, otypes=[float]), float(t))
    return float(found.df), float(found.error)


def numdifftools(f: Function, t: float) -> tuple[float, float]:
    from numdifftools import Derivative

    found = Derivative(np.vectorize(f, otypes=[float]), full_output=True)(float(t))
    return float(np.squeeze(found.estimate)), float(np.squeeze(found.error_estimate))


def jacobi(f: Function, t: float) -> tuple[float, float]:
    from jacobi import jacobi as differentiate

    value, error = differentiate(f, float(t))
    return float(np.squeeze(value)), float(np.squeeze(error))


def ours_twice(f: Function, t: float) -> tuple[float, float]:
    found = derivative(f, t, order=2)
    return found.value, found.error_bound


def scipy_twice(f: Function, t: float) -> tuple[float, float]:
    value, error = scipy_hessian(lambda x: f(float(x[0])), np.array([float(t)]))
    return float(value[0, 0]), float(error[0, 0])


def numdifftools_twice(f: Function, t: float) -> tuple[float, float]:
    from numdifftools import Derivative

    found = Derivative(np.vectorize(f, otypes=[float]), n=2, full_output=True)(float(t))
    return float(np.squeeze(found.estimate)), float(np.squeeze(found.error_estimate))


def jacobi_twice(f: Function, t: float) -> tuple[float, float]:
    return jacobi(lambda x: jacobi(f, x)[0], t)


def our_hessian(f: Function, x: Array) -> tuple[Array, Array]:
    found = hessian(f, x)
    return found.value, found.error_bound


def scipy_hessian(f: Function, x: Array) -> tuple[Array, Array]:
    from scipy.differentiate import hessian as differentiate

    found = differentiate(lambda points: np.apply_along_axis(f, 0, points), x)
    return found.ddf, found.error


def numdifftools_hessian(f: Function, x: Array) -> tuple[Array, Array]:
    from numdifftools import Hessian

    found = Hessian(f, full_output=True)(x)
    return found.estimate, found.error_estimate


@dataclass(frozen=True)
class Race:
    """Who takes part, and over which functions."""

    title: str
    rivals: dict[str, Rival]
    classes: dict[str, Callable[[], Iterable[Any]]]


RACES = (
    Race(
        "first derivative",
        {
            "gradcheck": ours,
            "scipy.differentiate": scipy_differentiate,
            "numdifftools": numdifftools,
            "jacobi": jacobi,
        },
        {
            "smooth": functions.smooth_cases,
            "kink nearby": functions.kinked_cases,
            "many kinks": functions.piecewise_cases,
            "|x|^p": functions.limited_cases,
            "float32, float16": functions.narrow_cases,
            "narrow argument": functions.narrow_argument_cases,
            "noisy": functions.noisy_cases,
        },
    ),
    Race(
        "second derivative",
        {
            "gradcheck": ours_twice,
            "scipy.differentiate": scipy_twice,
            "numdifftools": numdifftools_twice,
            "jacobi": jacobi_twice,
        },
        {
            "smooth": second_derivatives.smooth_cases,
            "generated": partial(second_derivatives.generated_cases, SEED),
            "kink nearby": partial(second_derivatives.kinked_cases, SEED),
            "many kinks": partial(second_derivatives.piecewise_cases, SEED),
            "|x|^p": partial(second_derivatives.limited_cases, SEED),
            "float32, float16": second_derivatives.narrow_cases,
            "narrow argument": partial(second_derivatives.narrow_argument_cases, SEED),
            "noisy": partial(second_derivatives.noisy_cases, SEED),
        },
    ),
    Race(
        "Hessian",
        {
            "gradcheck": our_hessian,
            "scipy.differentiate": scipy_hessian,
            "numdifftools": numdifftools_hessian,
        },
        {"generated": partial(second_derivatives.array_cases, SEED)},
    ),
)


@dataclass
class Score:
    """What one rival did on one class of functions."""

    held: int
    undecided: int
    errors: list[float]
    bounds: list[float]
    evaluations: list[int]
    seconds: float


def race(rival: Rival, cases: list[Any]) -> Score:
    score = Score(0, 0, [], [], [], 0.0)
    for case in cases:
        calls = 0
        point = case.x if isinstance(case, second_derivatives.ArrayCase) else case.t

        def counted(x: Any, case: Any = case, point: Any = point) -> Any:
            nonlocal calls
            calls += 1
            return case.f(x if np.ndim(point) else type(point)(x))

        start = time.perf_counter()
        try:
            value, bound = rival(counted, point)
        except Exception:
            value, bound = math.nan, math.nan
        score.seconds += time.perf_counter() - start
        exact = np.asarray(case.exact)
        error, size = np.abs(value - exact), np.where(exact, np.abs(exact), 1.0)
        score.held += bool(np.all(np.isposinf(bound) | (error <= bound + ROUNDING * np.abs(exact))))
        score.undecided += not np.all(np.isfinite(bound))
        score.errors.append(worst(error / size))
        score.bounds.append(worst(bound / size))
        score.evaluations.append(calls)
    return score


def worst(numbers: Any) -> float:
    return float(np.max(numbers)) if np.all(np.isfinite(numbers)) else math.inf


def main() -> None:
    heading = ("bound holds", "undecided", "error", "bound", "calls", "seconds")
    for event in RACES:
        print(f"{event.title:38}" + "".join(f"{word:>12}" for word in heading))
        for name, family in event.classes.items():
            cases = list(family())
            first = None
            for rival_name, rival in event.rivals.items():
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    score = race(rival, cases)
                first = first or score.seconds
                print(
                    f"{name:18}{rival_name:20}"
                    f"{f'{score.held}/{len(cases)}':>12}{score.undecided:>12}"
                    f"{statistics.median(score.errors):>12.1e}"
                    f"{statistics.median(score.bounds):>12.1e}"
                    f"{statistics.mean(score.evaluations):>12.1f}"
                    f"{f'x{score.seconds / first:.1f}':>12}"
                )
        print()
    print("error, bound: relative to the derivative, medians; calls: mean; seconds: as a ratio")


if __name__ == "__main__":
    main()
