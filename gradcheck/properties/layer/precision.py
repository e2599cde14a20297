"""What a layer owes to the precision it is given: its dtype, and right numbers in float32."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.assertions import require, require_close
from gradcheck.properties.function_under_test import call
from gradcheck.properties.layer.layer_under_test import LayerUnderTest, pattern
from gradcheck.properties.property import for_all
from gradcheck.properties.tolerance import Tolerance

# Half of float32's digits: lost only by a narrower type inside, or by cancellation.
HALF_THE_DIGITS = float(np.sqrt(np.finfo(np.float32).eps))


@for_all(
    pins=[{"rows": 3}],
    why="Widening doubles the memory and time of all that follows; narrowing loses digits unseen.",
)
def dtype_kept(layer: LayerUnderTest, rows: int) -> None:
    """Output and gradients have the dtype of the input and the parameters."""
    x = layer.generic(rows)
    run = layer.run(x)
    given = {name: np.asarray(value).dtype for name, value in run.handed.items()}
    if set(given.values()) != {np.dtype(layer.dtype)}:
        return  # mixed precision is of the layer's own choosing
    g = pattern(run.outputs[0].shape).astype(layer.dtype)
    made = {"the output": run.outputs[0]}
    for name, gradient in call(run.pullback, (g,)).items():
        made[f"the gradient of {name}"] = np.asarray(gradient)
    for what, value in made.items():
        require(
            value.dtype == layer.dtype,
            f"{what} has another dtype than what the layer was given",
            got=value.dtype,
            expected=np.dtype(layer.dtype),
            cause="a buffer made without dtype=x.dtype, or astype() inside",
        )


@for_all(
    pins=[{"rows": 1}, {"rows": 4}],
    needs=["float32", "determined"],
    why="Networks compute in float32; a layer that is only right in float64 is not theirs.",
)
def float32_as_accurate(layer: LayerUnderTest, rows: int) -> None:
    """In float32, output and gradients are those in float64, to half of float32's digits."""
    x = layer.generic(rows)
    narrow = layer.in_float32
    if narrow is None or layer.dtype == np.float32:
        return
    y = layer.forward(x)
    _require_half(narrow.forward(x), y, "the output")
    g = pattern(y.shape)
    wide = layer.backward(x, g)
    for name, gradient in narrow.backward(x, g).items():
        _require_half(gradient, wide[name], f"the gradient of {name}")


def _require_half(got: Array, expected: Array, what: str) -> None:
    size = 1 + float(np.abs(expected).max(initial=0.0))
    require_close(
        got,
        expected,
        Tolerance("sqrt(eps) of float32, of the largest entry", absolute=HALF_THE_DIGITS * size),
        f"in float32 {what} is another",
        cause="a constant or guard that float32 rounds away, an overflow, or cancellation",
    )
