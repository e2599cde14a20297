"""What an activation owes: each entry by itself, the textbook's values, and its derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.formulas.elementwise import ACTIVATIONS
from gradcheck.numerics.derivative import derivative as differentiate
from gradcheck.properties import inputs
from gradcheck.properties.activation.activation_under_test import ActivationUnderTest
from gradcheck.properties.assertions import require, require_close
from gradcheck.properties.property import for_all
from gradcheck.properties.tolerance import Tolerance, exact


def _entries(_: ActivationUnderTest) -> st.SearchStrategy[dict[str, Any]]:
    return inputs.logits((1, 2))


@for_all(
    _entries,
    needs=["arrays"],
    why="An activation that sees its neighbours mixes samples, and its derivative is no diagonal.",
)
def each_entry_as_if_alone(fn: ActivationUnderTest, x: Array) -> None:
    """Every entry gives what it gives alone."""
    alone = np.array([fn(np.array([value]))[0] for value in x.ravel()]).reshape(x.shape)
    require_close(fn(x), alone, fn.tolerance(x), "an entry depends on the others")


@for_all(
    _entries,
    needs=["known"],
    why="It is the definition; one branch or one constant is easily wrong.",
)
def agrees_with_reference(fn: ActivationUnderTest, x: Array) -> None:
    """Every value is that of the textbook formula, computed stably in extended precision."""
    require_close(
        fn(x),
        ACTIVATIONS[fn.kind].value(x),
        fn.tolerance(x),
        f"a value differs from that of {fn.kind}",
    )


@for_all(
    needs=["known"],
    pins=[{"x": np.array([size, -size])} for size in (50.0, 1e3, 1e6, 1e300)],
    why="Pre-activations grow during training; exp overflows at 710, and inf / inf is NaN.",
)
def huge_inputs_stay_right(fn: ActivationUnderTest, x: Array) -> None:
    """Inputs of any finite size give the limit that the formula has there."""
    require_close(
        fn(x),
        ACTIVATIONS[fn.kind].value(x),
        Tolerance(
            "1e-9 of the value: far out, only the limit counts", relative=1e-9, absolute=1e-9
        ),
        f"far from zero, the value is not that of {fn.kind}",
        cause="exp overflows, and inf / inf or inf * 0 is NaN: use a form whose exponent is never "
        "positive, such as scipy.special.expit or np.logaddexp",
    )


@for_all(
    lambda _: inputs.poisoned_logits(),
    needs=["arrays"],
    why="One corrupt entry must not spoil the others.",
)
def nan_stays_in_its_entry(fn: ActivationUnderTest, x: Array, row: int, j: int) -> None:
    """A NaN leaves all other entries as they were."""
    poisoned = x.copy()
    poisoned[row, j] = np.nan
    others = np.ones(x.shape, dtype=bool)
    others[row, j] = False
    require_close(fn(poisoned)[others], fn(x)[others], exact(), "a NaN changes another entry")


@for_all(
    _entries,
    needs=["known"],
    why="A value outside the range breaks what relies on it: logarithms, probabilities, gates.",
)
def range_kept(fn: ActivationUnderTest, x: Array) -> None:
    """No value leaves the range of the activation."""
    low, high = ACTIVATIONS[fn.kind].range
    y = fn(x)
    require_close(np.clip(y, low, high), y, exact(), f"a value lies outside [{low:g}, {high:g}]")


@for_all(
    _entries,
    needs=["derivative"],
    why="Backpropagation multiplies by it; at a kink any slope between the two sides will do.",
)
def derivative_is_slope(fn: ActivationUnderTest, x: Array) -> None:
    """The derivative is the numerical one, or lies between the one-sided ones at a kink."""
    claimed = fn.slope(x)
    for value, slope in zip(x.ravel(), claimed.ravel(), strict=True):
        numerical = differentiate(fn.at, float(value))
        bound = numerical.side_bound
        if not np.isfinite(bound):
            continue
        require_close(
            slope,
            numerical.nearest(float(slope)),
            Tolerance("the error bound of the numerical derivative", absolute=2 * bound + 1e-12),
            f"the derivative at {value:g} is not the slope of the activation",
            cause="a wrong branch or constant; or the derivative is one of the output and is not "
            "recognised as such",
        )


@for_all(
    needs=["derivative"],
    pins=[{"x": np.array([size, -size])} for size in (50.0, 1e3, 1e6)],
    why="A saturated unit has a slope of zero; as NaN it kills the whole network.",
)
def derivative_finite_far_out(fn: ActivationUnderTest, x: Array) -> None:
    """Far from zero the derivative is still a number."""
    slope = fn.slope(x)
    require(
        np.isfinite(slope).all(),
        "far from zero the derivative is not finite",
        where=f"x = {x.tolist()}",
        got=slope,
        expected="finite numbers",
        cause="exp overflows, and inf / inf or inf * 0 is NaN",
    )
