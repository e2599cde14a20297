"""A loss as the properties see it: ``loss(p, t)`` on one-hot or soft targets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.losses import PROBABILITIES
from gradcheck.properties.assertions import FunctionRaisedError, require_close, require_shape
from gradcheck.properties.function_under_test import (
    FunctionUnderTest,
    as_floats,
    call,
    forward_of,
    of_arrays,
    refusal,
)
from gradcheck.properties.loss.kinds import BINARY, KINDS, REDUCTIONS, REMEDIES
from gradcheck.properties.loss.known_bugs import binary_cause, gradient_cause
from gradcheck.properties.loss.recognize import (
    SHAPES,
    CallConvention,
    backward_of,
    recognise,
    recognise_reduction,
    value_of,
)
from gradcheck.properties.property import Property
from gradcheck.properties.tolerance import Tolerance
from gradcheck_arguments import checked

# The largest number added inside a logarithm that still counts as a guard against log(0).
LARGEST_GUARD = 1e-5

# Properties of infinities, NaN and zeros, which no factor before the loss makes or mends.
SCALE_FREE = {
    "zero_at_the_target",
    "certain_and_wrong_stays_finite",
    "impossible_other_class_costs_nothing",
    "huge_logits_stay_finite",
}


class LossUnderTest(FunctionUnderTest):
    """A loss under test.

    Parameters
    ----------
    fn
        ``fn(p, t)``, or ``fn(t, p)``, which is found out; ``t`` one-hot rows or class indices,
        found out too. It may return ``(loss, gradient)``, or be an object with ``forward(p, t)``
        and ``backward()``.
    kind
        ``"probabilities"`` or ``"logits"`` (cross-entropy on either), ``"binary"`` or
        ``"binary_logits"`` (binary cross-entropy on either), or ``"squared"``; found out when not
        given.
    backward
        ``backward(p, t)``: the gradient by ``p``; for cross-entropy on probabilities it may be that
        by the logits, ``p - t``.
    allow_infinite
        Accept a loss of infinity where the true class has probability 0.
    shape
        How predictions lie in arrays: a ``"matrix"`` (samples, classes) or one ``"sample"`` at a
        time (classes,); binary ones also as one number per sample in a ``"column"`` (N, 1), a
        ``"row"`` (1, N) or a ``"vector"`` (N,). Found out when not given.
    """

    @checked
    def __init__(
        self,
        fn: Any,
        kind: str | None = None,
        backward: Callable[..., Any] | None = None,
        allow_infinite: bool = False,
        shape: str | None = None,
    ) -> None:
        super().__init__(fn)
        _require_one_of("kind", kind, list(KINDS))
        _require_one_of("shape", shape, list(SHAPES))
        forward = forward_of(fn)
        self._forward = of_arrays(forward, np.full((1, 3), 1 / 3), np.eye(3)[:1])
        self.allow_infinite = allow_infinite
        found = recognise(self._forward, kind, shape)
        if found is None and kind is None:
            raise ValueError(
                f"{self.name} is proportional to no loss known here on single samples of shape "
                f"(1, 3); say which it should be: kind={' or '.join(map(repr, KINDS))}"
            )
        self.kind, self.convention = found or (KINDS[str(kind)], self._accepted(shape))
        self.reduction = recognise_reduction(self._forward, self.kind, self.convention)
        self._backward = backward or backward_of(fn) or self._second_result()

    @property
    def detected(self) -> dict[str, str]:
        """How the loss is called, what it computes and how it is reduced."""
        first = "target" if self.convention.target_first else "prediction"
        targets = "0 or 1" if self.kind.binary else "one-hot"
        detected = {
            "kind": self.kind.name,
            "arguments": f"{first} first, {'indices' if self.convention.indices else targets}",
            "reduction": self.reduction or "none that is known",
        }
        if self.kind.binary or self.convention.shape != "matrix":
            detected["shape"] = f"{self.convention.shape} {SHAPES[self.convention.shape]}"
        if self.guard:
            detected["guard"] = f"log(0) is guarded by {self.guard:.1g}"
        return detected

    def missing(self, need: str) -> str:
        """Return why ``backward``, a kind, ``soft`` targets or a ``vector`` is not there."""
        if need == "backward":
            return "" if self._backward else "no backward was given"
        if need == "cross-entropy":
            return "it is no cross-entropy" if self.kind.name == "squared" else ""
        if need == "batch":
            return "it takes one sample at a time" if self.convention.most_rows == 1 else ""
        if need == "soft":
            return self._refuses_soft
        if need == "vector":
            return self._refuses_vector
        if need == "classes":
            return "" if self.kind.name == "logits" else "it is not on logits of classes"
        return "" if self.kind.given == need else f"it is not on {need}"

    def __call__(self, p: Array, t: Array) -> float:
        """Return the loss of copies of ``p`` and ``t`` as one number."""
        return value_of(self.raw(p.copy(), t.copy()))

    def raw(self, p: Array, t: Array) -> Any:
        """Return whatever the function makes of ``p`` and ``t`` themselves."""
        return call(self._forward, *self.convention.arguments(p, t))

    def gradient(self, p: Array, t: Array) -> Array:
        """Return the analytic gradient at copies of ``p`` and ``t``, shaped like ``p``."""
        result = as_floats(self.raw_gradient(p.copy(), t.copy()))
        shape = self.convention.lay_out(p).shape
        require_shape(result, shape, "the gradient is not shaped like the prediction")
        return self.convention.fit(result)

    def raw_gradient(self, p: Array, t: Array) -> Any:
        """Return whatever the backward makes of ``p`` and ``t`` themselves."""
        if self._backward is None:
            raise ValueError("no backward was given")
        return call(self._backward, *self.convention.arguments(p, t))

    def right_gradients(self, p: Array, t: Array) -> dict[str, Array]:
        """Return what the gradient may be, by what it is taken with respect to."""
        by_input = np.asarray(self.kind.gradient(p, t), dtype=np.float64)
        right = {"the prediction": by_input}
        if self.kind.given == PROBABILITIES:
            right = {"the probabilities": by_input, "the logits": p - t}
        if not self.unreduced:
            return {name: self.scale(p) * gradient for name, gradient in right.items()}
        return right | {
            f"{name}, of the {mean}": gradient / count
            for name, gradient in right.items()
            for mean, count in (("mean", len(p)), ("mean of entries", p.size))
        }

    def scale(self, p: Array) -> float:
        """Return the factor of the recognised reduction, that of a sum where there is none."""
        rows, classes = np.atleast_2d(p).shape
        return REDUCTIONS[self.reduction or "sum"](rows, classes)

    def expected(self, p: Array, t: Array) -> float:
        """Return the loss in extended precision, reduced as this one is."""
        return float(self.kind.value(p, t).sum() * self.scale(p))

    def tolerance(self, p: Array, t: Array) -> Tolerance:
        """Return the allowance for the loss: rounding, and the effect of a guard inside the log."""
        rounding = float(self.kind.rounding(p, t).sum())
        rounding *= 1 + len(np.atleast_2d(p)) * 2.0**-4
        guarded = 0.0
        if self.guard:
            # |log(p + guard) - log(p)| <= guard / p, and as much again for a clip below 1.
            guarded = 2 * self.guard * float((t / np.where(t > 0, p, 1) + 1).sum())
            if self.kind.binary:
                guarded += 2 * self.guard * float(((1 - t) / np.where(t < 1, 1 - p, 1) + 1).sum())
        return Tolerance(
            "rounding of each sample's loss" + (", and the guard in the log" if guarded else ""),
            absolute=abs(self.scale(p)) * (rounding + guarded),
        )

    def require_right(self, p: Array, t: Array, what: str, *, cause: str = "") -> None:
        """Raise, saying ``what`` is wrong, unless the loss is that in extended precision."""
        require_close(self(p, t), self.expected(p, t), self.tolerance(p, t), what, cause=cause)

    @cached_property
    def guard(self) -> float:
        """The number that keeps the logarithm from zero, 0 where there is none."""
        if self.kind.given != PROBABILITIES:
            return 0.0
        p, t = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
        if self.kind.binary:  # each of the two would be a sample of its own
            p, t = p[:, :1], t[:, :1]
        try:
            floor = float(np.exp(-self(p, t) / self.scale(p)))
        except FunctionRaisedError:
            return 0.0
        return floor if 0 < floor <= LARGEST_GUARD else 0.0

    def likely_cause(self, failed: Property) -> str:
        """Return what the reduction tells, or the factor by which the gradient is wrong."""
        if "backward" in failed.needs:
            return gradient_cause(self.gradient, self.right_gradients, self.convention)
        if self.reduction in self.kind.reductions or failed.name in SCALE_FREE:
            return ""
        if self.kind.name == BINARY and not self.reduction:
            return binary_cause(self, self.convention.fit)
        return REMEDIES.get(self.reduction, "")

    @cached_property
    def unreduced(self) -> bool:
        """Whether the loss is one number per sample or entry: the caller sums them, or averages."""
        t = self.convention.fit(np.eye(2))
        try:
            result = self.raw(np.full(t.shape, 0.5), t)
        except FunctionRaisedError:
            return False
        return np.size(result[0] if isinstance(result, tuple) else result) > 1

    @cached_property
    def _refuses_vector(self) -> str:
        if self.convention.shape == "sample":
            return "it takes one sample at a time"
        p, t = np.array([0.25, 0.75]), np.array([1.0, 0.0])
        why = refusal(self._forward, *self.convention.arguments(p, t))
        return f"it takes no vectors ({why})" if why else ""

    @cached_property
    def _refuses_soft(self) -> str:
        if self.convention.indices:
            return "the function takes class indices"
        if not self.kind.binary:
            return ""
        p = np.array([[0.25]])
        try:
            no, half, yes = (self(p, np.array([[target]])) for target in (0.0, 0.5, 1.0))
        except FunctionRaisedError as error:
            return f"a target of 0.5 is refused: {error.__cause__}"
        taken = {no: "0", yes: "1"}.get(half)
        return (
            f"the function takes 0 and 1 only: a target of 0.5 counts as {taken}" if taken else ""
        )

    def _accepted(self, shape: str | None) -> CallConvention:
        """Return the convention to try where the function explains none by its numbers."""
        p, t = np.array([[0.25], [0.75]]), np.array([[0.0], [1.0]])
        known = [CallConvention(shape=name) for name in ([shape] if shape else SHAPES)]
        taken = [it for it in known if not refusal(self._forward, *it.arguments(p, t))]
        return next(iter(taken), known[0])

    def _second_result(self) -> Callable[..., Any] | None:
        p, t = self.convention.fit(np.array([[0.25, 0.75]])), self.convention.fit(np.eye(2)[:1])
        try:
            result = self.raw(p, t)
        except FunctionRaisedError:
            return None
        if not (isinstance(result, tuple) and len(result) == 2):
            return None
        return lambda *arguments: self._forward(*arguments)[1]


def _require_one_of(argument: str, given: str | None, known: list[str]) -> None:
    if given is not None and given not in known:
        raise ValueError(f"{argument} must be one of {known}, got {given!r}")
