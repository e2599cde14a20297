"""What an optimiser owes to each entry, to each tensor and to what it is given."""

from __future__ import annotations

import numpy as np

from gradcheck._types import Array
from gradcheck.properties.assertions import require, require_close, require_same
from gradcheck.properties.optimizer.inputs import point, rounding
from gradcheck.properties.optimizer.optimizer_under_test import OptimizerUnderTest
from gradcheck.properties.property import for_all


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
