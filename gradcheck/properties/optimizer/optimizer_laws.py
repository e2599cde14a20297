"""What an optimiser owes: steps downhill, and each entry and each tensor by itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from gradcheck._types import Array
from gradcheck.properties import inputs
from gradcheck.properties.assertions import require, require_close, require_same
from gradcheck.properties.optimizer.optimizer_under_test import OptimizerUnderTest
from gradcheck.properties.property import for_all
from gradcheck.properties.strategies.shapes import filled
from gradcheck.properties.tolerance import Tolerance

# Steps on the quadratic bowl: enough for momentum and running means to show what they do.
STEPS = 60


@st.composite
def point(draw: st.DrawFn, _: OptimizerUnderTest) -> dict[str, Any]:
    """Draw parameters ``p`` and a gradient ``g`` of the same shape."""
    shape = draw(st.sampled_from([(1,), (3,), (2, 2)]))
    return {"p": inputs.draw_grid(draw, shape, 4.0), "g": inputs.draw_grid(draw, shape, 2.0)}


@st.composite
def nonzero_gradient(draw: st.DrawFn, _: OptimizerUnderTest) -> dict[str, Any]:
    """Draw ``p`` and ``g``, no entry of which is zero."""
    shape = (draw(st.integers(1, 4)),)
    signs = filled(draw, st.sampled_from([1.0, -1.0]), shape)
    sizes = filled(draw, st.integers(1, 64), shape) / 16
    return {"p": inputs.draw_grid(draw, shape, 4.0), "g": signs * sizes}


def rounding(p: Array, steps: int = 1) -> Tolerance:
    """Return the allowance for entries like those of ``p`` after so many steps."""
    size = 1 + float(np.abs(p).max(initial=0.0))
    allowance = 16 * steps * float(np.finfo(np.float64).eps) * size
    return Tolerance(f"16 eps per step, {steps} steps", absolute=allowance)


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


def _alone(optimizer: OptimizerUnderTest, p: float, g: float) -> float:
    (moved,) = optimizer.run([np.array([p])], lambda _: [np.array([g])], steps=3)
    return float(moved[0])


@for_all(point, why="Entries are independent; one that sees another has a wrong reduction.")
def each_entry_as_if_alone(optimizer: OptimizerUnderTest, p: Array, g: Array) -> None:
    """An entry moves as it does when it is the only one."""
    (moved,) = optimizer.run([p], lambda _: [g], steps=3)
    alone = [_alone(optimizer, a, b) for a, b in zip(p.ravel(), g.ravel(), strict=True)]
    require_close(
        moved,
        np.reshape(alone, p.shape),
        rounding(p, 3),
        "an entry moves otherwise than alone",
        cause="a mean, norm or maximum over the tensor; clipping by norm does so by right",
    )


@for_all(
    point,
    needs=["several"],
    why="State shared between tensors mixes the layers of a network.",
)
def each_tensor_as_if_alone(optimizer: OptimizerUnderTest, p: Array, g: Array) -> None:
    """Two tensors move as each does when it is the only one."""
    other, slope = np.ones(2), np.array([1.0, -2.0])
    first, second = optimizer.run([p, other], lambda _: [g, slope], steps=3)
    (alone,) = optimizer.run([p], lambda _: [g], steps=3)
    (other_alone,) = optimizer.run([other], lambda _: [slope], steps=3)
    cause = "one velocity or step counter serves all tensors; keep one per tensor"
    require_close(first, alone, rounding(p, 3), "the first of two tensors moves oddly", cause=cause)
    require_close(
        second, other_alone, rounding(other, 3), "the second of two moves oddly", cause=cause
    )


@for_all(
    point,
    needs=["several"],
    why="State that goes by position follows the wrong tensor once a layer is added or moved.",
)
def tensor_order_irrelevant(optimizer: OptimizerUnderTest, p: Array, g: Array) -> None:
    """Two tensors move alike in either order, and when a dict changes its order between steps."""
    other, slope = np.ones(2), np.array([1.0, -2.0])
    first, second = optimizer.run([p, other], lambda _: [g, slope], steps=4)
    swapped = optimizer.run([other, p], lambda _: [slope, g], steps=4)[::-1]
    turned = optimizer.run([p, other], lambda _: [g, slope], steps=4, turning=True)
    for moved, what in ((swapped, "in the other order"), (turned, "when the dict is reordered")):
        for tensor, expected in zip(moved, (first, second), strict=True):
            require(
                tensor.shape == expected.shape
                and np.allclose(tensor, expected, rtol=0, atol=rounding(expected, 4).absolute),
                f"{what}, a tensor moves otherwise",
                got=tensor,
                expected=expected,
                cause="state is kept by position or shared; keep it by the name of the tensor",
            )


@for_all(point, why="Up and down are the same to an optimiser; abs() or a clip at 0 is not.")
def mirror_image_moves_mirrored(optimizer: OptimizerUnderTest, p: Array, g: Array) -> None:
    """With parameters and gradients negated, the steps are negated."""
    (moved,) = optimizer.run([p], lambda _: [g], steps=3)
    (mirrored,) = optimizer.run([-p], lambda _: [-g], steps=3)
    require_close(-mirrored, moved, rounding(p, 3), "the mirror image does not move mirrored")


@for_all(point, why="Gradients are logged, clipped and accumulated after the step.")
def gradients_unchanged(optimizer: OptimizerUnderTest, p: Array, g: Array) -> None:
    """A step leaves the gradients as they were."""
    optimizer.run([p], lambda _: [g], steps=2, keep=True)


@for_all(point, why="A fresh optimiser that remembers another run shares state by mistake.")
def fresh_start_repeats(optimizer: OptimizerUnderTest, p: Array, g: Array) -> None:
    """Two fresh optimisers take the same steps, bit for bit."""
    (first,) = optimizer.run([p], lambda _: [g], steps=3)
    (second,) = optimizer.run([p], lambda _: [g], steps=3)
    require_same(
        second,
        first,
        "a fresh optimiser took other steps",
        cause="state is kept in the class, in a default argument or in a global",
    )


@for_all(
    pins=[{"dtype": "float32"}, {"dtype": "float64"}],
    why="A parameter that widens to float64 doubles the time and memory of everything after it.",
)
def shape_and_dtype_kept(optimizer: OptimizerUnderTest, dtype: str) -> None:
    """A step keeps shape and dtype of the parameters."""
    p, g = np.ones((2, 3), dtype=dtype), np.full((2, 3), 0.25, dtype=dtype)
    (moved,) = optimizer.run([p], lambda _: [g], steps=2)
    require(
        moved.shape == p.shape and moved.dtype == p.dtype,
        "a step changes shape or dtype",
        got=f"{moved.dtype} {moved.shape}",
        expected=f"{p.dtype} {p.shape}",
    )
