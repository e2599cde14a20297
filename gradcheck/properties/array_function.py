"""What any function from an array to an array of the same shape owes, whatever it computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties import inputs
from gradcheck.properties.assertions import (
    FunctionRaisedError,
    PropertyViolationError,
    require,
    require_close,
    require_same,
    require_shape,
)
from gradcheck.properties.function_under_test import FunctionUnderTest, as_floats
from gradcheck.properties.property import InputStrategy, for_all
from gradcheck.properties.tolerance import Tolerance


class ArrayFunction(FunctionUnderTest):
    """A function of one array, shaped like it."""

    @property
    def ndims(self) -> tuple[int, ...]:
        """Which numbers of axes, of one and two, the function takes."""
        return (1, 2)

    def __call__(self, x: Array) -> Array:
        """Return the function of a copy of ``x``."""
        raise NotImplementedError

    def raw(self, x: Any) -> Any:
        """Return whatever the function makes of ``x`` itself."""
        raise NotImplementedError

    def tolerance(self, x: Array) -> Tolerance:
        """Return how far two right ways of computing the function of ``x`` may lie apart."""
        raise NotImplementedError


LAYOUTS = ("fortran", "strided", "reversed", "read-only")


def lay_out(x: Array, layout: str) -> Array:
    """Return the numbers of ``x`` in another memory layout."""
    if layout == "fortran":
        return np.asfortranarray(x)
    if layout == "strided":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if layout == "reversed":
        return np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    fixed = x.copy()
    fixed.flags.writeable = False
    return fixed


@contextmanager
def refusable(layout: str) -> Iterator[None]:
    """Accept an error where the input is a reversed view: torch has no negative strides."""
    try:
        yield
    except FunctionRaisedError as error:
        if layout == "read-only":
            raise PropertyViolationError(
                f"a read-only array is refused: {error.__cause__}",
                cause="an in-place operation (-=, /=, out=, x[...] =) acts on the argument; "
                "write x = x - ... instead",
            ) from error
        if layout != "reversed":
            raise


def in_both_precisions(subject: ArrayFunction) -> st.SearchStrategy[dict[str, Any]]:
    """Draw ``x`` in float64 and in float32."""
    pairs = st.tuples(inputs.logits(subject), st.sampled_from([np.float64, np.float32]))
    return pairs.map(lambda pair: {"x": pair[0]["x"].astype(pair[1])})


def with_layout(strategy: InputStrategy) -> InputStrategy:
    """Draw a memory ``layout`` besides other inputs."""
    layouts = st.sampled_from(LAYOUTS)
    return lambda subject: st.tuples(strategy(subject), layouts).map(
        lambda pair: {**pair[0], "layout": pair[1]}
    )


def _two_logits(subject: ArrayFunction) -> st.SearchStrategy[dict[str, Any]]:
    pair = st.tuples(inputs.logits(subject), inputs.logits(subject))
    return pair.map(lambda pair: {"x": pair[0]["x"], "other": pair[1]["x"]})


@for_all(
    inputs.logits,
    why="Squeezing or adding an axis lets later operations broadcast instead of fail.",
)
def shape_kept(fn: ArrayFunction, x: Array) -> None:
    """The result has the shape of the input."""
    require_shape(
        as_floats(fn.raw(x.copy())),
        x.shape,
        "the result is not shaped like the input",
        cause="an axis was dropped or added; reduce with keepdims=True and do not squeeze",
    )


@for_all(
    pins=[{"dtype": np.dtype(kind).name} for kind in (np.float64, np.float32)],
    why="Widening doubles the memory and time of a network; narrowing loses half the digits.",
)
def dtype_kept(fn: ArrayFunction, dtype: str) -> None:
    """The result, where it is an array, has the floating-point type of the input."""
    x = np.array([0.5, -0.25, 1.0, 2.0], dtype=dtype)
    given = fn.raw(x if 1 in fn.ndims else x.reshape(2, 2))
    if isinstance(given, list | tuple):  # Python's numbers have no dtype to keep
        return
    result = as_floats(given)
    require(
        result.dtype == x.dtype,
        "the result has another dtype than the input",
        got=result.dtype,
        expected=x.dtype,
        cause="a float64 constant array, np.float64 scalar or astype() inside changes the dtype",
    )


@for_all(
    pins=[{"dtype": "int64"}, {"dtype": "int32"}],
    why="Raw pixels and counts are integers; a result cast back to integers is all zeros.",
)
def integers_computed_as_floats(fn: ArrayFunction, dtype: str) -> None:
    """Integers are computed as floats, or refused with an error."""
    x = np.array([[0, 1, 3], [2, -1, 1]], dtype=dtype)
    x = x if 2 in fn.ndims else x[0]
    try:
        result = np.asarray(fn.raw(x.copy()))
    except FunctionRaisedError:
        return
    reference = fn(x.astype(np.float64))
    narrow = x.astype(result.dtype if result.dtype.kind == "f" else np.float64)
    require_close(
        result,
        reference,
        fn.tolerance(narrow),
        "integers give another result than floats",
        cause="the result is cast back to the integer type of the input",
    )


@for_all(
    inputs.logits,
    why="An input changed in place corrupts whatever uses it next: backward, metrics, epochs.",
)
def input_unchanged(fn: ArrayFunction, x: Array) -> None:
    """The function leaves its input as it was."""
    given = x.copy()
    fn.raw(given)
    require_same(
        given,
        x,
        "the input was changed",
        cause="an in-place operation (-=, *=, out=, x[...] =) acts on the input; "
        "write x = x - ... instead",
    )


@for_all(
    with_layout(inputs.logits),
    why="Transposed and sliced arrays are common; code that ravels or reshapes reads them wrongly.",
)
def memory_layout_irrelevant(fn: ArrayFunction, x: Array, layout: str) -> None:
    """Fortran order, strides, reversed views and read-only arrays give the same numbers."""
    with refusable(layout):
        require_close(
            as_floats(fn.raw(lay_out(x, layout))),
            fn(x),
            fn.tolerance(x),
            f"a {layout} array gives other numbers than a plain copy of it",
            cause='the code depends on memory order: ravel, reshape(order="K"), .T or .data',
        )


@for_all(
    _two_logits,
    why="A cache or an unseeded random number makes results depend on what ran before.",
)
def same_input_same_output(fn: ArrayFunction, x: Array, other: Array) -> None:
    """The same call gives the same bits, whatever was called in between."""
    first = fn(x)
    fn(other)
    require_same(
        fn(x),
        first,
        "the same input gave another output the second time",
        cause="the function keeps state between calls or draws random numbers",
    )


@for_all(
    pins=[{"shape": (0, 3)}, {"shape": (0, 1)}],
    why="The last batch of a filtered data set may be empty.",
    needs=["batch"],
)
def empty_batch_stays_empty(fn: ArrayFunction, shape: tuple[int, int]) -> None:
    """A batch of no rows gives a result of no rows."""
    result = as_floats(fn.raw(np.empty(shape)))
    require_shape(result, shape, "an empty batch does not give an empty result")
