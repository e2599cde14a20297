"""Verify every label of the corpus: ``python -m benchmarks.corpus [name part]``."""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np

from benchmarks.corpus import Case, cases
from benchmarks.corpus.drive import Probe, run

TOLERANCE = {"float64": 2e-6, "float32": 3e-2, "float16": 2e-1}
SMALLEST_FAULT = 1e-8  # float64: the smallest planted error, well above the difference's own
ENTRIES = 48  # of a larger tensor, so many are drawn


def breaches(case: Case) -> set[str]:
    """The promises that the target breaks, by code."""
    found = set()
    first, second = Probe(case), Probe(case)
    target, inputs = first.fresh()
    before = [np.copy(x) for x in inputs]
    y, pull = run(case.convention, target, inputs)
    y = np.copy(y)
    v = first.v.copy()
    pull(v)
    if any(
        isinstance(x, np.ndarray) and not np.array_equal(x, b, equal_nan=True)
        for x, b in zip(inputs, before, strict=True)
    ):
        found.add("input_mutated")
    if not np.array_equal(v, first.v):
        found.add("cotangent_mutated")
    target, inputs = second.fresh()
    again = [np.copy(run(case.convention, target, inputs)[0]) for _ in range(3)]
    if not np.array_equal(again[0], again[2], equal_nan=True) and not found:
        found.add("nondeterministic_forward")
    target, inputs = second.fresh()
    other = tuple(0.1 - 0.5 * x if getattr(x, "dtype", None) == np.float64 else x for x in inputs)
    run(case.convention, target, other)
    late = run(case.convention, target, inputs)[1](first.v.copy())
    if any(not np.allclose(g, first.analytic[k], 1e-3) for k, g in late.items()) and not found:
        found.add("stale_cache")
    return found


def wrong_tensors(case: Case, entries: int = ENTRIES) -> dict[str, str]:
    """What is wrong with each tensor's claimed gradient, by numbers."""
    evaluator = Probe(case)
    evaluator.wrong, evaluator.entries = case.wrong, entries
    wrong = {}
    for name, claimed in evaluator.analytic.items():
        value = evaluator.value(name)
        if not np.issubdtype(value.dtype, np.floating):
            continue
        if claimed.shape != value.shape:
            wrong[name] = f"shape {claimed.shape} for {value.shape}"
        elif value.size and (story := _numbers(evaluator, name, value, claimed)):
            wrong[name] = story
    return wrong


def _numbers(evaluator: Probe, name: str, value: np.ndarray, claimed: np.ndarray) -> str:
    dtype = min((str(value.dtype), str(evaluator.y.dtype)), key=lambda d: int(d[5:]))
    rng = np.random.default_rng(0)
    count = min(evaluator.entries, value.size)
    flat = {0, value.size - 1, *rng.choice(value.size, count, replace=False)}
    step = {"float64": 6e-6, "float32": 1e-2, "float16": 1e-1}[dtype]
    lows, highs, said = [], [], []
    for i in flat:
        index = np.unravel_index(i, value.shape)
        size = max(
            abs(float(value[index])), 1e-2 * float(np.sqrt(np.mean(np.square(value, dtype=float))))
        )
        sides = [_slope(evaluator, name, value, index, s * step * (size or 1.0)) for s in (1, -1)]
        middle = _central(evaluator, name, value, index, step * (size or 1.0))
        far = abs(sides[0] - sides[1]) > 1e-3 * max(map(abs, sides)) + 1e-12
        lows.append(min(*sides, middle) if far else middle)
        highs.append(max(*sides, middle) if far else middle)
        said.append(float(claimed[index]))
    lows, highs, said = map(np.array, (lows, highs, said))
    if not np.all(np.isfinite(said)):
        return "not finite"
    scale = np.max(np.abs([lows, highs]), initial=0) or np.max(np.abs(said)) or 1
    excess = np.maximum(lows - said, said - highs)
    # the numerical derivative is no better than the value's own rounding over the step
    narrowest = 1e-2 * float(np.sqrt(np.mean(np.square(value, dtype=float)))) or 1.0
    noise = 2 * np.finfo(dtype).eps * abs(evaluator.phi(name, value)) / (step * narrowest)
    worst = int(np.argmax(excess))
    tolerance = SMALLEST_FAULT if evaluator.wrong and dtype == "float64" else TOLERANCE[dtype]
    if excess[worst] <= tolerance * scale + (0 if evaluator.wrong else noise):
        return _jointly(evaluator, name, value, claimed) if evaluator.wrong else ""
    return f"off by {excess[worst] / scale:.1e} (claimed {said[worst]:.5g}, {lows[worst]:.5g})"


def _jointly(evaluator: Probe, name: str, value: np.ndarray, claimed: np.ndarray) -> str:
    """Moving every entry at once: sees ties of which each entry alone has a kink."""
    both = [
        (evaluator.phi(name, value + h) - evaluator.phi(name, value)) / h for h in (1e-6, -1e-6)
    ]
    said = float(claimed.sum())
    slack = 1e-4 * float(np.abs(claimed).sum())
    if claimed.dtype != np.float64 or min(both) - slack <= said <= max(both) + slack:
        return ""
    return f"jointly {said:.5g} for {both}"


def _slope(evaluator: Probe, name: str, value: np.ndarray, index: tuple, h: float) -> float:
    moved = value.copy()
    moved[index] += h
    actual = float(moved[index]) - float(value[index])
    return (evaluator.phi(name, moved) - evaluator.phi(name, value)) / actual


def _central(evaluator: Probe, name: str, value: np.ndarray, index: tuple, h: float) -> float:
    def difference(h: float) -> float:
        up, down = value.copy(), value.copy()
        up[index] += h
        down[index] -= h
        width = float(up[index]) - float(down[index])
        return (evaluator.phi(name, up) - evaluator.phi(name, down)) / width

    if value.dtype != np.float64:
        return difference(h)
    near, far = difference(10 * h), difference(20 * h)
    if abs(near - far) > 1e-5 * abs(near):
        return difference(h)  # a kink within the wider steps
    # the wider steps have less rounding: extrapolate their h**2 away
    return (4 * near - far) / 3


def verdict(case: Case) -> str:
    """Empty where the label holds, else what does not."""
    wrong, broken = wrong_tensors(case), breaches(case)
    if not case.wrong:
        return "; ".join([*(f"{k}: {s}" for k, s in wrong.items()), *broken])
    if not wrong and not broken:
        wrong = wrong_tensors(case, entries=5000)
    if not wrong and not broken:
        return "labelled wrong, seems right"
    if "nondeterministic_forward" in broken:
        return ""
    if wrong and set(wrong) != set(case.tensor):
        return f"labelled wrong in {set(case.tensor)}, seems so in {wrong} {broken or ''}"
    return ""


def main() -> int:
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    everything = [case for case in cases() if part in case.name]
    doubtful = 0
    for case in everything:
        try:
            doubt = verdict(case)
        except Exception as error:
            doubt = f"{type(error).__name__}: {error}"
        if doubt:
            doubtful += 1
            print(f"{case.name}: {doubt}")
    right = sum(not case.wrong for case in everything)
    print(f"{right} right, {len(everything) - right} wrong, {doubtful} doubtful labels")
    print("conventions:", dict(Counter(case.convention for case in everything)))
    print("codes:", dict(Counter(case.code[0] for case in everything if case.wrong).most_common()))
    return int(doubtful > 0)


if __name__ == "__main__":
    sys.exit(main())
