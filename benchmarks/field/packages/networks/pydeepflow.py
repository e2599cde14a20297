"""pydeepflow: one function for all activations, one for their derivatives, losses in pairs."""

from typing import Any

from benchmarks.field.item import RIGHT, UNDECIDABLE, WRONG, Item, Package
from benchmarks.field.made import (
    binary,
    drawn,
    functions,
    load,
    normal,
    one_hot,
    signs,
    simplex,
    uniform,
)
from benchmarks.field.readings import elementwise, loss


def _activation(name: str, truth: str = RIGHT, **known: Any) -> Item:
    def make() -> tuple:
        module, device = load("pydeepflow.activations"), load("pydeepflow.device:Device")()
        return (
            (
                lambda x: module.activation(x, name, device),
                lambda x: module.activation_derivative(x, name, device),
            ),
            *drawn((normal(5, 4, scale=2.0),)),
        )

    # no slips: in a function for all activations, most are in the branch of another one
    return Item(name, make, elementwise(), (), truth, **known)


def _loss(name: str, labels: Any, x: Any, truth: str = RIGHT, **known: Any) -> Item:
    module = "pydeepflow.losses"
    derivative = known.pop("derivative", f"{name}_derivative")

    def make() -> tuple:
        device = load("pydeepflow.device:Device")()
        return functions(f"{module}:{name}", f"{module}:{derivative}", given=(labels, x, device))()

    return Item(name, make, loss(at=1), (f"{module}:{derivative}",), truth, **known)


RIGHT_ONES = (
    "relu",
    "leaky_relu",
    "prelu",
    "elu",
    "swish",
    "selu",
    "softplus",
    "rrelu",
    "softsign",
    "hardtanh",
    "hardsigmoid",
    "hardshrink",
    "hardswish",
)

PACKAGE = Package(
    "pydeepflow==1.0.0",
    (
        *map(_activation, RIGHT_ONES),
        # those two want the output, against what is written
        _activation("sigmoid", UNDECIDABLE),
        _activation("tanh", UNDECIDABLE),
        _activation("mish", WRONG),
        _activation("tanhshrink", WRONG),
        _activation("softmax", WRONG, names=("jacobian_diagonal_only",)),
        _loss("mse", normal(5, 3), normal(5, 3)),
        _loss(
            "binary_crossentropy",
            binary(6, 1),
            uniform(6, 1),
            WRONG,
            names=("factor_batch_size", "constant_factor"),
            line="return -(y_true / (y_pred",
        ),
        _loss(
            "categorical_crossentropy",
            one_hot(6, 4),
            simplex(6, 4),
            WRONG,
            names=("factor_batch_size", "constant_factor"),
            line="return -y_true / (y_pred",
        ),
        _loss(
            "hinge_loss",
            signs(6, 1),
            normal(6, 1),
            WRONG,
            names=("factor_batch_size", "constant_factor"),
            line="return device.where(y_true * y_pred < 1",
        ),
    ),
    needs=("tqdm==4.70.1", "scikit-learn==1.9.1", "colorama==0.4.6"),
)
