"""pykitml: derivatives that take the weighted sum and the activations, elementwise costs."""

from typing import Any

import numpy as np

from benchmarks.field.item import RIGHT, WRONG, Item, Package
from benchmarks.field.made import binary, functions, normal, signs, uniform
from benchmarks.field.readings import Reading, elementwise

MODULE = "pykitml._functions"


def _read(thing: Any, x: np.ndarray) -> Reading:
    f, g = thing
    return Reading(lambda: f(x), lambda c: [c * g(x, f(x))], [x])


def _activation(name: str, truth: str = RIGHT, **known: Any) -> Item:
    pair = functions(f"{MODULE}:{name}", f"{MODULE}:{name}_prime", given=(normal(5, 4),))
    return Item(name, pair, _read, (f"{MODULE}:{name}_prime",), truth, **known)


def _cost(name: str, x: Any, labels: Any) -> Item:
    pair = functions(f"{MODULE}:{name}", f"{MODULE}:{name}_prime", given=(x, labels))
    return Item(name, pair, elementwise(), (f"{MODULE}:{name}_prime",))


PACKAGE = Package(
    "pykitml==0.1.3",
    (
        *map(_activation, ("sigmoid", "tanh", "leakyrelu", "relu", "identity")),
        _activation(
            "softmax",
            WRONG,
            line="return activations * (1 - activations)",
            names=("jacobian_diagonal_only",),
        ),
        _cost("mse", normal(5, 3), normal(5, 3)),
        _cost("cross_entropy", uniform(6, 2), binary(6, 2)),
        _cost("hinge_loss", normal(6, 1), signs(6, 1)),
        _cost("huber", normal(5, 3), normal(5, 3)),
    ),
    needs=("tqdm==4.70.1", "graphviz==0.21"),
)
