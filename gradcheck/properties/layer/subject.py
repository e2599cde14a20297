"""A layer as the properties see it, and the batches it is tried on."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck.adapters import as_target
from gradcheck.properties import strategies
from gradcheck.properties.array_function import LAYOUTS
from gradcheck.properties.subject import Subject, call
from gradcheck.properties.tolerance import Tolerance
from gradcheck.properties.violation import (
    Array,
)

# Larger arrays are drawn as the seed of a generator: Hypothesis draws entries one by one.
MOST_ENTRIES = 24
# Sums over a layer's inputs, in another order or blocked otherwise by BLAS.
ROUNDINGS = 256

Gradients = dict[str, Array]


class Layer(Subject):
    """A layer under test.

    Parameters
    ----------
    fn
        Anything `gradcheck.as_target` takes: an object with ``forward`` and ``backward``, a pair of
        functions, and so on.
    x
        An example of its input, samples first; a tuple where there are several inputs, of which the
        first is varied.
    rowwise
        False for layers that couple samples by right, as batch normalisation does.
    """

    def __init__(self, fn: Any, x: Any = None, rowwise: bool = True) -> None:
        if x is None:
            raise TypeError("the layer suite needs an example input: run_properties(..., x=batch)")
        super().__init__(fn)
        arguments = x if isinstance(x, tuple) else (x,)
        self.example = np.asarray(arguments[0], dtype=np.float64)
        if self.example.ndim < 2 or not len(self.example):
            raise ValueError(f"x must be a batch, samples first; got shape {self.example.shape}")
        self.target = as_target(fn, self.example, *arguments[1:])
        self.input = next(
            name for name, value in self.target.tensors.items() if self.target.role(name) == "input"
        )
        self.rowwise = rowwise

    @property
    def facts(self) -> dict[str, str]:
        """The tensors found in the layer."""
        shapes = (f"{name}{value.shape}" for name, value in self.target.tensors.items())
        return {"tensors": ", ".join(shapes)}

    @property
    def parameters(self) -> list[str]:
        """Names of all tensors but the varied input."""
        return [name for name in self.target.tensors if name != self.input]

    def missing(self, need: str) -> str:
        """Return why ``rowwise`` or ``parameters`` is not there."""
        if need == "rowwise":
            return "" if self.rowwise else "the layer couples samples by right"
        return "" if self.parameters else "the layer has no parameters"

    def forward(self, x: Array, **replaced: Array) -> Array:
        """Return the output at ``x``, with some parameters replaced."""
        self.target.state.restore()
        run = call(self.target.call, {**self.target.tensors, self.input: x, **replaced})
        return np.asarray(run.outputs[0], dtype=np.float64)

    def backward(self, x: Array, g: Array) -> Gradients:
        """Return the gradients of all tensors at ``x`` for the cotangent ``g``."""
        self.target.state.restore()
        run = call(self.target.call, {**self.target.tensors, self.input: x})
        claimed = call(run.pullback, (g.copy(),))
        return {name: np.array(value, dtype=np.float64) for name, value in claimed.items()}


def pattern(shape: tuple[int, ...], phase: float = 0.0) -> Array:
    """Return numbers in [-1, 1] with no regularity that a layer could share."""
    return np.cos(np.arange(1.0, 1.0 + np.prod(shape)) * 1.7 + phase).reshape(shape)


def rounding(*values: Array) -> Tolerance:
    """Return the allowance for sums of products, relative to the largest value among them."""
    size = max((float(np.abs(value).max(initial=0.0)) for value in values), default=0.0)
    eps = float(np.finfo(np.float64).eps)
    return Tolerance(f"{ROUNDINGS} eps of the largest entry", absolute=ROUNDINGS * eps * (1 + size))


@st.composite
def inputs(draw: strategies.Draw, layer: Layer, min_rows: int = 1) -> dict[str, Any]:
    """Draw ``x``: a batch of samples shaped like the example's."""
    shape = (draw(st.integers(min_rows, 3)), *layer.example.shape[1:])
    if np.prod(shape) <= MOST_ENTRIES:
        return {"x": strategies.draw_grid(draw, shape, 2.0)}
    return {"x": np.random.default_rng(draw(st.integers(0, 2**16))).normal(size=shape)}


def batches(layer: Layer) -> st.SearchStrategy[dict[str, Any]]:
    """Draw ``x`` of two samples or more."""
    return inputs(layer, min_rows=2)


def with_layout(layer: Layer) -> st.SearchStrategy[dict[str, Any]]:
    """Draw ``x`` and a memory layout for it."""
    pairs = st.tuples(inputs(layer), st.sampled_from(LAYOUTS))
    return pairs.map(lambda pair: {**pair[0], "layout": pair[1]})
