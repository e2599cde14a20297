"""micrograd: scalars on a tape, in functions that return value and gradient."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import drawn, load, uniform
from benchmarks.field.readings import value_and_gradient


def _function(name: str, f: Callable[[list], Any], *functions: str) -> Item:
    def value(x: np.ndarray) -> tuple[float, np.ndarray]:
        scalars = [load("micrograd.engine:Value")(float(entry)) for entry in x]
        out = f(scalars)
        out.backward()
        return out.data, np.array([scalar.grad for scalar in scalars])

    paths = tuple(f"micrograd.engine:Value.{name}" for name in functions)
    return Item(name, lambda: (value, *drawn((uniform(4),))), value_and_gradient, paths)


PACKAGE = Package(
    "micrograd==0.1.0",
    (
        _function("products", lambda v: v[0] * v[1] + v[2] * v[3], "__mul__"),
        _function("powers", lambda v: v[0] ** 3 + v[1] ** 2 * v[2] + v[3], "__pow__"),
        _function("rectified", lambda v: (v[0] * 2 - v[1]).relu() + (v[2] - v[3]).relu() ** 2,
                  "relu"),
        _function("quotients", lambda v: v[0] / v[1] - v[2] / (1 + v[3]), "__mul__", "__pow__"),
        _function("sums", lambda v: (v[0] + v[1]) * (v[2] + v[3]) + v[0], "__add__"),
    ),
)  # fmt: skip
