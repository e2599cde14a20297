"""What a hand-written backward of a softmax owes: ``dx = p * (g - <p, g>)`` for each row."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.properties import inputs
from gradcheck.properties.assertions import require_close
from gradcheck.properties.property import for_all
from gradcheck.properties.rowwise.backward import gradient_rounding
from gradcheck.properties.softmax.softmax_under_test import SoftmaxUnderTest
from gradcheck.properties.tolerance import Tolerance


@for_all(
    inputs.logits_and_cotangents,
    needs=["backward"],
    why="Logits shifted together change nothing, so no gradient points that way.",
)
def backward_rows_sum_to_zero(softmax: SoftmaxUnderTest, x: Array, g: Array) -> None:
    """Each row of the backward's answer sums to zero."""
    sums = softmax.vjp(x, g).sum(axis=-1, keepdims=True)
    slack = gradient_rounding(x, g)
    require_close(
        sums,
        np.zeros_like(sums),
        Tolerance(f"n * {slack.origin}", absolute=x.shape[-1] * slack.absolute),
        "a row of the gradient does not sum to zero",
        unit="row",
    )


@for_all(
    inputs.logits_and_cotangents,
    needs=["backward"],
    why="An equal cotangent for all classes asks for the derivative of their sum, a constant.",
)
def constant_cotangent_gives_zero(softmax: SoftmaxUnderTest, x: Array, g: Array) -> None:
    """A cotangent that is constant along each row gives a zero gradient."""
    constant = np.broadcast_to(g[..., :1], g.shape).copy()
    require_close(
        softmax.vjp(x, constant),
        np.zeros(x.shape),
        gradient_rounding(x, g),
        "a constant cotangent gives a gradient",
    )
