"""Outputs and gradients of a target, in its own arithmetic or in one that makes drawn errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck._types import Array, Outputs
from gradcheck.numerics.formats import Format
from gradcheck.numerics.rounded_arithmetic import RoundedArithmetic, computing_in
from gradcheck.rounding.rounded_array import RoundedArray
from gradcheck.target import Target

# Computations in drawn arithmetic: their mean square is known to a third or so.
DRAWS = 16


@dataclass(frozen=True)
class Evaluation:
    """What a target returned, as float64.

    Attributes
    ----------
    outputs
        One array for each.
    gradients
        By tensor, for the cotangents of the comparison; those alone that were given.
    """

    outputs: Outputs
    gradients: dict[str, Array]

    @property
    def tensors(self) -> dict[str, Array]:
        """Everything by its name in a report."""
        single = len(self.outputs) == 1
        named = {"output" if single else f"output {n}": y for n, y in enumerate(self.outputs)}
        return named | {f"gradient of {name}": g for name, g in self.gradients.items()}


def evaluate(
    target: Target,
    cotangents: Outputs | None = None,
    arithmetic: RoundedArithmetic | None = None,
) -> Evaluation:
    """Run a target, and its backward where there are cotangents for it.

    Parameters
    ----------
    target
        Its tensors are the point.
    cotangents
        One per output, as many entries each; None for no gradients.
    arithmetic
        What it is to compute in; None for its own.
    """
    with target.state.guarded(), np.errstate(all="ignore"):
        target.state.restore(everything=True)
        if arithmetic is None:
            return _evaluate(target, cotangents, None)
        with computing_in(arithmetic):
            return _evaluate(target, cotangents, arithmetic)


def draws(
    target: Target,
    cotangents: Outputs | None,
    intermediates: Format,
    accumulator: Format,
    kept: Format,
    seed: int,
) -> Iterator[tuple[Evaluation, RoundedArithmetic]]:
    """Yield evaluations in arithmetics of these formats, and the arithmetics.

    The gradients are those of a backward that uses values ``kept`` in a format of their own.
    """
    for draw in range(DRAWS):
        rng = np.random.default_rng([seed, draw])
        arithmetic = RoundedArithmetic(intermediates, accumulator, rng)
        apart = cotangents is not None and kept != intermediates
        found = evaluate(target, None if apart else cotangents, arithmetic)
        if apart:
            arithmetic.kept = kept
            found = Evaluation(found.outputs, evaluate(target, cotangents, arithmetic).gradients)
        yield found, arithmetic


def _evaluate(
    target: Target, cotangents: Outputs | None, arithmetic: RoundedArithmetic | None
) -> Evaluation:
    tensors = target.tensors
    if arithmetic is None:
        run = target.call(tensors)
    else:
        # what computes with NumPy makes the errors by itself, frameworks by their adapters
        tensors = {
            n: RoundedArray.of(_entered(v, arithmetic), arithmetic) for n, v in tensors.items()
        }
        with arithmetic.keeping():
            run = target.call(tensors)
    outputs = tuple(_wide(y) for y in run.outputs)
    if cotangents is None:
        return Evaluation(outputs, {})
    sent = tuple(
        np.asarray(v, dtype=y.dtype if y.dtype.kind == "f" else np.float64).reshape(y.shape)
        for v, y in zip(cotangents, run.outputs, strict=True)
    )
    found = {name: _wide(g) for name, g in run.pullback(sent).items()}
    if target.unit_cotangent:
        found = {name: g * sent[0].item() for name, g in found.items()}  # a loss takes none
    return Evaluation(outputs, found)


def _entered(value: Array, arithmetic: RoundedArithmetic) -> Array:
    """Return numbers as they enter an arithmetic, rounded where its format lacks them."""
    kept_in = arithmetic.intermediates
    if kept_in is None or value.dtype.kind != "f":
        return value
    inexact = value != kept_in.rounded(value)
    return value + np.where(inexact, arithmetic.of_result(np.abs(value)), 0.0)


def _wide(value: Array) -> Array:
    return np.array(np.asarray(value), dtype=np.float64)
