"""What the forward of a layer owes."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.array_function import lay_out, refusable, with_layout
from gradcheck.properties.assertions import (
    FunctionRaisedError,
    require,
    require_close,
    require_same,
)
from gradcheck.properties.function_under_test import call
from gradcheck.properties.layer.layer_under_test import (
    LayerUnderTest,
    batches,
    inputs,
    pattern,
)
from gradcheck.properties.property import for_all
from gradcheck.properties.tolerance import exact


@for_all(inputs, why="Noise or state in the forward makes every gradient meaningless.")
def same_input_same_output(layer: LayerUnderTest, x: Array) -> None:
    """From the same state, the same input gives the same bits."""
    require_same(
        layer.forward(x),
        layer.forward(x),
        "the same input gave another output the second time",
        cause="random numbers without a fixed seed, as in dropout",
    )


@for_all(inputs, why="One NaN spreads to every weight within two steps.")
def output_finite(layer: LayerUnderTest, x: Array) -> None:
    """Moderate inputs give finite outputs."""
    y = layer.forward(x)
    require(np.isfinite(y).all(), "the output is not finite", got=y, expected="finite numbers")


@for_all(
    inputs, why="A dropped axis turns one sample into a vector, which broadcasts from then on."
)
def batch_axis_kept(layer: LayerUnderTest, x: Array) -> None:
    """There is one output per sample, for a batch of one too."""
    y = layer.forward(x)
    require(
        y.ndim > 0 and len(y) == len(x),
        "the output has not one entry per sample",
        got=y.shape,
        expected=f"({len(x)}, ...)",
    )


@for_all(
    batches,
    needs=["rowwise"],
    why="If it fails, a sample's prediction depends on the rest of its batch.",
)
def each_sample_as_if_alone(layer: LayerUnderTest, x: Array) -> None:
    """Each sample of a batch gives what it gives alone."""
    alone = np.concatenate([layer.forward(x[i : i + 1]) for i in range(len(x))])
    require_close(
        layer.forward(x),
        alone,
        layer.rounding(alone),
        "a sample in the batch differs from the sample alone",
        cause="a sum, mean or maximum runs over the batch; or pass rowwise=False if it should",
    )


@for_all(
    with_layout(inputs), why="Transposed and sliced arrays are common; reshape reads them wrongly."
)
def memory_layout_irrelevant(layer: LayerUnderTest, x: Array, layout: str) -> None:
    """Fortran order, strides and reversed views give the same output."""
    expected = layer.forward(x)
    with refusable(layout):
        got = layer.forward(lay_out(x, layout))
        require_close(got, expected, layer.rounding(expected), f"a {layout} input differs")


@for_all(inputs, why="A changed input or cotangent corrupts whatever uses it next.")
def arguments_unchanged(layer: LayerUnderTest, x: Array) -> None:
    """Forward leaves its input, backward its cotangent, and both the parameters as they were."""
    x = layer.given(x)
    run = layer.run(x)
    if layer.input in run.handed:
        require_same(np.asarray(run.handed[layer.input]), x, "forward changed its input")
    g = layer.given(pattern(run.outputs[0].shape))
    sent = g.copy()
    call(run.pullback, (sent,))
    require_same(sent, g, "backward changed its cotangent", cause="an in-place operation on it")
    for name in set(layer.parameters) & set(run.handed):
        require_same(
            np.asarray(run.handed[name]),
            layer.given(layer.target.tensors[name]),
            f"forward or backward changed the parameter {name}",
            cause="an in-place operation on it; parameters move in the optimizer's step only",
        )


@for_all(
    pins=[{"rows": 0}],
    why="The last batch of a filtered data set may be empty; one NaN mean spoils all weights.",
)
def empty_batch_stays_empty(layer: LayerUnderTest, rows: int) -> None:
    """A batch of no samples gives no outputs and no gradient of a parameter, or is refused."""
    x = np.empty((rows, *layer.example.shape[1:]))
    try:
        y = layer.forward(x)
        gradients = layer.backward(x, np.empty(y.shape))
    except FunctionRaisedError:
        return
    require(len(y) == 0, "an empty batch has outputs", got=y.shape, expected="(0, ...)")
    for name in set(layer.parameters) & set(gradients):
        require_close(
            gradients[name],
            np.zeros_like(gradients[name]),
            exact("0: there is nothing to add up"),
            f"an empty batch has a gradient of {name}",
            cause="a mean over no samples is 0 / 0: the mean belongs to the loss",
        )


@for_all(
    pins=[{"rows": 4}],
    needs=["parameters"],
    why="A parameter that moves nothing is never used, or shadowed.",
)
def every_parameter_moves_output(layer: LayerUnderTest, rows: int) -> None:
    """Changing any parameter changes the output for a generic batch."""
    # A batch: that of one sample is its own mean, so that batch normalisation would scale zeros.
    x = layer.generic(rows)
    y = layer.forward(x)
    for name in layer.parameters:
        start = layer.target.tensors[name]
        moved = layer.forward(x, **{name: start + pattern(start.shape)})
        require(
            not np.array_equal(moved, y), f"changing {name} does not change the output", where=name
        )
