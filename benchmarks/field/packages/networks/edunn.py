"""edunn: models that return the input's gradient and a dictionary of the parameters'."""

from typing import Any

import numpy as np

from benchmarks.field.item import RIGHT, Item, Package
from benchmarks.field.made import binary, drawn, integers, load, new, normal, simplex, uniform
from benchmarks.field.readings import Reading


def _read(thing: Any, x: np.ndarray) -> Reading:
    values = thing.get_parameters()

    def gradients(cotangent: Any) -> list:
        thing.forward(x)
        dx, others = thing.backward(cotangent)
        return [dx, *(others[name] for name in values)]

    return Reading(lambda: thing.forward(x), gradients, [x, *values.values()])


def _read_error(thing: Any, labels: np.ndarray, y: np.ndarray) -> Reading:
    def gradients(cotangent: Any) -> list:
        thing.forward(labels, y)
        return [thing.backward(cotangent)[0]]

    return Reading(lambda: thing.forward(labels, y), gradients, [y])


def _weighed(model: Any) -> Any:
    """Give weights of another size than 1e-10, which is what they begin with."""
    for value in model.get_parameters().values():
        value[...] = 0.3 * np.random.standard_normal(value.shape)  # noqa: NPY002
    return model


def _model(name: str, module: str, *arguments: Any, **options: Any) -> Item:
    def make() -> tuple:
        model = _weighed(load(f"edunn.models:{name}")(*arguments, **options))
        return (model, *drawn((normal(5, 4),)))

    return Item(
        name,
        make,
        _read,
        (f"edunn.models.{module}:{name}.backward",),
    )


def _error(name: str, module: str, labels: Any, y: Any, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"edunn.models:{name}", given=(labels, y)),
        _read_error,
        (f"edunn.models.{module}:{name}.backward",),
        truth,
        **known,
    )


def _network() -> tuple:
    nn = load("edunn")
    model = nn.Sequential([nn.Dense(4, 6, activation_name="sigmoid"), nn.Dense(6, 3)])
    return (_weighed(model), *drawn((normal(5, 4),)))


def _mean_error() -> tuple:
    nn = load("edunn")
    return (nn.MeanError(nn.SquaredError()), *drawn((normal(5, 3), normal(5, 3))))


PACKAGE = Package(
    "edunn==0.1.6",
    (
        _model("AddConstant", "activations", 2.0),
        _model("MultiplyConstant", "activations", 3.0),
        _model("ReLU", "activations"),
        _model("Sigmoid", "activations"),
        Item(
            "TanH",
            new("edunn.models:TanH", given=(normal(5, 4),)),
            _read,
            ("edunn.models.activations:TanH.backward", "edunn.models.activations:Sigmoid.backward"),
        ),
        Item(
            "Softmax",
            new("edunn.models:Softmax", given=(normal(5, 4),)),
            _read,
            ("edunn.models.activations:Softmax.backward_sample",),
        ),
        _model("Bias", "bias", 4),
        _model("Linear", "linear", 4, 3),
        _model("Dense", "dense", 4, 3, activation_name="tanh"),
        _model("LinearRegression", "linear_regression", 4, 3),
        _model("LogisticRegression", "logistic_regression", 4, 3),
        Item("Sequential", _network, _read, ("edunn.models.linear:Linear.backward",)),
        _error("SquaredError", "squared_error", normal(5, 3), normal(5, 3)),
        _error("BinaryCrossEntropy", "binary_cross_entropy_error", binary(6, 1), uniform(6, 1)),
        _error(
            "CrossEntropyWithLabels", "cross_entropy_error", integers(6, below=4), simplex(6, 4)
        ),
        Item(
            "MeanError", _mean_error, _read_error, ("edunn.models.mean_error:MeanError.backward",)
        ),
    ),
    needs=("colorama==0.4.6", "tqdm==4.70.1"),
)
