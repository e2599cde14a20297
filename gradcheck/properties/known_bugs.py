"""Which known bug a wrong function shows: each is imitated, and the imitation compared with it.

Fixed probes are used, not the counterexample: that one is as small as can be, and several bugs
look alike there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.assertions import FunctionRaisedError, PropertyViolationError

Function = Callable[[Array], Array]
Vjp = Callable[[Array, Array], Array]

# An imitation computes the same formula; more than some thousand roundings apart is another one.
MATCH = 1e-12

PROBES: tuple[Array, ...] = (
    np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]),
    np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75], [3.0, 1.0, -2.0]]),
    np.array([[30.0, 1.0, -25.0, 4.0], [-40.0, 3.0, 0.5, -2.0]]),
    np.array([[1000.0, 1001.0], [0.0, 2.0]]),
    np.array([[-1000.0, -1001.0], [0.0, -2.0]]),
    np.array([[0.0, 2000.0], [2000.0, 0.0]]),
    np.array([[0.5, np.nan], [0.0, -2.0]]),
)


@dataclass(frozen=True)
class Suspect:
    """A known bug: an imitation of it, and what to tell whoever has it."""

    imitation: Function
    message: str


def recognise(answers: Sequence[Array | None], suspects: Iterable[Suspect]) -> str:
    """Return the message of the first suspect that gives these answers, or an empty text."""
    for suspect in suspects:
        if all(map(_same, answers, answers_of(suspect.imitation))):
            return suspect.message
    return ""


def answers_of(fn: Function) -> list[Array | None]:
    """Return what ``fn`` makes of each probe, None where it raises."""
    return [_answer(fn, evaluator) for evaluator in PROBES]


def recognise_backward(vjp: Vjp, suspects: Mapping[str, Vjp]) -> str:
    """Return the first key of ``suspects`` whose value answers the probes as ``vjp`` does."""
    probes = [(x, np.cos(np.arange(float(x.size))).reshape(x.shape)) for x in PROBES[:2]]
    answers = [_answer(vjp, x, g) for x, g in probes]
    for message, suspect in suspects.items():
        if all(_same(suspect(x, g), dx) for (x, g), dx in zip(probes, answers, strict=True)):
            return message
    return ""


def narrower_type(answers: Sequence[Array | None], right: Sequence[Array | None]) -> str:
    """Return the type that holds all answers to the float64 probes, right but for its rounding."""
    pairs = [(a, b) for a, b in zip(answers, right, strict=True) if a is not None and b is not None]
    for dtype in (np.float16, np.float32):
        with np.errstate(over="ignore", under="ignore"):
            fits = all(np.array_equal(a, a.astype(dtype), equal_nan=True) for a, _ in pairs)
        rounding = 100 * float(np.finfo(dtype).eps)
        if fits and all(
            a.shape == b.shape and np.allclose(a, b, rtol=0, atol=rounding, equal_nan=True)
            for a, b in pairs
        ):
            return dtype.__name__ if pairs else ""
    return ""


def _answer(fn: Callable[..., Array], *arguments: Array) -> Array | None:
    try:
        with np.errstate(all="ignore"):
            return fn(*(argument.copy() for argument in arguments))
    except (FunctionRaisedError, PropertyViolationError, ValueError):
        return None


def _same(a: Array | None, b: Array | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.shape == b.shape and np.allclose(a, b, rtol=MATCH, atol=MATCH**2, equal_nan=True)
