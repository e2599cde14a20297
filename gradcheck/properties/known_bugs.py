"""Which known bug a wrong function shows: each is imitated, and the imitation compared with it.

Fixed probes are used, not the counterexample: that one is as small as can be, and several bugs
look alike there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.assertions import FunctionRaisedError, PropertyViolationError

# What to tell whoever has a bug, and a function that has it.
Imitations = Mapping[str, Callable[..., Any]]
Probe = tuple[Array, ...]

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
OF_FUNCTIONS: tuple[Probe, ...] = tuple((x,) for x in PROBES)
OF_BACKWARDS: tuple[Probe, ...] = tuple(
    (x, np.cos(np.arange(float(x.size))).reshape(x.shape)) for x in PROBES[:2]
)


def recognise(
    fn: Callable[..., Any],
    imitations: Imitations,
    probes: Sequence[Probe] = OF_FUNCTIONS,
    match: float = MATCH,
) -> str | None:
    """Return the message of the first imitation that answers as ``fn`` does; None if none does.

    Parameters
    ----------
    fn
        The function under test, or its backward.
    imitations
        By their messages; that of a right function is empty.
    probes
        Arguments to ask at. A function that raises at one is imitated by one that does too.
    match
        Relative error by which answers may differ.
    """
    answers = answers_of(fn, probes)
    for message, imitation in imitations.items():
        if all(
            _same(a, _answer(imitation, p), match) for a, p in zip(answers, probes, strict=True)
        ):
            return message
    return None


def answers_of(
    fn: Callable[..., Any], probes: Sequence[Probe] = OF_FUNCTIONS
) -> list[Array | None]:
    """Return what ``fn`` makes of each probe, None where it raises."""
    return [_answer(fn, probe) for probe in probes]


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


def _answer(fn: Callable[..., Any], probe: Probe) -> Array | None:
    try:
        with np.errstate(all="ignore"):
            return np.asarray(fn(*(argument.copy() for argument in probe)))
    except (FunctionRaisedError, PropertyViolationError, ValueError):
        return None


def _same(a: Array | None, b: Array | None, match: float) -> bool:
    if a is None or b is None:
        return a is b
    return a.shape == b.shape and np.allclose(a, b, rtol=match, atol=match**2, equal_nan=True)
