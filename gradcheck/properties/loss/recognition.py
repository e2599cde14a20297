"""Finding out how a loss wants to be called and what it computes, by calling it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.properties.loss.kinds import KINDS, REDUCTIONS, Kind
from gradcheck.properties.strategies import distributions, one_hot
from gradcheck.properties.subject import call
from gradcheck.properties.violation import Array, FunctionRaisedError

# A guard such as log(p + 1e-5) moves the probes' losses by 1e-4; wrong kinds differ by far more.
AGREEMENT = 1e-3
SHAPES = ((2, 3), (4, 3), (2, 5), (3, 5))


@dataclass(frozen=True)
class Convention:
    """How a loss is called: which argument comes first, and how targets are written."""

    target_first: bool = False
    indices: bool = False

    def arguments(self, p: Array, t: Array) -> tuple[Array, Array]:
        """Return the two arguments as the loss wants them."""
        target = t.argmax(axis=-1) if self.indices else t
        return (target, p) if self.target_first else (p, target)


CONVENTIONS = tuple(
    Convention(target_first, indices) for indices in (False, True) for target_first in (False, True)
)


def value_of(result: Any) -> float:
    """Return the loss as one number, summing one per sample; NaN for what is no number."""
    first = result[0] if isinstance(result, tuple) and result else result
    try:
        return float(np.sum(np.asarray(first, dtype=np.float64)))
    except (TypeError, ValueError):
        return float("nan")


def recognise(loss: Callable[..., Any], kind: str | None = None) -> tuple[Kind, Convention] | None:
    """Return the kind and the calling convention under which ``loss`` is explained, or None.

    Single samples are used, so that a wrong reduction does not hide what is reduced. A kind
    explains the loss if their ratio is the same for all of them.
    """
    kinds = [KINDS[kind]] if kind else list(KINDS.values())
    samples = [_probe(1, 3, seed) for seed in range(6)]
    for convention in CONVENTIONS:
        values = [_value(loss, convention, p, t) for p, t in samples]
        for candidate in kinds:
            expected = [float(candidate.value(p, t).sum()) for p, t in samples]
            if _proportional(values, expected):
                return candidate, convention
    return None


def recognise_reduction(loss: Callable[..., Any], kind: Kind, convention: Convention) -> str:
    """Return the name in `REDUCTIONS` that gives the values of ``loss`` on batches, or nothing."""
    factors = {}
    for rows, classes in SHAPES:
        p, t = _probe(rows, classes, seed=7)
        value = _value(loss, convention, p, t)
        factors[rows, classes] = value / float(kind.value(p, t).sum())
    for name, factor in REDUCTIONS.items():
        if all(
            abs(measured / factor(*shape) - 1) < AGREEMENT for shape, measured in factors.items()
        ):
            return name
    return ""


def backward_of(fn: Any) -> Callable[..., Any] | None:
    """Return ``backward(p, t)`` of a loss that brings its own: a method, or a second result."""
    method = getattr(fn, "backward", None) or getattr(fn, "gradient", None)
    if method is None:
        return None
    forward = fn if callable(fn) else fn.forward
    count = len(inspect.signature(method).parameters)
    if count >= 2:
        return lambda *arguments: method(*arguments)

    def backward(*arguments: Array) -> Any:
        forward(*arguments)
        return method(1.0) if count else method()

    return backward


def _probe(rows: int, classes: int, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    p = distributions(rng.normal(size=(rows, classes)))
    return p, one_hot(rng.integers(classes, size=rows).tolist(), classes)


def _value(loss: Callable[..., Any], convention: Convention, p: Array, t: Array) -> float:
    try:
        return value_of(call(loss, *convention.arguments(p.copy(), t.copy())))
    except FunctionRaisedError:
        return float("nan")


def _proportional(values: list[float], expected: list[float]) -> bool:
    ratios = np.array(values) / np.array(expected)
    spread = np.ptp(ratios)
    return bool(np.isfinite(spread) and spread < AGREEMENT * np.abs(ratios).min())
