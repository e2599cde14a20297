"""thinc: losses and operations in pairs, which its layers are made of."""

from typing import Any

import numpy as np

from benchmarks.field.item import RIGHT, WRONG, Item, Package
from benchmarks.field.made import drawn, load, normal, one_hot, simplex
from benchmarks.field.readings import Reading


def _operation(name: str, derivative: str, **known: Any) -> Item:
    """Return an activation of the operations, whose backward takes the cotangent and the input."""

    def make() -> tuple:
        ops = load("thinc.api:NumpyOps")()
        return ((getattr(ops, name), getattr(ops, derivative)), *drawn((normal(5, 4),)))

    def read(thing: Any, x: np.ndarray) -> Reading:
        f, g = thing
        return Reading(lambda: f(x), lambda c: [g(c, x)], [x])

    return Item(name, make, read, (f"thinc.backends.ops:Ops.{derivative}",), RIGHT, **known)


def _loss(name: str, x: Any, labels: Any, truth: str = RIGHT, **known: Any) -> Item:
    def make() -> tuple:
        return (load(f"thinc.api:{name}")(), *drawn((x, labels)))

    def read(thing: Any, x: np.ndarray, labels: np.ndarray) -> Reading:
        return Reading(
            lambda: thing.get_loss(x, labels), lambda c: [c * thing.get_grad(x, labels)], [x]
        )

    return Item(name, make, read, (f"thinc.loss:{name}.get_grad",), truth, **known)


OTHER = ("gradient_of_other_loss", "constant_factor", "factor_batch_size")

PACKAGE = Package(
    "thinc==9.1.1",
    (
        _operation("gelu_approx", "backprop_gelu_approx"),
        _operation("gelu", "backprop_gelu"),
        _operation("hard_swish", "backprop_hard_swish"),
        _operation("hard_swish_mobilenet", "backprop_hard_swish_mobilenet"),
        _operation("hard_tanh", "backprop_hard_tanh"),
        _operation("hard_sigmoid", "backprop_hard_sigmoid"),
        _operation("dish", "backprop_dish"),
        _operation("relu_k", "backprop_relu_k"),
        # their loss is the sum of the squares of their gradients
        _loss("L2Distance", normal(5, 3), normal(5, 3), WRONG, names=OTHER),
        _loss("CosineDistance", normal(5, 3), normal(5, 3)),
        _loss("CategoricalCrossentropy", simplex(5, 3), one_hot(5, 3), WRONG, names=OTHER),
    ),
    needs=("thinc==9.1.1",),  # with all that it needs: parts of it are compiled
)
