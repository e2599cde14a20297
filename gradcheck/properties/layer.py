"""The properties of a layer: forward, backward, and parameters with their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck.adapters import as_target
from gradcheck.derivative import derivative
from gradcheck.properties import strategies
from gradcheck.properties.array_function import LAYOUTS, lay_out
from gradcheck.properties.registry import Suite
from gradcheck.properties.subject import Subject, call
from gradcheck.properties.tolerance import Tolerance
from gradcheck.properties.violation import (
    Array,
    PropertyViolationError,
    require,
    require_close,
    require_same,
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
def _inputs(draw: strategies.Draw, layer: Layer, min_rows: int = 1) -> dict[str, Any]:
    shape = (draw(st.integers(min_rows, 3)), *layer.example.shape[1:])
    if np.prod(shape) <= MOST_ENTRIES:
        return {"x": strategies.draw_grid(draw, shape, 2.0)}
    return {"x": np.random.default_rng(draw(st.integers(0, 2**16))).normal(size=shape)}


def _batches(layer: Layer) -> st.SearchStrategy[dict[str, Any]]:
    return _inputs(layer, min_rows=2)


def _with_layout(layer: Layer) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(_inputs(layer), st.sampled_from(LAYOUTS))
    return pairs.map(lambda pair: {**pair[0], "layout": pair[1]})


SUITE = Suite("layer", Layer)


@SUITE.register(_inputs, why="Noise or state in the forward makes every gradient meaningless.")
def same_input_same_output(layer: Layer, x: Array) -> None:
    """From the same state, the same input gives the same bits."""
    require_same(
        layer.forward(x),
        layer.forward(x),
        "the same input gave another output the second time",
        cause="random numbers without a fixed seed, as in dropout",
    )


@SUITE.register(_inputs, why="One NaN spreads to every weight within two steps.")
def output_finite(layer: Layer, x: Array) -> None:
    """Moderate inputs give finite outputs."""
    y = layer.forward(x)
    require(np.isfinite(y).all(), "the output is not finite", got=y, expected="finite numbers")


@SUITE.register(
    _inputs, why="A dropped axis turns one sample into a vector, which broadcasts from then on."
)
def batch_axis_kept(layer: Layer, x: Array) -> None:
    """There is one output per sample, for a batch of one too."""
    y = layer.forward(x)
    require(
        y.ndim > 0 and len(y) == len(x),
        "the output has not one entry per sample",
        got=y.shape,
        expected=f"({len(x)}, ...)",
    )


@SUITE.register(
    _batches,
    needs=["rowwise"],
    why="If it fails, a sample's prediction depends on the rest of its batch.",
)
def each_sample_as_if_alone(layer: Layer, x: Array) -> None:
    """Each sample of a batch gives what it gives alone."""
    alone = np.concatenate([layer.forward(x[i : i + 1]) for i in range(len(x))])
    require_close(
        layer.forward(x),
        alone,
        rounding(alone),
        "a sample in the batch differs from the sample alone",
        cause="a sum, mean or maximum runs over the batch; or pass rowwise=False if it should",
    )


@SUITE.register(
    _with_layout, why="Transposed and sliced arrays are common; reshape reads them wrongly."
)
def memory_layout_irrelevant(layer: Layer, x: Array, layout: str) -> None:
    """Fortran order, strides and reversed views give the same output."""
    expected = layer.forward(x)
    require_close(
        layer.forward(lay_out(x, layout)), expected, rounding(expected), f"a {layout} input differs"
    )


@SUITE.register(_inputs, why="A changed input or cotangent corrupts whatever uses it next.")
def arguments_unchanged(layer: Layer, x: Array) -> None:
    """Forward leaves its input, and backward its cotangent, as they were."""
    layer.target.state.restore()
    run = call(layer.target.call, {**layer.target.tensors, layer.input: x})
    if layer.input in run.handed:
        require_same(np.asarray(run.handed[layer.input]), x, "forward changed its input")
    g = pattern(run.outputs[0].shape)
    given = g.copy()
    call(run.pullback, (given,))
    require_same(given, g, "backward changed its cotangent", cause="an in-place operation on it")


@SUITE.register(_inputs, why="A gradient of another shape broadcasts into the parameters.")
def gradients_shaped_like_tensors(layer: Layer, x: Array) -> None:
    """Every gradient has the shape of its tensor."""
    shapes = {layer.input: x.shape} | {
        name: layer.target.tensors[name].shape for name in layer.parameters
    }
    for name, gradient in layer.backward(x, pattern(layer.forward(x).shape)).items():
        require(
            gradient.shape == shapes.get(name, gradient.shape),
            f"the gradient of {name} is not shaped like it",
            got=gradient.shape,
            expected=shapes.get(name),
            cause="a sum over the batch is missing, or an axis was dropped",
        )


@SUITE.register(_inputs, why="It is what training uses.")
def gradients_are_derivatives(layer: Layer, x: Array) -> None:
    """Along a direction, each gradient is the numerical derivative within its error bound."""
    # Off the grid, where drawn zeros and ties would be kinks of ReLU, abs and max.
    x = x + pattern(x.shape, phase=0.25) / 8
    g = pattern(layer.forward(x).shape)
    claimed = layer.backward(x, g)
    for name, gradient in claimed.items():
        start = x if name == layer.input else layer.target.tensors[name]
        _require_derivative(layer, x, g, name, np.asarray(start, dtype=np.float64), gradient)


def _require_derivative(
    layer: Layer, x: Array, g: Array, name: str, start: Array, gradient: Array
) -> None:
    direction = pattern(start.shape, phase=0.5)

    def along(t: float) -> float:
        moved = start + t * direction
        y = layer.forward(moved) if name == layer.input else layer.forward(x, **{name: moved})
        return float(np.sum(g * y))

    if gradient.shape != start.shape:
        raise PropertyViolationError(
            f"the gradient of {name} is not shaped like it",
            got=gradient.shape,
            expected=start.shape,
        )
    numerical = derivative(along, 0.0)
    got = float(np.sum(gradient * direction))
    low = high = numerical.value
    bound = numerical.error_bound
    if numerical.kink is not None:
        low, high = sorted([numerical.kink.left, numerical.kink.right])
        bound = max(numerical.kink.left_bound, numerical.kink.right_bound)
    if np.isfinite(bound):
        require_close(
            got,
            min(max(got, low), high) if np.isfinite(got) else numerical.value,
            Tolerance("the error bound of the numerical derivative", absolute=2 * bound + 1e-12),
            f"the gradient of {name} is not the derivative of the output",
            cause="gradcheck.check(layer, x) finds the wrong entries and names the bug",
        )


@SUITE.register(
    _inputs, why="A backward is linear by nature; a clip or an ignored cotangent is not."
)
def backward_linear(layer: Layer, x: Array) -> None:
    """The backward of 2 g + h is twice that of g plus that of h."""
    shape = layer.forward(x).shape
    g, h = pattern(shape), pattern(shape, phase=1.0)
    one, two, both = (layer.backward(x, v) for v in (g, h, 2 * g + h))
    for name, gradient in both.items():
        require_close(
            gradient,
            2 * one[name] + two[name],
            rounding(one[name], two[name]),
            f"the backward for {name} is not linear in the cotangent",
            cause="the cotangent is ignored or clipped, or gradients are accumulated",
        )


@SUITE.register(_batches, needs=["rowwise"], why="The gradient of a sample belongs to that sample.")
def input_gradient_of_each_sample_as_if_alone(layer: Layer, x: Array) -> None:
    """The input's gradient is that of the samples one by one."""
    g = pattern(layer.forward(x).shape)
    whole = layer.backward(x, g)
    if layer.input not in whole:
        return
    alone = np.concatenate(
        [layer.backward(x[i : i + 1], g[i : i + 1])[layer.input] for i in range(len(x))]
    )
    require_close(whole[layer.input], alone, rounding(alone), "a sample's gradient mixes samples")


