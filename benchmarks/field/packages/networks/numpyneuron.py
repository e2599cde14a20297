"""numpyneuron: activations whose backward takes the input, losses of two arguments."""

from typing import Any

from benchmarks.field.item import RIGHT, WRONG, Item, Package
from benchmarks.field.made import new, normal, one_hot
from benchmarks.field.readings import elementwise, loss


def _activation(name: str, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"numpyneuron:{name}", given=(normal(5, 4),)),
        elementwise("forward", "backward"),
        (f"numpyneuron.activation:{name}.backward",),
        truth,
        **known,
    )


def _loss(name: str, predictions: Any, labels: Any, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"numpyneuron:{name}", given=(predictions, labels)),
        loss("forward", "backward"),
        (f"numpyneuron.loss:{name}.backward",),
        truth,
        **known,
    )


PACKAGE = Package(
    "numpyneuron==0.6",
    (
        _activation("Relu"),
        _activation("TanH"),
        _activation("Sigmoid", WRONG, line="return s - (1 - s)"),
        _activation("SoftMax", WRONG, line="return X"),
        _loss("MSE", normal(5, 3), normal(5, 3)),
        _loss(
            "CrossEntropy",
            normal(5, 3),
            one_hot(5, 3),
            WRONG,
            line="grad = y_hat - y_true",
            names=(
                "activation_derivative_missing",
                "path_missing",
                "gradient_of_other_loss",
                "derivative_at_wrong_point",
            ),
        ),
        _loss("CrossEntropyWithLogits", normal(5, 3), one_hot(5, 3)),
    ),
    needs=("gradio==6.31.0",),
)
