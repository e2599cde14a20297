"""What a function of rows owes: each row by itself, along whichever axis, in whichever order."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties import inputs
from gradcheck.properties.assertions import (
    FunctionRaisedError,
    require,
    require_close,
    require_shape,
)
from gradcheck.properties.function_under_test import as_floats
from gradcheck.properties.property import for_all
from gradcheck.properties.rowwise.row_function import RowFunction
from gradcheck.properties.tolerance import Tolerance, ulps

OVER_ROWS = (
    "a maximum, sum or mean runs over more than the row; use axis=-1, keepdims=True in each of them"
)


_batches = partial(inputs.logits, ndims=(2,))


def _any_axis(fn: RowFunction) -> st.SearchStrategy[dict[str, Any]]:
    deep = (3,) if 3 in fn.deep_ndims else ()
    return inputs.logits_and_axis((*fn.ndims, *deep))


def _deep(fn: RowFunction) -> st.SearchStrategy[dict[str, Any]]:
    return inputs.logits(fn, fn.deep_ndims, scales=(1.0, 8.0), rows=2, classes=3)


def _row_by_row(fn: RowFunction, x: Array) -> Array:
    """Return the function of each row as a batch of one."""
    rows = x.reshape(-1, 1, x.shape[-1])
    return np.concatenate([fn(row) for row in rows]).reshape(x.shape)


@for_all(
    _batches,
    needs=["batch"],
    why="If it fails, a sample's prediction depends on the rest of its batch: training looks fine "
    "and evaluation with another batch size does not.",
)
def each_row_as_if_alone(fn: RowFunction, x: Array) -> None:
    """Each row of a batch gives what it gives alone."""
    alone = _row_by_row(fn, x)
    require_close(fn(x), alone, fn.tolerance(x), "a row of the batch differs from the row alone")


@for_all(
    lambda _: inputs.far_rows(),
    needs=["batch"],
    why="With one maximum for the whole batch, a row far below it underflows to 0/0; it is right "
    "until one sample's logits grow.",
)
def rows_may_lie_far_apart(fn: RowFunction, x: Array) -> None:
    """Rows whose logits differ by hundreds give what they give alone."""
    require_close(
        fn(x),
        _row_by_row(fn, x),
        fn.tolerance(x),
        "a row far from the others differs from the row alone",
        cause="the shift is the maximum of the whole batch, so that a low row underflows; "
        "use x.max(axis=-1, keepdims=True)",
    )


@for_all(
    _batches,
    needs=["batch"],
    why="A sample that moves its neighbours leaks information between samples.",
)
def changing_a_row_moves_no_other(fn: RowFunction, x: Array) -> None:
    """Changing the last row leaves the other rows of the result as they were."""
    changed = x.copy()
    changed[-1] += np.arange(1.0, x.shape[-1] + 1)
    require_close(
        fn(changed)[:-1], fn(x)[:-1], fn.tolerance(x)[:-1], "another row moved", cause=OVER_ROWS
    )


@for_all(
    partial(inputs.permuted_logits, ndims=(2,), axis=0),
    needs=["batch"],
    why="The order of samples in a batch carries no meaning.",
)
def row_order_followed(fn: RowFunction, x: Array, order: list[int]) -> None:
    """Reordering the rows reorders the result in the same way."""
    require_close(
        fn(x[order]),
        fn(x)[order],
        fn.tolerance(x[order]),
        "reordered rows do not give the reordered result",
        cause="a row is treated by its position: a loop bound, an index or a forgotten keepdims",
    )


@for_all(
    inputs.permuted_logits,
    why="The numbering of classes carries no meaning.",
)
def class_order_followed(fn: RowFunction, x: Array, order: list[int]) -> None:
    """Reordering the classes reorders the result in the same way."""
    require_close(
        fn(x[..., order]),
        fn(x)[..., order],
        fn.tolerance(x),
        "reordered classes do not give the reordered result",
        cause="a class is treated by its position: x[0] as the shift, an index, no keepdims",
    )


@for_all(
    _batches,
    needs=["vector"],
    why="A network that predicts one sample passes a vector; training passed a batch.",
)
def vector_is_a_batch_of_one(fn: RowFunction, x: Array) -> None:
    """A 1-D input gives what it gives as a batch of one row."""
    if fn.missing("batch"):
        return
    for row in x:
        require_close(
            fn(row),
            _row_by_row(fn, row),
            fn.tolerance(row),
            "a vector gives other numbers than a batch of that one row",
            cause="an axis counted from the front (axis=0 or 1) means another thing in 1-D; "
            "use axis=-1",
        )


@for_all(
    _deep,
    needs=["batch", "deep", "last axis"],
    why="Sequences and images put classes behind two axes or more; axis=1 is then a wrong one.",
)
def leading_axes_are_batches(fn: RowFunction, x: Array) -> None:
    """In 3-D and 4-D, every row along the last axis gives what it gives alone."""
    require_close(
        fn(x),
        _row_by_row(fn, x),
        fn.tolerance(x),
        "a row of a deeper array differs from the row alone",
        cause="a maximum or sum runs over more than the last axis; use axis=-1, keepdims=True in "
        f"each of them (or pass the option ndims={fn.ndims} if it is meant for no deeper arrays)",
    )


@for_all(
    _any_axis,
    needs=["axis", "batch"],
    why="An axis argument that is ignored, or only right for some ndim, fails far from its cause.",
)
def every_axis_offered_works(fn: RowFunction, x: Array, axis: int) -> None:
    """Along any axis, the function is that along the last, turned."""
    turned = np.moveaxis(x, axis, -1)
    require_close(
        np.moveaxis(fn.along(x, axis), axis, -1),
        _row_by_row(fn, turned),
        fn.tolerance(turned),
        f"axis={axis} does not give the function of each row along that axis",
        cause="the axis argument does not reach every maximum and sum, or keepdims is missing",
    )


@for_all(
    lambda _: inputs.poisoned_logits(),
    needs=["batch"],
    why="One corrupt sample must be seen as such, and must not spoil the others.",
)
def nan_stays_in_its_row(fn: RowFunction, x: Array, row: int, j: int) -> None:
    """A NaN makes its own row NaN or raises, and leaves the other rows as they were."""
    poisoned = x.copy()
    poisoned[row, j] = np.nan
    try:
        result = fn(poisoned)
    except FunctionRaisedError:
        return
    require(
        np.isnan(result[row]).all(),
        "a row with a NaN in it still holds plausible numbers",
        where=f"row {row}",
        got=result[row],
        expected="NaN",
        cause="NaN is replaced on the way (nan_to_num, nanmax, nansum) and goes unseen",
    )
    others = [i for i in range(len(x)) if i != row]
    require_close(
        result[others],
        fn(x)[others],
        fn.tolerance(x[others]),
        "a NaN in one row changes another row",
        cause=OVER_ROWS,
    )


@for_all(
    pins=[{"shape": (2, 0)}, {"shape": (0, 0)}],
    needs=["batch"],
    why="Where no class is left, there is nothing to share out; an invented entry is believed.",
)
def no_classes_give_no_entries(fn: RowFunction, shape: tuple[int, int]) -> None:
    """Rows without entries give rows without entries, or are refused with an error."""
    try:
        result = as_floats(fn.raw(np.empty(shape)))
    except FunctionRaisedError:
        return
    require_shape(result, shape, "rows without entries give something")


@for_all(
    inputs.logits,
    why="A result that shares memory with the input changes when the input buffer is reused.",
)
def result_owns_its_memory(fn: RowFunction, x: Array) -> None:
    """The result shares no memory with the input."""
    given = x.copy()
    require(
        not np.shares_memory(as_floats(fn.raw(given)), given),
        "the result shares memory with the input",
        cause="the input itself or a view of it is returned; return a new array",
    )


@for_all(
    inputs.logits,
    why="Entries that differ by a rounding error only must not be told apart.",
    pins=[
        {"x": np.array([5e-324, 0.0])},
        {"x": np.array([-5e-324, -2e-308])},
        {"x": np.array([[-0.0, 0.0], [1e-310, -1e-310]])},
    ],
)
def subnormals_count_as_zero(fn: RowFunction, x: Array) -> None:
    """Adding numbers far below the rounding error, and the sign of zero, change nothing."""
    x = x if x.ndim in fn.ndims else x.reshape((-1,) if 1 in fn.ndims else (1, -1))
    plain = np.where(np.abs(x) < 1e-300, 0.0, x)
    # Values near zero are compared absolutely: the function of 1e-310 may itself be 1e-310.
    allowance = ulps(8, x, "for the subnormal part of the input")
    wide = Tolerance(allowance.origin, allowance.relative, 1e-300)
    nudged = np.where(plain == 0, x if np.any(plain != x) else -plain, x)
    require_close(fn(nudged), fn(plain), wide, "subnormal entries or -0.0 change the result")
