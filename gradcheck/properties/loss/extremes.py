"""A loss at certainty: probabilities of exactly 0 and 1, and logits of any size."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.assertions import FunctionRaisedError, require
from gradcheck.properties.loss.loss_under_test import LossUnderTest
from gradcheck.properties.property import for_all


@for_all(
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


@for_all(
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
    loss.require_right(
        p,
        t,
        "a class of probability 0 that is not the target spoils the loss",
        cause="0 * log(0) is NaN: use scipy.special.xlogy(t, p), or clip p from below "
        "before the logarithm",
    )


@for_all(
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
    loss.require_right(
        p,
        t,
        "huge logits do not have the right loss",
        cause="exp overflows, or the sigmoid is computed first and its logarithm taken; "
        "use max(x, 0) - x * t + log1p(exp(-|x|))"
        if loss.kind.binary
        else "the softmax is computed first and its logarithm taken; "
        "use (x - max) - log(sum(exp(x - max)))",
    )
