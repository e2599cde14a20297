"""The rules of other checkers, restated, on the same cases.

What none of them is asked: to find parameters, indices and conventions by itself. The corpus's
own driver does that for all of them, so that only the rules are compared.
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import gradcheck
from benchmarks.corpus.case import Case
from benchmarks.corpus.drive import Probe

LARGEST = 5000  # entries: an element-wise rule would take minutes beyond
Rule = Callable[[Probe, list[str]], bool]


def floating(evaluator: Probe) -> list[str]:
    """The names of the tensors that have a gradient to be checked."""
    return [k for k in evaluator.analytic if np.issubdtype(evaluator.value(k).dtype, np.floating)]


def passes_gradcheck(evaluator: Probe, names: list[str]) -> bool:
    """`gradcheck.check` without naming the bug; its forwards for the contract are not counted."""
    target, inputs = evaluator.fresh()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = gradcheck.check(target, *inputs, explain=False)
    evaluator.forwards += report.forwards
    return report.verdict is not gradcheck.Verdict.FAIL


def passes_cs231n(evaluator: Probe, names: list[str]) -> bool:
    """Central difference with h = 1e-5, max |a - n| / max(1e-8, |a| + |n|) <= 1e-5."""
    for name in names:
        numerical = _differences(evaluator, name, 1e-5, central=True)
        claimed = evaluator.analytic[name]
        scale = np.maximum(1e-8, np.abs(claimed) + np.abs(numerical))
        if not np.max(np.abs(claimed - numerical) / scale, initial=0) <= 1e-5:
            return False
    return True


def passes_scipy(evaluator: Probe, names: list[str]) -> bool:
    """``check_grad``: forward difference with sqrt(eps), norm of the error; 1e-5 relative."""
    for name in names:
        numerical = _differences(evaluator, name, np.sqrt(np.finfo(float).eps), central=False)
        error = np.linalg.norm(evaluator.analytic[name] - numerical)
        if not error <= 1e-5 * np.linalg.norm(numerical):
            return False
    return True


def passes_torch(evaluator: Probe, names: list[str], *, fast: bool) -> bool:
    """``torch.autograd.gradcheck`` through an ``autograd.Function``, its own tolerances."""
    import torch

    class Layer(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *values: Any) -> Any:
            ctx.values = {k: v.numpy().copy() for k, v in zip(names, values, strict=True)}
            return torch.tensor(np.asarray(evaluator.output(ctx.values), dtype=float))

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            claimed = evaluator.pull(ctx.values, grad.numpy().copy())
            return tuple(torch.tensor(np.asarray(claimed[k], dtype=float)) for k in names)

    leaves = [torch.tensor(evaluator.value(k).astype(float), requires_grad=True) for k in names]
    return bool(torch.autograd.gradcheck(Layer.apply, leaves, fast_mode=fast))


def passes_jax(evaluator: Probe, names: list[str]) -> bool:
    """``jax.test_util.check_vjp`` with its default tolerances for float64."""
    import jax
    from jax.test_util import check_vjp

    jax.config.update("jax_enable_x64", True)

    def f(*values: Any) -> Any:
        return np.asarray(evaluator.output(dict(zip(names, map(np.array, values), strict=True))))

    def f_vjp(*values: Any) -> Any:
        at = dict(zip(names, map(np.array, values), strict=True))

        def back(v: Any) -> Any:
            claimed = evaluator.pull(at, np.array(v))
            return tuple(np.asarray(claimed[k]) for k in names)

        return f(*values), back

    check_vjp(f, f_vjp, tuple(evaluator.value(k) for k in names))
    return True


def rules() -> dict[str, Rule]:
    """The rules whose libraries are installed."""
    found: dict[str, Rule] = {
        "gradcheck": passes_gradcheck,
        "CS231n": passes_cs231n,
        "scipy check_grad": passes_scipy,
    }
    if importlib.util.find_spec("torch"):
        found["torch slow"] = lambda evaluator, names: passes_torch(evaluator, names, fast=False)
        found["torch fast"] = lambda evaluator, names: passes_torch(evaluator, names, fast=True)
    if importlib.util.find_spec("jax"):
        found["jax check_vjp"] = passes_jax
    return found


@dataclass
class Tally:
    """What one rule did on the cases; forwards are those of right layers: none stops early."""

    wrong: int = 0
    found: int = 0
    right: int = 0
    alarms: int = 0
    seconds: float = 0.0
    forwards: list[int] = field(default_factory=list)

    def line(self, rule: str) -> str:
        """The rule's row of the table, with the median of the forwards."""
        found = f"{self.found} ({share(self.found, self.wrong)})"
        alarms = f"{self.alarms} ({share(self.alarms, self.right)})"
        forwards = f"{statistics.median(self.forwards):g}" if self.forwards else "-"
        return (
            f"{rule:20s}{self.wrong:8d}{found:>14s}{self.right:8d}{alarms:>14s}"
            f"{forwards:>10s}{self.seconds:9.1f}"
        )


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def print_rivals(
    chosen: list[Case], seed: int, guard: Callable[[int], AbstractContextManager[None]]
) -> None:
    """Detection, false alarms, forwards and seconds of each rule, where it applies."""
    print(
        f"\n{'rule':20s}{'wrong':>8s}{'found':>14s}{'right':>8s}{'alarms':>14s}"
        f"{'forwards':>10s}{'seconds':>9s}"
    )
    for rule, passes in rules().items():
        print(_tallied(passes, chosen, seed, guard).line(rule), flush=True)


def _tallied(
    passes: Rule,
    chosen: list[Case],
    seed: int,
    guard: Callable[[int], AbstractContextManager[None]],
) -> Tally:
    tally = Tally()
    for case in chosen:
        evaluator, names = _prepared(case, seed)
        if not names:
            continue
        started, before = time.perf_counter(), evaluator.forwards
        with np.errstate(all="ignore"):
            refused = not _guarded(passes, evaluator, names, guard)
        tally.seconds += time.perf_counter() - started
        if case.wrong:
            tally.wrong += 1
            tally.found += refused
        else:
            tally.right += 1
            tally.alarms += refused
            tally.forwards.append(evaluator.forwards - before)
    return tally


def _prepared(case: Case, seed: int) -> tuple[Probe, list[str]]:
    """The case at its point; no names where no rule applies."""
    with np.errstate(all="ignore"):
        evaluator = Probe(case, seed)
    names = floating(evaluator)
    if sum(evaluator.value(k).size for k in names) > LARGEST:
        names = []
    return evaluator, names


def _guarded(passes: Rule, evaluator: Probe, names: list[str], guard: Callable[..., Any]) -> bool:
    """A rule that raises has noticed something: that counts as refused."""
    try:
        with guard(20):
            return passes(evaluator, names)
    except Exception:
        return False


def _differences(evaluator: Probe, name: str, h: float, *, central: bool) -> np.ndarray:
    value = evaluator.value(name).astype(np.float64)
    numerical = np.empty(value.shape)
    base = 0.0 if central else evaluator.phi(name, value)
    for index in np.ndindex(value.shape):
        up, down = value.copy(), value.copy()
        up[index] += h
        down[index] -= h
        before = evaluator.phi(name, down) if central else base
        numerical[index] = (evaluator.phi(name, up) - before) / (2 * h if central else h)
    return numerical
