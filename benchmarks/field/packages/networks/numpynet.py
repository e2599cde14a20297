"""numpynet: ``call`` and ``deriv``, losses of one sample."""

from typing import Any

import numpy as np

from benchmarks.field.item import RIGHT, WRONG, Item, Package
from benchmarks.field.made import new, normal, uniform
from benchmarks.field.readings import elementwise, loss


def _activation(name: str, **known: Any) -> Item:
    return Item(
        name,
        new(f"numpynet.activations:{name}", given=(normal(5, 4),)),
        elementwise("call", "deriv"),
        (f"numpynet.activations:{name}.deriv",),
        **known,
    )


def _loss(name: str, x: Any, labels: Any, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"numpynet.losses:{name}", given=(x, labels)),
        loss("call", "deriv"),
        (f"numpynet.losses:{name}.deriv",),
        truth,
        **known,
    )


PACKAGE = Package(
    "numpynet==0.1.0",
    (
        _activation("NoActivation"),
        _activation("SigmoidActivation"),
        _activation("ReLuActivation"),
        _activation("LeakyReLuActivation"),
        _activation("TanhActivation"),
        _activation("SinActivation"),
        _loss("MseLoss", normal(5, 3), normal(5, 3)),
        _loss("SoftmaxCceLoss", normal(5), np.eye(5)[2]),
        _loss(
            "CceLoss",
            uniform(5),
            np.eye(5)[2],
            WRONG,
            line="return sum(target) / sum(input)",
            names=("additive_term", "gradient_of_other_loss"),
        ),
    ),
    needs=("numba==0.68.1", "scikit-learn==1.9.1", "tqdm==4.70.1"),
)
