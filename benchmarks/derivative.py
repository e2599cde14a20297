"""Race of `gradcheck.derivative` against the differentiators of SciPy, numdifftools and jacobi.

Run with ``python -m benchmarks.derivative``; needs mpmath, numdifftools and jacobi. A bound holds
when the error does not exceed it by more than the rounding of the exact value. An answer that is
not finite, or an exception, holds only where the bound is infinite, and counts as undecided. The
rivals state an estimate of their error rather than a bound.
"""

from __future__ import annotations

import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from gradcheck.numerics.derivative import derivative
from tests.support import functions

ROUNDING = 4 * float(np.finfo(float).eps)

Function = Callable[[float], float]
Rival = Callable[[Function, float], tuple[float, float]]


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


RIVALS: dict[str, Rival] = {
    "gradcheck": ours,
    "scipy.differentiate": scipy_differentiate,
    "numdifftools": numdifftools,
    "jacobi": jacobi,
}

CLASSES: dict[str, Callable[[], Iterable[functions.Case]]] = {
    "smooth": functions.smooth_cases,
    "kink nearby": functions.kinked_cases,
    "many kinks": functions.piecewise_cases,
    "|x|^p": functions.limited_cases,
    "float32, float16": functions.narrow_cases,
    "narrow argument": functions.narrow_argument_cases,
    "noisy": functions.noisy_cases,
}


@dataclass
class Score:
    """What one rival did on one class of functions."""

    held: int
    undecided: int
    errors: list[float]
    bounds: list[float]
    evaluations: list[int]
    seconds: float


def race(rival: Rival, cases: list[functions.Case]) -> Score:
    score = Score(0, 0, [], [], [], 0.0)
    for case in cases:
        calls = 0

        def counted(x: float, case: functions.Case = case) -> float:
            nonlocal calls
            calls += 1
            return case.f(type(case.t)(x))

        start = time.perf_counter()
        try:
            value, bound = rival(counted, case.t)
        except Exception:
            value, bound = math.nan, math.nan
        score.seconds += time.perf_counter() - start
        error = abs(value - case.exact)
        size = abs(case.exact) or 1.0
        score.held += bound == math.inf or error <= bound + ROUNDING * abs(case.exact)
        score.undecided += not math.isfinite(bound)
        score.errors.append(error / size if math.isfinite(error) else math.inf)
        score.bounds.append(bound / size if math.isfinite(bound) else math.inf)
        score.evaluations.append(calls)
    return score


def main() -> None:
    heading = ("bound holds", "undecided", "error", "bound", "calls", "seconds")
    print(f"{'':38}" + "".join(f"{word:>12}" for word in heading))
    for name, family in CLASSES.items():
        cases = list(family())
        first = None
        for rival_name, rival in RIVALS.items():
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                score = race(rival, cases)
            first = first or score.seconds
            print(
                f"{name:18}{rival_name:20}"
                f"{f'{score.held}/{len(cases)}':>12}{score.undecided:>12}"
                f"{statistics.median(score.errors):>12.1e}{statistics.median(score.bounds):>12.1e}"
                f"{statistics.mean(score.evaluations):>12.1f}{f'x{score.seconds / first:.1f}':>12}"
            )
    print("error, bound: relative to the derivative, medians; calls: mean; seconds: as a ratio")


if __name__ == "__main__":
    main()
