"""pylops: linear operators, and their adjoints as pairs of functions."""

from typing import Any

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import drawn, load, normal
from benchmarks.field.readings import Reading


def _read(thing: Any, x: np.ndarray) -> Reading:
    f, g = thing
    return Reading(lambda: f(x), lambda c: [g(c)], [x])


def _operator(name: str, *arguments: Any, **options: Any) -> Item:
    def make() -> tuple:
        thing = load(f"pylops:{name}")(*drawn(arguments), **options)
        return ((thing.matvec, thing.rmatvec), *drawn((normal(thing.shape[1]),)))

    functions = options.pop("functions", ())
    return Item(name, make, _read, functions, kind="jacobian")


BASICS = "pylops.basicoperators"

PACKAGE = Package(
    "pylops==2.8.0",
    (
        _operator("MatrixMult", normal(4, 6)),
        _operator("FirstDerivative", 8,
                  functions=(f"{BASICS}.firstderivative:FirstDerivative._rmatvec_centered3",)),
        _operator("SecondDerivative", 8,
                  functions=(f"{BASICS}.secondderivative:SecondDerivative._rmatvec_centered",)),
        _operator("CausalIntegration", 8),
        _operator("Flip", 6),
        _operator("Roll", 6),
    ),
)  # fmt: skip
