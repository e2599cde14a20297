"""neuralnetlib: activations and losses called by themselves, with a ``derivative``."""

from typing import Any

from benchmarks.field.item import RIGHT, WRONG, Item, Package
from benchmarks.field.made import binary, integers, new, normal, one_hot, simplex, uniform
from benchmarks.field.readings import elementwise, loss

FACTOR = ("factor_batch_size", "constant_factor")


def _activation(name: str) -> Item:
    return Item(
        name,
        new(f"neuralnetlib.activations:{name}", given=(normal(5, 4),)),
        elementwise("__call__", "derivative"),
        (f"neuralnetlib.activations:{name}.derivative",),
    )


def _loss(name: str, labels: Any, x: Any, truth: str = RIGHT, **known: Any) -> Item:
    function = known.pop("function", f"{name}.derivative")
    return Item(
        name,
        new(f"neuralnetlib.losses:{name}", given=(labels, x)),
        loss("__call__", "derivative", at=1),
        (f"neuralnetlib.losses:{function}",),
        truth,
        **known,
    )


PACKAGE = Package(
    "neuralnetlib==5.0.0",
    (
        *map(
            _activation, ("Sigmoid", "ReLU", "Tanh", "Linear", "LeakyReLU", "ELU", "SELU", "GELU")
        ),
        _loss("MeanSquaredError", normal(5, 3), normal(5, 3)),
        _loss("MeanAbsoluteError", normal(5, 3), normal(5, 3)),
        _loss("Huber", normal(5, 3), normal(5, 3)),
        _loss("Wasserstein", normal(5, 1), normal(5, 1)),
        _loss(
            "BinaryCrossentropy",
            binary(6, 1),
            uniform(6, 1),
            WRONG,
            names=FACTOR,
            line="return (y_pred - y_true) / (y_pred * (1 - y_pred))",
        ),
        _loss(
            "CategoricalCrossentropy",
            one_hot(6, 4),
            simplex(6, 4),
            WRONG,
            names=FACTOR,
            line="return -y_true / y_pred",
        ),
        _loss(
            "SparseCategoricalCrossentropy",
            integers(6, below=4),
            simplex(6, 4),
            WRONG,
            names=FACTOR,
            line="return -y_true_one_hot / y_pred",
        ),
        _loss("FocalLoss", binary(6, 1), uniform(6, 1), function="_focal_loss_derivative"),
        _loss(
            "BinaryFocalLossPerLabel",
            binary(6, 3),
            uniform(6, 3),
            function="_focal_loss_derivative",
        ),
        _loss("MultiLabelBCELoss", binary(6, 3), uniform(6, 3)),
        _loss("AsymmetricLoss", binary(6, 3), uniform(6, 3)),
        _loss(
            "CrossEntropyWithLabelSmoothing",
            integers(2, 4, below=3),
            lambda rng: rng.dirichlet([3.0, 3.0, 3.0], (2, 4)),
        ),
    ),
)
