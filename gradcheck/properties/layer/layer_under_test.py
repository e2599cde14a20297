"""A layer as the properties see it, and the batches it is tried on."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.adapters import as_target
from gradcheck.properties import inputs as drawing
from gradcheck.properties.assertions import FunctionRaisedError
from gradcheck.properties.function_under_test import FunctionUnderTest, call
from gradcheck.properties.tolerance import Tolerance
from gradcheck.target import ForwardRun
from gradcheck_arguments import checked

# Larger arrays are drawn as the seed of a generator: Hypothesis draws entries one by one.
MOST_ENTRIES = 24
# Sums over a layer's inputs, in another order or blocked otherwise by BLAS.
ROUNDINGS = 256

Gradients = dict[str, Array]


class LayerUnderTest(FunctionUnderTest):
    """A layer under test.

    Parameters
    ----------
    fn
        Anything `gradcheck.as_target` takes: an object with ``forward`` and ``backward``, a pair of
        functions, and so on.
    x
        An example of its input, samples first; a tuple where there are several inputs, of which the
        first is varied. Where it is float32, so is all that the layer is given.
    rowwise
        False for layers that couple samples by right, as batch normalisation does.
    """

    @checked
    def __init__(self, fn: Any, x: Any = None, rowwise: bool = True) -> None:
        if x is None:
            raise TypeError(
                "the layer suite needs an example input: run_properties(..., x=batch), or in a "
                "shell --option x=32,784"
            )
        super().__init__(fn)
        arguments = x if isinstance(x, tuple) else (x,)
        narrow = np.asarray(arguments[0]).dtype == np.float32
        self.dtype: type[np.floating[Any]] = np.float32 if narrow else np.float64
        self.example = np.asarray(arguments[0], dtype=self.dtype)
        if self.example.ndim < 2 or not len(self.example):
            raise ValueError(f"x must be a batch, samples first; got shape {self.example.shape}")
        self.target = as_target(fn, self.example, *arguments[1:])
        self.input = next(
            name for name, value in self.target.tensors.items() if self.target.role(name) == "input"
        )
        self.rowwise = rowwise

    @property
    def detected(self) -> dict[str, str]:
        """The tensors found in the layer."""
        shapes = (f"{name}{value.shape}" for name, value in self.target.tensors.items())
        return {"tensors": ", ".join(shapes)}

    @property
    def parameters(self) -> list[str]:
        """Names of all tensors but the varied input."""
        return [name for name in self.target.tensors if name != self.input]

    def missing(self, need: str) -> str:
        """Return why what a property needs is not there."""
        if need == "rowwise":
            return "" if self.rowwise else "the layer couples samples by right"
        if need == "determined":
            return "the layer draws random numbers" if self.draws else ""
        if need == "float32":
            return "" if self.in_float32 else "the layer cannot be cast to float32"
        if need == "float64":
            return "" if self.in_float64 else "the layer cannot be cast to float64"
        return "" if self.parameters else "the layer has no parameters"

    def forward(self, x: Array, **replaced: Array) -> Array:
        """Return the output at ``x``, with some parameters replaced."""
        return np.asarray(self.run(x, replaced).outputs[0], dtype=np.float64)

    def backward(self, x: Array, g: Array) -> Gradients:
        """Return the gradients of all tensors at ``x`` for the cotangent ``g``."""
        return self.pull(self.run(x), g)

    def run(
        self, x: Array, replaced: Mapping[str, Array] | None = None, *, fresh: bool = True
    ) -> ForwardRun:
        """Run the forward at ``x``, where ``fresh`` from the state in which the layer was given."""
        if fresh:
            self.target.state.restore()
        tensors = {**self.target.tensors, self.input: x, **(replaced or {})}
        given = {name: self.given(value) for name, value in tensors.items()}
        run: ForwardRun = call(self.target.call, given)
        return run

    def pull(self, run: ForwardRun, g: Array) -> Gradients:
        """Return the gradients of all tensors that belong to ``run``, for the cotangent ``g``."""
        claimed = call(run.pullback, (np.array(g, dtype=self.dtype),))
        return {name: np.array(value, dtype=np.float64) for name, value in claimed.items()}

    def given(self, x: Array) -> Array:
        """Return ``x`` in the dtype of the example, and in its own memory layout."""
        return x if x.dtype == self.dtype else x.astype(self.dtype)

    @cached_property
    def draws(self) -> bool:
        """Whether the output is another one at each step, as a dropout's is."""
        x = self.generic(4)
        first = self.run(x)
        self.pull(first, pattern(first.outputs[0].shape))
        second = self.run(x, fresh=False)
        return not np.array_equal(first.outputs[0], second.outputs[0], equal_nan=True)

    def generic(self, rows: int) -> Array:
        """Return a batch of so many samples with no regularity."""
        return pattern((rows, *self.example.shape[1:]), phase=0.25)

    @property
    def eps(self) -> float:
        """Spacing of the layer's numbers at one."""
        return float(np.finfo(self.dtype).eps)

    @cached_property
    def in_float32(self) -> LayerUnderTest | None:
        """The same layer computing in float32, None where that cannot be had."""
        return self._in(np.float32)

    @cached_property
    def in_float64(self) -> LayerUnderTest | None:
        """The same layer computing in float64, None where that cannot be had."""
        return self._in(np.float64)

    def _in(self, dtype: type[np.floating[Any]]) -> LayerUnderTest | None:
        if dtype == self.dtype:
            return self
        self.target.state.restore()
        try:
            target = call(self.target.cast, dtype)
        except FunctionRaisedError:
            return None
        if target is None:
            return None
        twin = copy.copy(self)
        twin.target, twin.dtype = target, dtype
        return twin

    def rounding(self, *values: Array) -> Tolerance:
        """Return the allowance for sums of products, relative to the largest value among them."""
        size = max((float(np.abs(value).max(initial=0.0)) for value in values), default=0.0)
        allowance = ROUNDINGS * self.eps * (1 + size)
        return Tolerance(f"{ROUNDINGS} eps of the largest entry", absolute=allowance)


def pattern(shape: tuple[int, ...], phase: float = 0.0) -> Array:
    """Return numbers in [-1, 1] with no regularity that a layer could share."""
    return np.cos(np.arange(1.0, 1.0 + np.prod(shape)) * 1.7 + phase).reshape(shape)


@st.composite
def inputs(draw: st.DrawFn, layer: LayerUnderTest, min_rows: int = 1) -> dict[str, Any]:
    """Draw ``x``: a batch of samples shaped like the example's."""
    shape = (draw(st.integers(min_rows, 3)), *layer.example.shape[1:])
    if np.prod(shape) <= MOST_ENTRIES:
        return {"x": drawing.draw_grid(draw, shape, 2.0)}
    return {"x": np.random.default_rng(draw(st.integers(0, 2**16))).normal(size=shape)}


def batches(layer: LayerUnderTest) -> st.SearchStrategy[dict[str, Any]]:
    """Draw ``x`` of two samples or more."""
    return inputs(layer, min_rows=2)
