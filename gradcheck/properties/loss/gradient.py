"""What the hand-written gradient of a loss owes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck.properties import tolerance
from gradcheck.properties.loss import samples
from gradcheck.properties.loss.subject import Loss
from gradcheck.properties.registry import Suite
from gradcheck.properties.tolerance import Tolerance
from gradcheck.properties.violation import Array, require_close, require_same

GRADIENT = Suite("gradient of a loss", Loss)


def _samples(loss: Loss) -> st.SearchStrategy[dict[str, Any]]:
    return samples.predictions(loss.kind.name, logit_scales=(1.0, 8.0))


def _batches(loss: Loss) -> st.SearchStrategy[dict[str, Any]]:
    return samples.predictions(loss.kind.name, min_rows=2, logit_scales=(1.0, 8.0))


def right_gradients(loss: Loss, p: Array, t: Array) -> dict[str, Array]:
    """Return what the gradient may be, by what it is taken with respect to."""
    scale = loss.scale(p)
    by_input = np.asarray(scale * loss.kind.gradient(p, t), dtype=np.float64)
    if loss.kind.name != "probabilities":
        return {"the prediction": by_input}
    return {"the probabilities": by_input, "the logits": scale * (p - t)}


def gradient_rounding(loss: Loss, p: Array, expected: Array) -> Tolerance:
    """Return the allowance for each entry of the gradient.

    A probability inside it carries the rounding of a softmax; a guard in the logarithm changes
    ``t / p`` by ``guard / p`` relatively.
    """
    relative = float(np.max(tolerance.probability(p).relative)) * 4
    if loss.guard:
        relative += 2 * loss.guard / float(p[p > 0].min())
    size = abs(loss.scale(p)) * max(1.0, float(np.abs(p).max()))
    return Tolerance(
        "rounding of softmax and differences" + (", and the guard" if loss.guard else ""),
        relative=relative,
        absolute=relative * size,
    )


def _require_gradient(loss: Loss, p: Array, t: Array, got: Array, what: str) -> None:
    candidates = right_gradients(loss, p, t)
    name = min(candidates, key=lambda key: float(np.abs(candidates[key] - got).max()))
    expected = candidates[name]
    require_close(
        got,
        expected,
        gradient_rounding(loss, p, expected),
        f"{what} (taken with respect to {name})",
        cause=_cause(loss, got, candidates),
    )


@GRADIENT.register(
    _samples,
    needs=["backward"],
    why="It is where training starts: p - y, divided by the batch size if the loss is a mean.",
)
def gradient_is_derivative_of_loss(loss: Loss, p: Array, t: Array) -> None:
    """The gradient is the derivative of the loss: by the prediction, or by the logits (p - t)."""
    _require_gradient(
        loss, p, t, loss.gradient(p, t), "the gradient is not the derivative of the loss"
    )


def _cause(loss: Loss, got: Array, candidates: dict[str, Array]) -> str:
    rows, classes = got.shape
    factors = {
        -1.0: "the sign is flipped: it should be p - t",
        2.0: "it is twice too large",
        0.5: "it is half of what it should be: the factor 2 of the square is missing",
        float(rows): "it lacks the division by the batch size that the loss has",
        1 / rows: "it is divided by the batch size, which the loss is not",
        float(classes): "it is multiplied by the number of classes",
        1 / classes: "it is divided by the number of classes; the loss is not",
    }
    for expected in candidates.values():
        for factor, message in factors.items():
            if factor != 1 and np.any(got) and np.allclose(got, factor * expected, rtol=1e-6):
                return message
    return "" if np.any(got) else "the gradient is always zero"


@GRADIENT.register(
    _batches,
    needs=["backward"],
    why="Loss and gradient reduced differently tie the learning rate to the batch size.",
)
def repeating_the_batch_acts_as_on_loss(loss: Loss, p: Array, t: Array) -> None:
    """Repeating the batch halves the gradient of a mean and leaves that of a sum as it is."""
    twice = loss.gradient(np.concatenate([p, p]), np.concatenate([t, t]))[: len(p)]
    ratio = loss.scale(np.concatenate([p, p])) / loss.scale(p)
    expected = ratio * loss.gradient(p, t)
    require_close(
        twice,
        expected,
        gradient_rounding(loss, p, expected),
        f"repeating the batch does not multiply the gradient by {ratio:g}, as the loss asks",
        cause="loss and gradient are reduced differently: one by a sum, the other by a mean",
    )


@GRADIENT.register(
    _batches, needs=["backward"], why="The gradient of a sample belongs to that sample."
)
def gradient_of_a_sample_is_its_own(loss: Loss, p: Array, t: Array) -> None:
    """Changing one sample leaves the gradient of the others as it was."""
    changed = p.copy()
    changed[-1] = changed[-1, ::-1]
    target = t.copy()
    target[-1] = target[-1, ::-1]
    expected = loss.gradient(p, t)[:-1]
    require_close(
        loss.gradient(changed, target)[:-1],
        expected,
        gradient_rounding(loss, p, expected),
        "the gradient of a sample moves when another sample changes",
    )


@GRADIENT.register(
    _samples, needs=["backward"], why="At the minimum there is nothing left to descend."
)
def gradient_vanishes_at_target(loss: Loss, p: Array, t: Array) -> None:
    """Where the prediction equals the target, no gradient pulls it away."""
    right = 48.0 * t if loss.kind.name == "logits" else t
    got = loss.gradient(right, t)
    if loss.kind.name == "probabilities":
        # By the probabilities it is -t/p: nothing may pull at the classes that are not the target.
        got = np.where(t > 0, 0.0, got)
    require_close(
        got,
        np.zeros_like(got),
        gradient_rounding(loss, right, np.zeros_like(got)),
        "a perfect prediction has a gradient",
        cause="0 / 0 is NaN: guard the division -t / p" if np.isnan(got).any() else "",
    )


@GRADIENT.register(
    _samples, needs=["backward"], why="Predictions and targets are used again after the gradient."
)
def gradient_leaves_inputs(loss: Loss, p: Array, t: Array) -> None:
    """The backward leaves predictions and targets as they were."""
    prediction, target = p.copy(), t.copy()
    loss.raw_gradient(prediction, target)
    cause = "an in-place operation such as p[range(n), y] -= 1 acts on the argument; copy it first"
    require_same(prediction, p, "the predictions were changed", cause=cause)
    require_same(target, t, "the targets were changed", cause=cause)
