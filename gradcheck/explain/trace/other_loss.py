"""Another loss than the one that is computed: its gradient starts at what all else goes through."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.trace.backward_pass import BackwardPass
from gradcheck.explain.trace.node import Node, Scatter
from gradcheck.explain.trace.record import BackwardOverride
from gradcheck.formulas.losses import LOSSES

# What is returned this near to the gradient, relative to its largest entry, is taken for right.
RIGHT = 1e-6

# Values that may be predictions, nearest to the loss first, and arrays that may be targets.
MOST_PREDICTIONS = 12
MOST_TARGETS = 4

# Losses of targets of -1 and 1, which few networks have.
RARE = ("hinge loss", "perceptron loss")


def other_losses(way: BackwardPass) -> Iterator[Hypothesis]:
    """The analytic gradient starts with the gradient of another loss at the predictions."""
    output = way.nodes[-1]
    if output.value.size != 1 or _another_is_right(way):
        return
    for predictions in _bottlenecks(way)[:MOST_PREDICTIONS]:
        site = predictions.site
        what = f"`{site.text if site is not None else predictions.op}`"
        for y, (name, loss) in product(_targets(way, predictions)[:MOST_TARGETS], LOSSES.items()):
            start = loss.gradient(predictions.value, y)
            if np.isfinite(start).all() and start.any():
                message = (
                    f"the gradient is that of the {name} of {what}, not that of the loss that is "
                    "computed"
                )
                fix = f"differentiate the loss that is computed, or compute the {name}"
                cost = 0.8 if name in RARE else 0.7
                walk = way.with_(_starting(output, predictions, start))
                yield Hypothesis(Bug.GRADIENT_OF_OTHER_LOSS, message, fix, cost, walk, scaled=True)


def _another_is_right(way: BackwardPass) -> bool:
    """Whether another tensor's gradient is that of the loss: no other loss is descended then."""
    point = way.observation.point
    for name in way.recording.leaves:
        analytic = point.analytic.get(name)
        if name != way.name and analytic is not None and np.any(analytic):
            right = way.recording.gradient(name, point.cotangents)
            size = float(np.abs(right).max(initial=0.0))
            if right.shape == analytic.shape and np.abs(analytic - right).max() <= RIGHT * size:
                return True
    return False


def _starting(output: Node, predictions: Node, start: Array) -> BackwardOverride:
    return BackwardOverride(jump=lambda node, g: (predictions, start) if node is output else None)


def _bottlenecks(way: BackwardPass) -> list[Node]:
    """Return the arrays that everything on the way goes through, the nearest to the loss first."""
    found, last_use = [], 0
    for position, node in enumerate(way.nodes):
        through = last_use <= node.number or position == 0
        if through and node.value.size > 1 and node.op != "leaf":
            found.append(node)
        last_use = max([last_use, *(user.number for user in way.uses(node))])
    return found[::-1]


def _targets(way: BackwardPass, predictions: Node) -> list[Array]:
    """Return the constants, like the predictions in shape, that later steps compare them with."""
    shape = predictions.value.shape
    found: list[Array] = []
    for node in way.nodes:
        if node.number <= predictions.number:
            continue
        constants = [
            x for x, parent in zip(node.operands, node.parents, strict=True) if parent is None
        ]
        chosen = _chosen(node, predictions)
        for y in [*constants, *([] if chosen is None else [chosen])]:
            fits = y.shape == shape or (y.size == predictions.value.size and y.ndim)
            if fits and not any(np.array_equal(y.reshape(shape), known) for known in found):
                found.append(y.reshape(shape))
    # without smoothing, where targets are shares of classes, none of them all
    soft = [
        y
        for y in found
        if y.ndim > 1 and np.allclose(y.sum(axis=-1), 1.0) and (y.max(axis=-1) < 1).all()
    ]
    return [*found, *(np.where(y == y.max(axis=-1, keepdims=True), 1.0, 0.0) for y in soft)]


def _chosen(node: Node, predictions: Node) -> Array | None:
    """Return the one-hot targets of a step that takes one prediction of every row."""
    pull = node.pulls[0] if len(node.pulls) == 1 else None
    if not isinstance(pull, Scatter) or pull.shape != predictions.value.shape:
        return None
    y = np.zeros(predictions.value.size)
    y[pull.places[pull.places >= 0]] = 1.0
    return y.reshape(pull.shape)
