"""The runs that the promises of a contract look at, so that none is made twice."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.checking.context import CheckContext
from gradcheck.numerics.blockwise import blocks
from gradcheck.target import ForwardRun

# Agreement of two computations of the same thing by other orders of summation, in roundings.
ROUNDINGS = 1e3


# Whether one promise holds (None: not measurable), and what was measured.
PromiseResult = tuple[bool | None, str]


class SharedRuns:
    """A layer with the runs that several promises look at, so that none is made twice."""

    def __init__(self, context: CheckContext) -> None:
        self.context = context
        self.evaluator = context.native
        self.tensors: Tensors = context.native.target.tensors
        self.cotangents = tuple(
            v.astype(y.dtype) if y.dtype.kind == "f" else v
            for v, y in zip(
                context.native_base.cotangents, context.native_base.outputs, strict=True
            )
        )
        self.first = self.evaluator.run(self.tensors)
        handed = {name: self.tensors[name] for name in self.first.handed}
        self.inputs_after_forward = changed(handed, self.first.handed)
        self.sent = tuple(v.copy() for v in self.cotangents)
        self.evaluator.backwards += 1
        with np.errstate(all="ignore"):
            analytic = self.first.pullback(self.sent)
        self.shared = self._shared(analytic)
        self.analytic = {name: self._kept(name, gradient) for name, gradient in analytic.items()}
        self.mutated = changed(handed, self.first.handed)
        self.repeated = self._repeat()

    @cached_property
    def redrawn(self) -> str:
        """How a second forward differs that draws other random numbers; empty if it does not."""
        self.evaluator.target.state.restore(randomness=False)
        return self.differs_from_first(self.evaluator.run_on(self.tensors))

    def differs_from_first(self, second: ForwardRun) -> str:
        """Return how the outputs of ``second`` differ from those of the first, bit for bit."""
        pairs = list(zip(self.first.outputs, second.outputs, strict=True))
        if all(same(a, b) for a, b in pairs):
            return ""
        if any(a.shape != b.shape for a, b in pairs):
            return "two forwards at the same point give outputs of different shapes"
        gap = max(float(np.nanmax(np.abs(a - b), initial=0.0)) for a, b in pairs)
        share = np.mean([np.mean(a != b) for a, b in pairs])
        return (
            f"two forwards at the same point differ in {share:.0%} of the outputs, by up to "
            f"{gap:.3g}"
        )

    @property
    def batch_tensors(self) -> tuple[str, ...]:
        """The tensors along whose first axis the samples are that the output has; else none."""
        names = self.evaluator.target.batch_tensors
        first = self.first.outputs[0]
        counted = names and first.ndim and first.shape[0] == self.tensors[names[0]].shape[0]
        return names if counted else ()

    def _shared(self, analytic: Mapping[str, Any]) -> list[str]:
        """Name the gradients that share memory with what the layer was given."""
        given = {f"the tensor {name}": value for name, value in self.first.handed.items()}
        given |= {f"the cotangent {i}": value for i, value in enumerate(self.sent)}
        return [
            f"the gradient of {name} shares memory with {other}"
            for name, gradient in analytic.items()
            for other, value in given.items()
            if np.shares_memory(gradient, value)
        ]

    def _kept(self, name: str, gradient: Any) -> Array:
        """Return a copy that no later backward changes, or the same numbers known already."""
        known = self.context.native_base.analytic.get(name)
        array = np.asarray(gradient)
        if known is not None and known.dtype == array.dtype and same(known, array):
            return known
        return array.copy()

    def _repeat(self) -> dict[str, float]:
        """Return what a second backward gives, as a multiple of the first; NaN if none."""
        second = self.evaluator.pull(self.first, self.cotangents, last=True)
        return {
            name: next((k for k in (1.0, 2.0) if self.agrees(name, second.get(name), k)), math.nan)
            for name in self.analytic
        }

    def pull(self, cotangents: Outputs, *, last: bool = False) -> dict[str, Array]:
        """Run forward and backward once more; see `Evaluator.pull`."""
        return self.evaluator.pull(self.evaluator.run(self.tensors), cotangents, last=last)

    def agrees(self, name: str, other: Array | None, factor: float = 1.0) -> bool:
        """Whether ``other`` is ``factor`` times the gradient of ``name``, up to rounding."""
        gradient = self.analytic[name]
        if other is None or other.shape != gradient.shape:
            return False
        allowed = ROUNDINGS * self.context.eps * largest(gradient)
        return all(
            _close(theirs, factor * ours, allowed) for ours, theirs in blocks(gradient, other)
        )

    def near(self, output: Array, position: int) -> bool:
        """Whether ``output`` is the output at ``position`` of the first run, up to rounding."""
        first = self.first.outputs[position]
        allowed = ROUNDINGS * self.context.eps * largest(first)
        return output.shape == first.shape and bool(
            np.allclose(output, first, rtol=0, atol=allowed, equal_nan=True)
        )


def changed(before: Mapping[str, Array], after: Mapping[str, Array]) -> dict[str, float]:
    """Return the arrays that are not the same bit for bit, and by how much at most.

    Measured at once: a layer's own arrays are put back in place before its next run.
    """
    return {
        name: float(np.max(np.abs(value - before[name])))
        for name, value in after.items()
        if name in before and not same(before[name], value)
    }


def _close(a: Array, b: Array, allowed: float) -> bool:
    with np.errstate(invalid="ignore"):
        if np.all(np.abs(a - b) <= allowed):
            return True
    return bool(np.allclose(a, b, rtol=0, atol=allowed, equal_nan=True))


def largest(array: Array) -> float:
    """Return the largest magnitude among the finite entries, zero if there is none."""
    if array.size == 0:
        return 0.0
    return max(
        float(np.max(np.abs(part), where=np.isfinite(part), initial=0.0))
        for (part,) in blocks(array)
    )


def same(a: Array, b: Array) -> bool:
    """Whether two arrays are equal bit for bit, up to the kind of NaN."""
    return a.shape == b.shape and all(
        np.array_equal(x, y) or np.array_equal(x, y, equal_nan=y.dtype.kind == "f")
        for x, y in blocks(a, b)
    )
