"""numpy-nn: layers that remember, losses called with the labels first."""

from typing import Any

from benchmarks.field.item import RIGHT, WRONG, Item, Package
from benchmarks.field.made import binary, new, normal, one_hot, simplex, uniform
from benchmarks.field.readings import layer, loss


def _activation(name: str, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"numpy_nn.activations:{name}", given=(normal(5, 4),)),
        layer(),
        (f"numpy_nn.activations.{name}:{name}.backward",),
        truth,
        **known,
    )


def _loss(name: str, labels: Any, predictions: Any, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"numpy_nn.losses:{name}", given=(labels, predictions)),
        loss("__call__", "gradient", at=1, remembers=True),
        (f"numpy_nn.losses.{name}:{name}.gradient",),
        truth,
        **known,
    )


PACKAGE = Package(
    "numpy-nn==0.2.6",
    (
        _activation("ELU"),
        _activation("LeakyReLU"),
        _activation(
            "ReLU",
            WRONG,
            names=("input_mutated", "stale_cache"),
            line=("self.dy_dx = self.last_x", "self.dy_dx[self.dy_dx"),
        ),
        _activation("Sigmoid"),
        _activation("Swish"),
        _activation("TanH"),
        Item(
            "Softmax",
            new("numpy_nn.activations:Softmax", given=(normal(4, 1),)),
            layer(),
            ("numpy_nn.activations.Softmax:Softmax.backward",),
            WRONG,
            line=("self.dy_dx = np.diagflat", "return self.dy_dx * dL_dy"),
        ),
        Item(
            "Neuron",
            new("numpy_nn.layers:Neuron", 4, 3, given=(normal(5, 4),)),
            layer(
                values=lambda self: [self.weights, self.biases],
                grads=lambda self: [self.dL_dw, self.dL_db],
            ),
            ("numpy_nn.layers.Neuron:Neuron.backward",),
        ),
        _loss(
            "CrossEntropyLoss",
            one_hot(6, 4),
            simplex(6, 4),
            WRONG,
            line="self.dL_dy = (y_pred - y)/n",
            names=("gradient_of_other_loss", "softmax_jacobian_twice"),
        ),
        _loss("MeanSquaredError", normal(5, 3), normal(5, 3)),
        _loss(
            "MeanAbsoluteError",
            normal(5, 3),
            normal(5, 3),
            WRONG,
            line=("self.dL_dy[ self.dL_dy == 0 ] = -1", "return self.dL_dy", ".astype(int)"),
            names=("factor_batch_size", "constant_factor"),
        ),
        _loss("BinaryCrossEntropyLoss", binary(6, 1), uniform(6, 1)),
    ),
)
