"""Softmax at the ends of the number line: huge, masked, hot and cold."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties import inputs, tolerance
from gradcheck.properties.assertions import FunctionRaisedError, require, require_close
from gradcheck.properties.property import for_all
from gradcheck.properties.softmax.softmax_under_test import SoftmaxUnderTest, reference
from gradcheck.properties.tolerance import Tolerance

# On the grid of 1/64, unequal logits differ by 1500 or more: one of them has probability 0.
HUGE = (1e5, 1e6, 1e300)

# However large the logits, an error of a thousandth is a wrong probability.
MOST = 1e-3


@st.composite
def _tempered(draw: st.DrawFn, softmax: SoftmaxUnderTest) -> dict[str, Any]:
    x = inputs.draw_grid(draw, inputs.draw_shape(draw, softmax.ndims), 8.0)
    return {"x": x, "temperature": draw(st.sampled_from([1e-6, 1e-3, 1e3, 1e6]))}


@st.composite
def _two_temperatures(draw: st.DrawFn, softmax: SoftmaxUnderTest) -> dict[str, Any]:
    x = inputs.draw_grid(draw, inputs.draw_shape(draw, softmax.ndims), 8.0)
    factor = st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
    low, high = sorted([draw(factor), draw(factor)])
    return {"x": x, "cold": low, "warm": high}


@for_all(
    partial(inputs.logits, scales=HUGE),
    pins=[
        {"x": np.array([1000.0, 0.0])},
        {"x": np.array([-1000.0, -1000.0])},
        {"x": np.array([1e308, -1e308])},
        {"x": np.array([1e308, 1e308])},
        {"x": np.array([-1e308, -1e308, -1e308])},
    ],
    why="Logits grow during training; an overflow turns the loss, then every weight, into NaN.",
)
def huge_logits_stay_finite(softmax: SoftmaxUnderTest, x: Array) -> None:
    """Logits of any finite size: the largest share all the probability."""
    x = softmax.fitting(x)
    largest = x == x.max(axis=-1, keepdims=True)
    rounding = tolerance.probability(x)
    require_close(
        softmax(x),
        largest / largest.sum(axis=-1, keepdims=True),
        Tolerance(rounding.origin, np.minimum(rounding.relative, MOST), rounding.absolute),
        "huge logits do not give the right probabilities",
        cause="exp overflows or underflows: subtract each row's own maximum first",
    )


@for_all(
    inputs.masked_logits,
    pins=[{"x": np.array([-np.inf, 0.0])}, {"x": np.array([-np.inf, -np.inf, -3.0])}],
    why="Minus infinity is how attention masks and padding are written.",
)
def minus_infinity_masks(softmax: SoftmaxUnderTest, x: Array) -> None:
    """An entry of minus infinity has probability exactly 0; the others share the rest."""
    x = softmax.fitting(x)
    p = softmax(x)
    masked = np.isneginf(x)
    zeros = np.zeros(int(masked.sum()))
    require_close(p[masked], zeros, tolerance.exact(), "a masked entry has a probability above 0")
    require_close(
        p, reference(x), softmax.tolerance(x), "the entries that are not masked come out wrong"
    )


@for_all(
    pins=[
        {"x": np.array([np.inf, 0.0])},
        {"x": np.array([np.inf, np.inf, 1.0])},
        {"x": np.array([-np.inf, -np.inf])},
        {"x": np.array([np.inf, -np.inf])},
    ],
    why="An overflow upstream must be seen; zeros or equal shares look like an answer.",
)
def undefined_rows_are_not_made_up(softmax: SoftmaxUnderTest, x: Array) -> None:
    """A row with +inf is its limit or has a NaN, one of -inf alone has a NaN; other rows stay."""
    rows = np.stack([x, np.arange(float(len(x)))]) if 2 in softmax.ndims else x
    try:
        p = softmax(rows)
    except FunctionRaisedError:
        return
    first = np.atleast_2d(p)[0]
    limit = np.isposinf(x) / max(1, np.isposinf(x).sum())
    right = np.isnan(first).any() or (limit.any() and np.array_equal(first, limit))
    require(
        right,
        "an undefined row has probabilities all the same",
        where=f"x = {x.tolist()}",
        got=first,
        expected=f"NaN or {limit.tolist()}" if limit.any() else "NaN",
        cause="NaN is replaced by numbers (nan_to_num, where, or a guard in the sum)",
    )
    if rows.ndim == 2:
        require_close(
            p[1:], softmax(rows[1:]), softmax.tolerance(rows[1:]), "an undefined row spoils another"
        )


@for_all(
    _tempered,
    why="Temperature is used to sharpen and to calibrate; both limits are known exactly.",
)
def temperature_limits_reached(softmax: SoftmaxUnderTest, x: Array, temperature: float) -> None:
    """Cold, the largest logits share all the probability; hot, all entries come to 1/n."""
    p = softmax(x / temperature)
    if temperature < 1:
        largest = x == x.max(axis=-1, keepdims=True)
        expected = largest / largest.sum(axis=-1, keepdims=True)
        # The next largest logit is at least 1/8 below: exp(-1/8 / T) <= exp(-125).
        slack = Tolerance("exp(-gap / T), gap at least 1/8", absolute=np.exp(-0.125 / temperature))
        what = "a cold softmax does not settle on the largest logits"
    else:
        expected = np.full(x.shape, 1 / x.shape[-1])
        # p_j lies within R/T of 1/n for R/T <= 1.
        spread = (x.max(axis=-1, keepdims=True) - x.min(axis=-1, keepdims=True)) / temperature
        slack = Tolerance("(max - min) / T, the first-order deviation from 1/n", absolute=spread)
        what = "a hot softmax is not uniform"
    rounding = tolerance.probability(x / temperature).bound(expected)
    require_close(p, expected, Tolerance(slack.origin, absolute=slack.absolute + rounding), what)


@for_all(
    _two_temperatures,
    why="A softmax that flattens where it should sharpen has a clipped or squashed exponent.",
)
def cooling_sharpens(softmax: SoftmaxUnderTest, x: Array, cold: float, warm: float) -> None:
    """The largest probability does not fall as the temperature does."""
    sharp = softmax(x / cold).max(axis=-1, keepdims=True)
    soft = softmax(x / warm).max(axis=-1, keepdims=True)
    require_close(
        np.maximum(sharp, soft),
        sharp,
        tolerance.probability(x / cold),
        f"the largest probability falls as the temperature falls from {warm} to {cold}",
        unit="row",
    )
