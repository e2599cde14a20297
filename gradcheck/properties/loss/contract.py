"""What a loss owes whatever it computes: inputs left alone, in any layout and precision."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.array_function import lay_out, refusable, with_layout
from gradcheck.properties.assertions import require_close, require_same
from gradcheck.properties.loss import inputs
from gradcheck.properties.loss.loss_under_test import LossUnderTest
from gradcheck.properties.loss.recognize import value_of
from gradcheck.properties.property import for_all


@for_all(
    inputs.predictions,
    why="Targets are reused every epoch; a change in place corrupts all later ones.",
)
def inputs_unchanged(loss: LossUnderTest, p: Array, t: Array) -> None:
    """The loss leaves predictions and targets as they were."""
    prediction, target = p.copy(), t.copy()
    loss.raw(prediction, target)
    require_same(prediction, p, "the predictions were changed", cause="an in-place operation")
    require_same(target, t, "the targets were changed", cause="an in-place operation")


@for_all(
    with_layout(inputs.predictions),
    why="Transposed and sliced arrays are common; ravel reads them wrongly.",
)
def memory_layout_irrelevant(loss: LossUnderTest, p: Array, t: Array, layout: str) -> None:
    """Fortran order, strides, reversed views and read-only arrays have the same loss."""
    with refusable(layout):
        require_close(
            value_of(loss.raw(lay_out(p, layout), t.copy())),
            loss(p, t),
            loss.tolerance(p, t),
            f"a {layout} prediction has another loss than a plain copy of it",
            cause='the code depends on memory order: ravel, reshape(order="K"), .T or .data',
        )


@for_all(
    inputs.predictions, why="State kept between calls makes the loss depend on what ran before."
)
def same_input_same_output(loss: LossUnderTest, p: Array, t: Array) -> None:
    """The same call gives the same bits, whatever was called in between."""
    first = loss(p, t)
    loss(p[::-1], t)
    require_same(
        np.asarray(loss(p, t)),
        np.asarray(first),
        "the same input has another loss the second time",
        cause="the function accumulates between calls or draws random numbers",
    )


@for_all(
    inputs.predictions,
    why="Networks compute in float32; a loss that is only right in float64 is not theirs.",
)
def float32_as_accurate(loss: LossUnderTest, p: Array, t: Array) -> None:
    """In float32 the loss is right to float32's precision."""
    narrow = p.astype(np.float32)
    require_close(
        loss(narrow, t.astype(np.float32)),
        loss.expected(narrow, t),
        loss.tolerance(narrow, t),
        "the loss of float32 predictions is wrong",
        cause="a guard below float32's reach (1e-50 is 0 there), or an overflow",
    )
