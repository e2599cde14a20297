"""A loss as the properties see it: ``loss(p, t)`` on one-hot or soft targets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.properties.loss.causes import gradient_cause
from gradcheck.properties.loss.kinds import KINDS, REDUCTIONS, REMEDIES
from gradcheck.properties.loss.recognition import (
    Convention,
    backward_of,
    recognise,
    recognise_reduction,
    value_of,
)
from gradcheck.properties.subject import Subject, as_floats, call, refusal
from gradcheck.properties.tolerance import Tolerance
from gradcheck.properties.violation import Array, FunctionRaisedError, PropertyViolationError

# The largest number added inside a logarithm that still counts as a guard against log(0).
LARGEST_GUARD = 1e-5


class Loss(Subject):
    """A loss under test.

    Parameters
    ----------
    fn
        ``fn(p, t)``, or ``fn(t, p)``, which is found out; ``t`` one-hot rows or class indices,
        found out too. It may return ``(loss, gradient)``, or be an object with ``forward(p, t)``
        and ``backward()``.
    kind
        ``"probabilities"`` or ``"logits"`` (cross-entropy on either) or ``"squared"``; found out
        when not given.
    backward
        ``backward(p, t)``: the gradient by ``p``; for cross-entropy on probabilities it may be that
        by the logits, ``p - t``.
    allow_infinite
        Accept a loss of infinity where the true class has probability 0.
    """

    def __init__(
        self,
        fn: Any,
        kind: str | None = None,
        backward: Callable[..., Any] | None = None,
        allow_infinite: bool = False,
    ) -> None:
        super().__init__(fn)
        if kind is not None and kind not in KINDS:
            raise ValueError(f"kind must be one of {list(KINDS)}, got {kind!r}")
        self._forward = fn if callable(fn) else fn.forward
        self.allow_infinite = allow_infinite
        found = recognise(self._forward, kind)
        if found is None and kind is None:
            raise ValueError(
                f"{self.name} is proportional to no loss known here on single samples of shape "
                f"(1, 3); say which it should be: kind={' or '.join(map(repr, KINDS))}"
            )
        self.kind, self.convention = found or (KINDS[str(kind)], Convention())
        self.reduction = recognise_reduction(self._forward, self.kind, self.convention)
        self._backward = backward or backward_of(fn) or self._second_result()

    @property
    def facts(self) -> dict[str, str]:
        """How the loss is called, what it computes and how it is reduced."""
        first = "target" if self.convention.target_first else "prediction"
        facts = {
            "kind": self.kind.name,
            "arguments": f"{first} first, {'indices' if self.convention.indices else 'one-hot'}",
            "reduction": self.reduction or "none that is known",
        }
        return facts | ({"guard": f"log(0) is guarded by {self.guard:.1g}"} if self.guard else {})

    def missing(self, need: str) -> str:
        """Return why ``backward``, a kind, ``soft`` targets or a ``vector`` is not there."""
        if need == "backward":
            return "" if self._backward else "no backward was given"
        if need == "cross-entropy":
            return "" if self.kind.name != "squared" else "it is no cross-entropy"
        if need == "soft":
            return "the function takes class indices" if self.convention.indices else ""
        if need == "vector":
            return self._refuses_vector
        return "" if self.kind.name == need else f"it is not on {need}"

    def __call__(self, p: Array, t: Array) -> float:
        """Return the loss of copies of ``p`` and ``t`` as one number."""
        return value_of(self.raw(p.copy(), t.copy()))

    def raw(self, p: Array, t: Array) -> Any:
        """Return whatever the function makes of ``p`` and ``t`` themselves."""
        return call(self._forward, *self.convention.arguments(p, t))

    def gradient(self, p: Array, t: Array) -> Array:
        """Return the claimed gradient at copies of ``p`` and ``t``, shaped like ``p``."""
        result = as_floats(self.raw_gradient(p.copy(), t.copy()))
        if result.shape != p.shape:
            raise PropertyViolationError(
                "the gradient is not shaped like the prediction", got=result.shape, expected=p.shape
            )
        return result

    def raw_gradient(self, p: Array, t: Array) -> Any:
        """Return whatever the backward makes of ``p`` and ``t`` themselves."""
        if self._backward is None:
            raise ValueError("no backward was given")
        return call(self._backward, *self.convention.arguments(p, t))

    def right_gradients(self, p: Array, t: Array) -> dict[str, Array]:
        """Return what the gradient may be, by what it is taken with respect to."""
        scale = self.scale(p)
        by_input = np.asarray(scale * self.kind.gradient(p, t), dtype=np.float64)
        if self.kind.name != "probabilities":
            return {"the prediction": by_input}
        return {"the probabilities": by_input, "the logits": scale * (p - t)}

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
        return Tolerance(
            "rounding of each sample's loss" + (", and the guard in the log" if guarded else ""),
            absolute=abs(self.scale(p)) * (rounding + guarded),
        )

    @cached_property
    def guard(self) -> float:
        """The number that keeps the logarithm from zero, 0 where there is none."""
        if self.kind.name != "probabilities":
            return 0.0
        p, t = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
        try:
            floor = float(np.exp(-self(p, t) / self.scale(p)))
        except FunctionRaisedError:
            return 0.0
        return floor if 0 < floor <= LARGEST_GUARD else 0.0

    def likely_cause(self, needs: tuple[str, ...] = ()) -> str:
        """Return what the reduction tells, or the factor by which the gradient is wrong."""
        if "backward" in needs:
            return gradient_cause(self.gradient, self.right_gradients)
        if self.reduction in self.kind.reductions:
            return ""
        return REMEDIES.get(self.reduction, "")

    @cached_property
    def _refuses_vector(self) -> str:
        p, t = np.array([0.25, 0.75]), np.array([1.0, 0.0])
        return refusal(self._forward, *self.convention.arguments(p, t))

    def _second_result(self) -> Callable[..., Any] | None:
        p, t = np.array([[0.25, 0.75]]), np.array([[1.0, 0.0]])
        try:
            result = self.raw(p, t)
        except FunctionRaisedError:
            return None
        if not (isinstance(result, tuple) and len(result) == 2):
            return None
        return lambda *arguments: self._forward(*arguments)[1]
