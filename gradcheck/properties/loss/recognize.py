"""How a loss is called and what it computes, found out by calling it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.losses import NUMBERS
from gradcheck.formulas.softmax import softmax
from gradcheck.properties.assertions import FunctionRaisedError
from gradcheck.properties.function_under_test import call, forward_of
from gradcheck.properties.inputs import one_hot
from gradcheck.properties.loss.kinds import KINDS, REDUCTIONS, LossKind

# How predictions lie in arrays, and what that looks like.
SHAPES = {
    "matrix": "(samples, classes)",
    "sample": "(classes,), one sample at a time",
    "row": "(1, samples)",
    "column": "(samples, 1)",
    "vector": "(samples,)",
}

# Shapes in which each sample is one number, as it may be where entries are yes or no.
BINARY_SHAPES = ("row", "column", "vector")


@dataclass(frozen=True)
class CallConvention:
    """How a loss is called: which argument comes first, and how both are written.

    Attributes
    ----------
    target_first
        Whether it is ``fn(t, p)``.
    indices
        Whether targets are class indices.
    shape
        The name in `SHAPES` of how predictions lie in arrays.
    """

    target_first: bool = False
    indices: bool = False
    shape: str = "matrix"

    @property
    def most_rows(self) -> int:
        """How many samples are tried at most."""
        return 1 if self.shape == "sample" else 3

    @property
    def most_classes(self) -> int:
        """How many classes are tried at most: one where each sample is one number."""
        return 1 if self.shape in BINARY_SHAPES else 4

    def arguments(self, p: Array, t: Array) -> tuple[Array, Array]:
        """Return the two arguments, given as matrices or vectors, as the loss wants them."""
        target = self.lay_out(t)
        if self.indices:
            target = np.asarray(target.argmax(axis=-1))
        return (target, self.lay_out(p)) if self.target_first else (self.lay_out(p), target)

    def fit(self, a: Array) -> Array:
        """Return as much of ``a`` as the loss takes, as a matrix."""
        if self.shape == "matrix":
            return a
        return np.atleast_2d(a)[-1:] if self.shape == "sample" else a.reshape(-1, 1)

    def lay_out(self, a: Array) -> Array:
        """Return a view of the matrix ``a`` in the shape that the loss takes."""
        if a.ndim != 2 or self.shape in ("matrix", "column"):
            return a
        return a.T if self.shape == "row" else a[:, 0] if self.shape == "vector" else a[0]


def conventions(shape: str) -> Iterator[CallConvention]:
    """Yield all conventions of that shape; one-hot before indices, predictions before targets."""
    for indices in (False,) if shape in BINARY_SHAPES else (False, True):
        for target_first in (False, True):
            yield CallConvention(target_first, indices, shape)


# A guard such as log(p + 1e-5) moves the probes' losses by 1e-4; wrong kinds differ by far more.
AGREEMENT = 1e-3
# Losses that are squares near the target only are none so far away.
FAR = 64.0
BATCHES = ((2, 3), (4, 3), (2, 5), (3, 5))


def value_of(result: Any) -> float:
    """Return the loss as one number, summing one per sample; NaN for what is no number."""
    first = result[0] if isinstance(result, tuple) and result else result
    try:
        return float(np.sum(np.asarray(first, dtype=np.float64)))
    except (TypeError, ValueError):
        return float("nan")


def recognise(
    loss: Callable[..., Any], kind: str | None = None, shape: str | None = None
) -> tuple[LossKind, CallConvention] | None:
    """Return the kind and the calling convention under which ``loss`` is explained, or None.

    Single samples are used, so that a wrong reduction does not hide what is reduced. A kind
    explains the loss if their ratio is the same for all of them. Of the shapes in which predictions
    may lie, the first is taken in which batches are reduced in a usual way.
    """
    kinds = [KINDS[kind]] if kind else list(KINDS.values())
    explained = []
    for layout in [shape] if shape else SHAPES:
        for convention in conventions(layout):
            explained += [(it, convention) for it in kinds if _explains(it, convention, loss)]
            if explained and layout == "matrix" and not explained[0][0].binary:
                return explained[0]
    usual = [
        (it, convention)
        for it, convention in explained
        if recognise_reduction(loss, it, convention) in it.reductions
    ]
    return next(iter(usual + explained), None)


def _explains(kind: LossKind, convention: CallConvention, loss: Callable[..., Any]) -> bool:
    if kind.binary and (convention.indices or convention.shape == "sample"):
        return False
    if not kind.binary and convention.shape in BINARY_SHAPES:
        return False
    samples = [_probe(1, 3, seed, convention) for seed in range(6)]
    if kind.given == NUMBERS:  # a Huber loss is a square as long as differences are small
        samples += [(FAR * p, FAR * t) for p, t in samples]
    values = [_value(loss, convention, p, t) for p, t in samples]
    return _proportional(values, [float(kind.value(p, t).sum()) for p, t in samples])


def recognise_reduction(
    loss: Callable[..., Any], kind: LossKind, convention: CallConvention
) -> str:
    """Return the name in `REDUCTIONS` that gives the values of ``loss`` on batches, or nothing."""
    ratios = {}
    for size in BATCHES:
        p, t = _probe(*size, seed=7, convention=convention)
        value = _value(loss, convention, p, t)
        ratios[p.shape] = value / float(kind.value(p, t).sum())
    for name, factor in REDUCTIONS.items():
        if all(abs(ratio / factor(*shape) - 1) < AGREEMENT for shape, ratio in ratios.items()):
            return name
    return ""


def backward_of(fn: Any) -> Callable[..., Any] | None:
    """Return ``backward(p, t)`` of a loss that brings its own: a method, or a second result."""
    method = getattr(fn, "backward", None) or getattr(fn, "gradient", None)
    if method is None:
        return None
    forward = forward_of(fn)
    count = len(inspect.signature(method).parameters)
    if count >= 2:
        return lambda *arguments: method(*arguments)

    def backward(*arguments: Array) -> Any:
        forward(*arguments)
        return method(1.0) if count else method()

    return backward


def _probe(rows: int, classes: int, seed: int, convention: CallConvention) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    p = softmax(rng.normal(size=(rows, classes)))
    t = one_hot(rng.integers(classes, size=rows).tolist(), classes)
    if convention.shape not in BINARY_SHAPES:
        return convention.fit(p), convention.fit(t)
    # One number per sample, yes and no in turn.
    return p[:, :1], (seed + np.arange(rows)[:, np.newaxis]) % 2.0


def _value(loss: Callable[..., Any], convention: CallConvention, p: Array, t: Array) -> float:
    try:
        return value_of(call(loss, *convention.arguments(p.copy(), t.copy())))
    except FunctionRaisedError:
        return float("nan")


def _proportional(values: list[float], expected: list[float]) -> bool:
    if not np.isfinite(values).all():
        return False
    ratios = np.array(values) / np.array(expected)
    return bool(np.ptp(ratios) < AGREEMENT * np.abs(ratios).min())
