"""florentino: static methods ``f`` and ``df``, losses made of closures."""

from typing import Any

from benchmarks.field.item import RIGHT, WRONG, Item, Package
from benchmarks.field.made import binary, functions, new, normal, one_hot, simplex, uniform
from benchmarks.field.readings import elementwise, loss

ACTIVATION = "florentino.nn.activation:Activation"


def _pair(name: str) -> Item:
    return Item(
        name,
        functions(f"{ACTIVATION}.{name}", f"{ACTIVATION}.d{name}", given=(normal(5, 4),)),
        elementwise(),
        (f"{ACTIVATION}.d{name}",),
    )


def _loss(name: str, predictions: Any, labels: Any, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"florentino.nn.loss:{name}", given=(predictions, labels)),
        loss("forward", "backward"),
        (f"florentino.nn.loss:{name}.__init__.df",),
        truth,
        **known,
    )


PACKAGE = Package(
    "florentino==0.0.0.1",
    (
        _pair("relu"),
        _pair("sigmoid"),
        _pair("none"),
        _loss("CrossEntropy", simplex(6, 4), one_hot(6, 4)),
        _loss(
            "MeanSquareError", normal(5, 3), normal(5, 3), WRONG,
            line="return y_pred - y_true", names=("constant_factor", "factor_batch_size"),
        ),
        _loss(
            "BinaryCrossEntropy", uniform(6, 1), binary(6, 1), WRONG,
            line="return (1 - y_true) / (1 - y_pred)",
            names=("constant_factor", "factor_batch_size"),
        ),
    ),
    needs=("typing_extensions==4.16.0",),
)  # fmt: skip
