"""What the steps of an optimiser do to a loss."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.assertions import require, require_close
from gradcheck.properties.optimizer.inputs import nonzero_gradient, point, rounding
from gradcheck.properties.optimizer.optimizer_under_test import OptimizerUnderTest
from gradcheck.properties.property import for_all

# Steps on the quadratic bowl: enough for momentum and running means to show what they do.
STEPS = 60


@for_all(
    nonzero_gradient, why="With the sign wrong the loss climbs; with it right it falls, at last."
)
def first_step_goes_against_gradient(optimizer: OptimizerUnderTest, p: Array, g: Array) -> None:
    """The first step moves every entry against its gradient."""
    (moved,) = optimizer.run([p], lambda _: [g])
    along = (moved - p) * g
    require(
        np.all(along < 0),
        "the first step does not move every entry against its gradient",
        got=(moved - p),
        expected=f"signs opposite to {g.tolist()}",
        cause="the update is added instead of subtracted, or the gradient is squared or ignored",
    )


@for_all(point, why="At a minimum there is nothing to do; 0 / 0 makes NaN of it.")
def zero_gradient_stays_put(optimizer: OptimizerUnderTest, p: Array, g: Array) -> None:
    """With zero gradients, nothing moves and nothing becomes NaN."""
    (moved,) = optimizer.run([p], lambda _: [np.zeros_like(g)], steps=3)
    require_close(
        moved,
        p,
        rounding(p, 3),
        "a zero gradient moves a parameter",
        cause="0 / 0: the small constant in the denominator is missing; or weight decay is on, "
        "which belongs among expected_failures",
    )


@for_all(
    pins=[{"curvature": c, "start": s} for c in (0.5, 1.0) for s in (1.0, -1.0)],
    why="If it does not descend the simplest bowl, it descends nothing.",
)
def descends_a_bowl(optimizer: OptimizerUnderTest, curvature: float, start: float) -> None:
    """On c p^2 / 2, the loss falls over sixty steps."""
    begin = np.array([start, 2 * start])
    (end,) = optimizer.run([begin], lambda now: [curvature * now[0]], steps=STEPS)
    before, after = (float(curvature / 2 * np.sum(p**2)) for p in (begin, end))
    require(
        after < before,
        f"{STEPS} steps on a quadratic bowl do not lower the loss",
        where=f"curvature {curvature:g}, from {begin.tolist()} to {end.tolist()}",
        got=after,
        expected=f"less than {before:g}",
        cause="the sign is wrong, the learning rate too high, or momentum builds up without decay",
    )


@for_all(
    nonzero_gradient,
    why="A constant slope must be followed; an update that stalls or turns is wrong.",
)
def constant_gradient_keeps_moving(optimizer: OptimizerUnderTest, p: Array, g: Array) -> None:
    """Under a constant gradient, every further step goes on in the same direction."""
    places = [optimizer.run([p], lambda _: [g], steps=steps)[0] for steps in (0, 1, 4, 8)]
    for earlier, later in pairwise(places):
        require(
            np.all((later - earlier) * g < 0),
            "under a constant gradient a later step does not go on",
            got=(later - earlier),
            expected=f"signs opposite to {g.tolist()}",
            cause="a running mean has the wrong weights or sign, or a step counter is off",
        )