@SUITE.register(
    _batches,
    needs=["rowwise", "parameters"],
    why="= in place of += keeps the last sample only; a mean here divides by the batch twice.",
)
def parameter_gradients_add_up(layer: Layer, x: Array) -> None:
    """A parameter's gradient is the sum of those of the samples alone."""
    g = pattern(layer.forward(x).shape)
    whole = layer.backward(x, g)
    alone = [layer.backward(x[i : i + 1], g[i : i + 1]) for i in range(len(x))]
    for name in layer.parameters:
        if name in whole:
            parts = [gradients[name] for gradients in alone]
            require_close(
                whole[name],
                np.sum(parts, axis=0),
                rounding(*parts),
                f"the gradient of {name} is not the sum over the samples",
                cause="= in place of +=, a mean over the batch inside the layer, or samples mixed",
            )


@SUITE.register(
    _inputs, needs=["parameters"], why="A parameter that moves nothing is never used, or shadowed."
)
def every_parameter_moves_output(layer: Layer, x: Array) -> None:
    """Changing any parameter changes the output for a generic input."""
    generic = pattern(x.shape, phase=0.25)
    y = layer.forward(generic)
    for name in layer.parameters:
        start = layer.target.tensors[name]
        moved = layer.forward(generic, **{name: start + pattern(start.shape)})
        require(
            not np.array_equal(moved, y), f"changing {name} does not change the output", where=name
        )


@SUITE.register(
    _batches, why="A stale cache makes backward answer for another batch than the last."
)
def backward_answers_for_last_forward(layer: Layer, x: Array) -> None:
    """After two forwards, backward belongs to the second."""
    g = pattern(layer.forward(x).shape)
    expected = layer.backward(x, g)
    layer.target.state.restore()
    tensors = layer.target.tensors
    call(layer.target.call, {**tensors, layer.input: np.array(x[::-1] + 1)})
    run = call(layer.target.call, {**tensors, layer.input: x})
    for name, gradient in call(run.pullback, (g.copy(),)).items():
        require_close(
            gradient,
            expected[name],
            rounding(expected[name]),
            f"after another forward, the gradient of {name} changed",
            cause="the cache keeps the first forward's values, or appends to them",
        )
