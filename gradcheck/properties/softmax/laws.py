"""What makes a function a softmax: a distribution per row, by its defining identities."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties import inputs, tolerance
from gradcheck.properties.array_function import in_both_precisions
from gradcheck.properties.assertions import require_close
from gradcheck.properties.property import for_all
from gradcheck.properties.softmax.softmax_under_test import SoftmaxUnderTest, reference
from gradcheck.properties.tolerance import Tolerance

# exp(-700) is a normal float64 number: within this range no probability underflows.
NO_UNDERFLOW = 700.0


def _close(softmax: SoftmaxUnderTest) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(inputs.logits(softmax), inputs.close_logits(softmax))


def _one_row(softmax: SoftmaxUnderTest) -> st.SearchStrategy[dict[str, Any]]:
    return inputs.logits(softmax, (max(softmax.ndims),), rows=1, scales=(1.0, 8.0))


@for_all(inputs.logits, why="Negative probabilities, or ones above 1, break every later logarithm.")
def probabilities_in_unit_interval(softmax: SoftmaxUnderTest, x: Array) -> None:
    """Every output lies in [0, 1]."""
    p = softmax(x)
    slack = tolerance.row_sum(x)
    require_close(
        np.minimum(p, 0), np.zeros_like(p), tolerance.exact(), "a probability is negative"
    )
    require_close(np.maximum(p, 1), np.ones_like(p), slack, "a probability exceeds 1")


@for_all(
    inputs.logits, why="The outputs are read as probabilities; the loss and its gradient assume it."
)
def rows_sum_to_one(softmax: SoftmaxUnderTest, x: Array) -> None:
    """Each row sums to one."""
    total = softmax(x).sum(axis=-1, dtype=np.longdouble, keepdims=True)
    require_close(
        total, np.ones_like(total), tolerance.row_sum(x), "a row does not sum to 1", unit="row"
    )


@for_all(
    inputs.shifted_logits,
    why="It is what allows the maximum to be subtracted; without it large logits overflow.",
)
def shift_invariant(softmax: SoftmaxUnderTest, x: Array, c: Array) -> None:
    """Adding a constant to all logits of a row changes nothing."""
    # The sums are exact on the dyadic grid: only the function's own rounding is left.
    require_close(
        softmax(x + c),
        softmax(x),
        tolerance.probability(x + c),
        "adding a constant to each row changes the result",
        cause="exp overflows or underflows: subtract each row's own maximum first",
    )


@for_all(_close, why="Ranking, top-k accuracy and thresholds rely on the order of the logits.")
def order_kept(softmax: SoftmaxUnderTest, x: Array) -> None:
    """A larger logit has no smaller probability, and equal logits have equal ones."""
    p = softmax(x)
    order = np.argsort(x, axis=-1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=-1)
    slack = tolerance.ulps(4, x, "1 ulp each for the two exponentials and divisions")
    lower, upper = ranked[..., :-1], ranked[..., 1:]
    require_close(
        np.maximum(lower, upper), upper, slack, "a larger logit has a smaller probability"
    )
    tied = np.diff(np.take_along_axis(x, order, axis=-1), axis=-1) == 0
    require_close(upper[tied], lower[tied], slack, "equal logits have unequal probabilities")


@for_all(
    inputs.logits, why="Accuracy counts the largest probability; it must be the largest logit."
)
def argmax_kept(softmax: SoftmaxUnderTest, x: Array) -> None:
    """The class of the largest logit has the largest probability."""
    p = softmax(x)
    at_largest = np.take_along_axis(p, x.argmax(axis=-1)[..., np.newaxis], axis=-1)
    require_close(
        at_largest,
        p.max(axis=-1, keepdims=True),
        tolerance.ulps(4, x, "for ties that round apart"),
        "the largest logit does not have the largest probability",
        unit="row",
    )


@for_all(
    inputs.logits, why="It fixes base and scale, which sums, order and invariances all leave free."
)
def log_ratio_is_logit_difference(softmax: SoftmaxUnderTest, x: Array) -> None:
    """The logarithm of the ratio of two probabilities is the difference of their logits."""
    p = softmax(x).astype(np.longdouble)
    spread = x.max(axis=-1, keepdims=True) - x
    near = spread < NO_UNDERFLOW
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(p) - np.log(np.take_along_axis(p, x.argmax(-1)[..., np.newaxis], -1))
    relative = tolerance.probability(x)
    allowance = Tolerance(relative.origin, absolute=2 * relative.relative)
    require_close(
        np.where(near, ratio, -spread),
        -spread,
        allowance,
        "log(p_i / p_max) is not x_i - max(x)",
        cause="another base than e, a scale or temperature, clipping, or a term added to the sum",
    )


@for_all(in_both_precisions, why="It is the definition; the other properties say which part fails.")
def agrees_with_reference(softmax: SoftmaxUnderTest, x: Array) -> None:
    """Every probability is that of a computation in extended precision."""
    require_close(
        softmax(x),
        reference(x),
        tolerance.probability(x),
        "a probability differs from the exact one",
    )


@for_all(_one_row, why="Before training all classes should be about equally likely.")
def equal_logits_are_uniform(softmax: SoftmaxUnderTest, x: Array) -> None:
    """Equal logits, at any level, give 1/n each; a single class has probability 1."""
    level = np.broadcast_to(x[..., :1], x.shape)
    require_close(
        softmax(level),
        np.full(x.shape, 1 / x.shape[-1]),
        tolerance.probability(level),
        "equal logits do not give equal probabilities that sum to 1",
    )


@for_all(inputs.logits, why="Class probabilities must not depend on classes that are left out.")
def dropping_a_class_renormalises(softmax: SoftmaxUnderTest, x: Array) -> None:
    """Without its last class, the rest of a row is renormalised."""
    if x.shape[-1] < 2:
        return
    # p_j / (1 - p_last); the remaining mass is summed, not subtracted, to keep its digits.
    p = softmax(x).astype(np.longdouble)
    rest = p[..., :-1].sum(axis=-1, keepdims=True)
    kept = np.where(rest > 1e3 * tolerance.tiny(x), p[..., :-1] / rest, softmax(x[..., :-1]))
    require_close(
        softmax(x[..., :-1]),
        kept,
        tolerance.probability(x) * 2,
        "dropping a class is not the same as renormalising the rest",
    )


@for_all(_one_row, why="The two-class softmax and logistic regression must be one model.")
def two_classes_are_a_sigmoid(softmax: SoftmaxUnderTest, x: Array) -> None:
    """With two classes, the first has probability sigmoid(a - b)."""
    pair = np.concatenate([x[..., :1], np.zeros_like(x[..., :1])], axis=-1)
    logit = pair[..., 0].astype(np.longdouble)
    require_close(
        softmax(pair)[..., 0],
        1 / (1 + np.exp(-logit)),
        tolerance.probability(pair)[..., 0],
        "softmax([a, 0])[0] is not sigmoid(a)",
    )


@for_all(
    inputs.logits,
    needs=["log_softmax"],
    why="Training uses the logarithm, prediction the softmax; they must describe one model.",
)
def agrees_with_log_softmax(softmax: SoftmaxUnderTest, x: Array) -> None:
    """Exp of the given log-softmax is the softmax."""
    require_close(
        np.exp(softmax.companion("log_softmax", x).astype(np.longdouble)),
        softmax(x),
        tolerance.probability(x) * 2,
        "exp(log_softmax(x)) is not softmax(x)",
    )
