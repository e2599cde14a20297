"""What the backward of a layer owes."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.numerics.derivative import derivative
from gradcheck.properties.assertions import require_close, require_shape
from gradcheck.properties.layer.layer_under_test import LayerUnderTest, batches, inputs, pattern
from gradcheck.properties.property import for_all
from gradcheck.properties.tolerance import Tolerance

# Roundings that a analytic derivative along a direction may carry.
CLAIM = 4096


@for_all(inputs, why="A gradient of another shape broadcasts into the parameters.")
def gradients_shaped_like_tensors(layer: LayerUnderTest, x: Array) -> None:
    """Every gradient has the shape of its tensor."""
    shapes = {layer.input: x.shape} | {
        name: layer.target.tensors[name].shape for name in layer.parameters
    }
    for name, gradient in layer.backward(x, pattern(layer.forward(x).shape)).items():
        require_shape(
            gradient,
            shapes.get(name, gradient.shape),
            f"the gradient of {name} is not shaped like it",
            cause="a sum over the batch is missing, or an axis was dropped",
        )


@for_all(inputs, needs=["float64"], why="It is what training uses.")
def gradients_are_derivatives(layer: LayerUnderTest, x: Array) -> None:
    """Along a direction, each gradient is the numerical derivative within its error bound."""
    # Off the grid, where drawn zeros and ties would be kinks of ReLU, abs and max.
    x = layer.given(x + pattern(x.shape, phase=0.25) / 8).astype(np.float64)
    g = pattern(layer.forward(x).shape)
    for name, gradient in layer.backward(x, g).items():
        start = x if name == layer.input else layer.target.tensors[name]
        _require_derivative(layer, x, g, name, np.asarray(start, dtype=np.float64), gradient)


def _require_derivative(
    layer: LayerUnderTest, x: Array, g: Array, name: str, start: Array, gradient: Array
) -> None:
    direction = pattern(start.shape, phase=0.5)
    # In float32 the outputs are a staircase; the derivative is taken of the same layer in float64.
    wide = layer.in_float64 or layer

    def along(t: float) -> float:
        moved = start + t * direction
        y = wide.forward(moved) if name == layer.input else wide.forward(x, **{name: moved})
        return float(np.sum(g * y))

    require_shape(gradient, start.shape, f"the gradient of {name} is not shaped like it")
    numerical = derivative(along, 0.0)
    got = float(np.sum(gradient * direction))
    # The sums that make up the analytic gradient, in the layer's own precision.
    rounding = CLAIM * layer.eps * (1 + float(np.abs(gradient * direction).sum()))
    bound = numerical.side_bound
    if np.isfinite(bound):
        require_close(
            got,
            numerical.nearest(float(np.nan_to_num(got))),
            Tolerance("the error bound of the numerical derivative", absolute=2 * bound + rounding),
            f"the gradient of {name} is not the derivative of the output",
            cause="gradcheck.check(layer, x) finds the wrong entries and names the bug",
        )


@for_all(inputs, why="A backward is linear by nature; a clip or an ignored cotangent is not.")
def backward_linear(layer: LayerUnderTest, x: Array) -> None:
    """The backward of 2 g + h is twice that of g plus that of h."""
    shape = layer.forward(x).shape
    g, h = pattern(shape), pattern(shape, phase=1.0)
    one, two, both = (layer.backward(x, v) for v in (g, h, 2 * g + h))
    for name, gradient in both.items():
        require_close(
            gradient,
            2 * one[name] + two[name],
            layer.rounding(one[name], two[name]),
            f"the backward for {name} is not linear in the cotangent",
            cause="the cotangent is ignored or clipped, or gradients are accumulated",
        )


@for_all(batches, needs=["rowwise"], why="The gradient of a sample belongs to that sample.")
def input_gradient_of_each_sample_as_if_alone(layer: LayerUnderTest, x: Array) -> None:
    """The input's gradient is that of the samples one by one."""
    g = pattern(layer.forward(x).shape)
    whole = layer.backward(x, g)
    if layer.input not in whole:
        return
    alone = np.concatenate(
        [layer.backward(x[i : i + 1], g[i : i + 1])[layer.input] for i in range(len(x))]
    )
    require_close(
        whole[layer.input], alone, layer.rounding(alone), "a sample's gradient mixes samples"
    )


@for_all(
    batches,
    needs=["rowwise", "parameters"],
    why="= in place of += keeps the last sample only; a mean here divides by the batch twice.",
)
def parameter_gradients_add_up(layer: LayerUnderTest, x: Array) -> None:
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
                layer.rounding(*parts),
                f"the gradient of {name} is not the sum over the samples",
                cause="= in place of +=, a mean over the batch inside the layer, or samples mixed",
            )


@for_all(
    batches,
    needs=["determined"],
    why="A stale cache makes backward answer for another batch than the last.",
)
def backward_answers_for_last_forward(layer: LayerUnderTest, x: Array) -> None:
    """After two forwards, backward belongs to the second."""
    g = pattern(layer.forward(x).shape)
    expected = layer.backward(x, g)
    layer.run(x[::-1] + 1)
    for name, gradient in layer.pull(layer.run(x, fresh=False), g).items():
        require_close(
            gradient,
            expected[name],
            layer.rounding(expected[name]),
            f"after another forward, the gradient of {name} changed",
            cause="the cache keeps the first forward's values, or appends to them",
        )


@for_all(
    inputs, why="Gradients are added up over branches and batches; anything else is lost silently."
)
def second_backward_repeats_or_adds(layer: LayerUnderTest, x: Array) -> None:
    """A second backward gives the same gradients, or, for parameters, adds them to the first."""
    run = layer.run(x)
    g = pattern(run.outputs[0].shape)
    first, second = layer.pull(run, g), layer.pull(run, g)
    for name, gradient in first.items():
        known = [gradient, 2 * gradient] if name in layer.parameters else [gradient]
        require_close(
            second[name],
            min(known, key=lambda one: float(np.abs(one - second[name]).max(initial=0.0))),
            layer.rounding(2 * gradient),
            f"a second backward gives neither the same gradient of {name} nor twice it",
            cause="backward changes what it has cached, or uses up its cache",
        )
