"""What the hand-written gradient of a loss owes."""

from __future__ import annotations

from functools import partial

import numpy as np

from gradcheck._types import Array
from gradcheck.formulas.losses import PROBABILITIES
from gradcheck.properties import tolerance
from gradcheck.properties.assertions import require_close, require_same
from gradcheck.properties.loss import inputs
from gradcheck.properties.loss.loss_under_test import LossUnderTest
from gradcheck.properties.property import for_all
from gradcheck.properties.tolerance import Tolerance

_samples = partial(inputs.predictions, logit_scales=(1.0, 8.0))
_batches = partial(_samples, min_rows=2)


def gradient_rounding(loss: LossUnderTest, p: Array, expected: Array) -> Tolerance:
    """Return the allowance for each entry of the gradient.

    A probability inside it carries the rounding of a softmax; a guard in the logarithm changes
    ``t / p`` by ``guard / p`` relatively.
    """
    relative = float(np.max(tolerance.probability(p).relative)) * 4
    if loss.guard:
        relative += 2 * loss.guard / float(p[p > 0].min(initial=1.0))
        if loss.kind.binary:
            relative += 2 * loss.guard / float((1 - p[p < 1]).min(initial=1.0))
    size = abs(loss.scale(p)) * max(1.0, float(np.abs(p).max()))
    return Tolerance(
        "rounding of softmax and differences" + (", and the guard" if loss.guard else ""),
        relative=relative,
        absolute=relative * size,
    )


@for_all(
    _samples,
    needs=["backward"],
    why="It is where training starts: p - y, divided by the batch size if the loss is a mean.",
)
def gradient_is_derivative_of_loss(loss: LossUnderTest, p: Array, t: Array) -> None:
    """The gradient is the derivative of the loss: by the prediction, or by the logits (p - t)."""
    got, right = loss.gradient(p, t), loss.right_gradients(p, t)
    name = min(right, key=lambda key: float(np.abs(right[key] - got).max()))
    require_close(
        got,
        right[name],
        gradient_rounding(loss, p, right[name]),
        f"the gradient is not the derivative of the loss (taken with respect to {name})",
    )


@for_all(
    _batches,
    needs=["backward", "batch"],
    why="Loss and gradient reduced differently tie the learning rate to the batch size.",
)
def repeating_the_batch_acts_as_on_loss(loss: LossUnderTest, p: Array, t: Array) -> None:
    """Repeating the batch halves the gradient of a mean and leaves that of a sum as it is."""
    twice = loss.gradient(np.concatenate([p, p]), np.concatenate([t, t]))[: len(p)]
    once = loss.gradient(p, t)
    ratio = loss.scale(np.concatenate([p, p])) / loss.scale(p)
    if loss.unreduced and np.abs(twice - once / 2).max() < np.abs(twice - once).max():
        ratio = 0.5  # it is the caller who takes the mean
    require_close(
        twice,
        ratio * once,
        gradient_rounding(loss, p, ratio * once),
        f"repeating the batch does not multiply the gradient by {ratio:g}, as the loss asks",
        cause="loss and gradient are reduced differently: one by a sum, the other by a mean",
    )


@for_all(
    _batches, needs=["backward", "batch"], why="The gradient of a sample belongs to that sample."
)
def gradient_of_a_sample_is_its_own(loss: LossUnderTest, p: Array, t: Array) -> None:
    """Changing one sample leaves the gradient of the others as it was."""
    before = loss.gradient(p, t)
    for i in range(len(p)):
        changed, target = p.copy(), t.copy()
        changed[i], target[i] = changed[i, ::-1], target[i, ::-1]
        if loss.kind.binary:
            target[i] = 1 - t[i]
        others = np.arange(len(p)) != i
        require_close(
            loss.gradient(changed, target)[others],
            before[others],
            gradient_rounding(loss, p, before[others]),
            f"the gradient of another sample moves when sample {i} changes",
        )


@for_all(_samples, needs=["backward"], why="At the minimum there is nothing left to descend.")
def gradient_vanishes_at_target(loss: LossUnderTest, p: Array, t: Array) -> None:
    """Where the prediction equals the target, no gradient pulls it away."""
    right = loss.kind.certain(t)
    got = loss.gradient(right, t)
    if loss.kind.given == PROBABILITIES:
        # By the probabilities the target itself is pulled at beyond 1 (and below 0) by -t/p = -1.
        at_bound = np.abs(got) <= 2 * abs(loss.scale(right))
        got = np.where(at_bound if loss.kind.binary else t > 0, 0.0, got)
    require_close(
        got,
        np.zeros_like(got),
        gradient_rounding(loss, right, np.zeros_like(got)),
        "a perfect prediction has a gradient",
        cause="0 / 0 is NaN: guard the division -t / p" if np.isnan(got).any() else "",
    )


@for_all(
    _samples, needs=["backward"], why="Predictions and targets are used again after the gradient."
)
def gradient_leaves_inputs(loss: LossUnderTest, p: Array, t: Array) -> None:
    """The backward leaves predictions and targets as they were."""
    prediction, target = p.copy(), t.copy()
    loss.raw_gradient(prediction, target)
    cause = "an in-place operation such as p[range(n), y] -= 1 acts on the argument; copy it first"
    require_same(prediction, p, "the predictions were changed", cause=cause)
    require_same(target, t, "the targets were changed", cause=cause)
