"""A loss at certainty: probabilities of exactly 0 and 1, and logits of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties.array_function import LAYOUTS, lay_out, refusable
from gradcheck.properties.assertions import (
    FunctionRaisedError,
    require,
    require_close,
    require_same,
)
from gradcheck.properties.loss import inputs
from gradcheck.properties.loss.loss_under_test import LossUnderTest
from gradcheck.properties.loss.recognize import value_of
from gradcheck.properties.registry import Suite

EXTREMES = Suite("loss extremes", LossUnderTest)
CONTRACT = Suite("loss contract", LossUnderTest)


def _samples(loss: LossUnderTest) -> st.SearchStrategy[dict[str, Any]]:
    return inputs.predictions(loss)


def _samples_and_layout(loss: LossUnderTest) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(_samples(loss), st.sampled_from(LAYOUTS))
    return pairs.map(lambda pair: {**pair[0], "layout": pair[1]})


@EXTREMES.register(
    needs=["probabilities"],
    pins=[
        {"p": np.array([[0.0, 1.0]]), "t": np.array([[1.0, 0.0]])},
        {"p": np.array([[0.5, 0.5], [1.0, 0.0]]), "t": np.array([[1.0, 0.0], [0.0, 1.0]])},
        {"p": np.array([[1e-320, 1.0]]), "t": np.array([[1.0, 0.0]])},
    ],
    why="One confidently wrong sample makes an infinite loss, then NaN weights, or a NaN average.",
)
def certain_and_wrong_stays_finite(loss: LossUnderTest, p: Array, t: Array) -> None:
    """A true class of probability 0 costs much but not infinitely, or raises."""
    p, t = loss.convention.fit(p), loss.convention.fit(t)
    try:
        value = loss(p, t)
    except FunctionRaisedError:
        return
    if np.isposinf(value) and loss.allow_infinite:
        return
    uniform = loss(np.full_like(p, loss.kind.undecided(p.shape[-1])), t)
    require(
        np.isfinite(value) and value > uniform,
        "a true class of probability 0 has no finite, large loss",
        where=f"p = {p.tolist()}, t = {t.tolist()}",
        got=value,
        expected=f"a number above {uniform:.4g}, the loss of knowing nothing",
        cause="log(0) is -inf, and 0 * log(0) is NaN; compute the loss from the logits, or clip: "
        f"np.clip(p, {'1e-7, 1 - 1e-7' if loss.kind.binary else 'np.finfo(p.dtype).tiny, None'}); "
        "pass allow_infinite=True to accept inf",
    )


@EXTREMES.register(
    needs=["probabilities"],
    pins=[
        {"p": np.array([[1.0, 0.0]]), "t": np.array([[1.0, 0.0]])},
        {"p": np.array([[0.5, 0.5, 0.0]]), "t": np.array([[1.0, 0.0, 0.0]])},
        {"p": np.array([[0.25, 0.0, 0.75], [0.0, 0.5, 0.5]]), "t": np.eye(3)[[2, 1]]},
    ],
    why="A softmax in float32 rounds unlikely classes to 0; 0 * log(0) is NaN and stays NaN.",
)
def impossible_other_class_costs_nothing(loss: LossUnderTest, p: Array, t: Array) -> None:
    """A class of probability 0 that is not the true one adds nothing."""
    p, t = loss.convention.fit(p), loss.convention.fit(t)
    require_close(
        loss(p, t),
        loss.expected(p, t),
        loss.tolerance(p, t),
        "a class of probability 0 that is not the target spoils the loss",
        cause="0 * log(0) is NaN: use scipy.special.xlogy(t, p), or clip p from below "
        "before the logarithm",
    )


@EXTREMES.register(
    needs=["logits"],
    pins=[
        {"p": np.array([[1000.0, 0.0]]), "t": np.array([[0.0, 1.0]])},
        {"p": np.array([[1000.0, 0.0]]), "t": np.array([[1.0, 0.0]])},
        {"p": np.array([[-1e4, -1e4, 0.0]]), "t": np.array([[1.0, 0.0, 0.0]])},
        {"p": np.array([[1e300, 0.0]]), "t": np.array([[1.0, 0.0]])},
    ],
    why="Logits grow during training; the logarithm of a softmax that underflowed is -inf.",
)
def huge_logits_stay_finite(loss: LossUnderTest, p: Array, t: Array) -> None:
    """Logits of any finite size have the right loss."""
    p, t = loss.convention.fit(p), loss.convention.fit(t)
    require_close(
        loss(p, t),
        loss.expected(p, t),
        loss.tolerance(p, t),
        "huge logits do not have the right loss",
        cause="exp overflows, or the sigmoid is computed first and its logarithm taken; "
        "use max(x, 0) - x * t + log1p(exp(-|x|))"
        if loss.kind.binary
        else "the softmax is computed first and its logarithm taken; "
        "use (x - max) - log(sum(exp(x - max)))",
    )


@CONTRACT.register(
    _samples, why="Targets are reused every epoch; a change in place corrupts all later ones."
)
def inputs_unchanged(loss: LossUnderTest, p: Array, t: Array) -> None:
    """The loss leaves predictions and targets as they were."""
    prediction, target = p.copy(), t.copy()
    loss.raw(prediction, target)
    require_same(prediction, p, "the predictions were changed", cause="an in-place operation")
    require_same(target, t, "the targets were changed", cause="an in-place operation")


@CONTRACT.register(
    _samples_and_layout, why="Transposed and sliced arrays are common; ravel reads them wrongly."
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


@CONTRACT.register(
    _samples, why="State kept between calls makes the loss depend on what ran before."
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


@CONTRACT.register(
    _samples, why="Networks compute in float32; a loss that is only right in float64 is not theirs."
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
