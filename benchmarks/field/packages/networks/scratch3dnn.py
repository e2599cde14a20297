"""scratch3dnn: layers that add their gradients up."""

from benchmarks.field.item import WRONG, Item, Package
from benchmarks.field.made import drawn, load, new, normal
from benchmarks.field.readings import layer, loss


def _network() -> tuple:
    found = load("scratch3dnn")
    layers = found.Layer(4, 5), found.Sigmoid(), found.Layer(5, 2)
    return found.NeuralNet(*layers), *drawn((normal(6, 4),))


PACKAGE = Package(
    "scratch3dnn==0.1.0",
    (
        Item(
            "Relu",
            new("scratch3dnn:Relu", given=(normal(5, 4),)),
            layer(),
            ("scratch3dnn.activations:Relu.backward",),
        ),
        Item(
            "Sigmoid",
            new("scratch3dnn:Sigmoid", given=(normal(5, 4),)),
            layer(),
            ("scratch3dnn.activations:Sigmoid.backward",),
        ),
        Item(
            "Layer",
            new("scratch3dnn:Layer", 4, 3, given=(normal(5, 4),)),
            layer(values=lambda s: [s.w, s.b], grads=lambda s: [s.w_grad, s.b_grad]),
            ("scratch3dnn.layers:Layer.backward",),
        ),
        Item(
            "NeuralNet",
            _network,
            layer(
                values=lambda s: [value for value, _ in s.get_params()],
                grads=lambda s: [grad for _, grad in s.get_params()],
            ),
            ("scratch3dnn.layers:Layer.backward", "scratch3dnn.activations:Sigmoid.backward"),
        ),
        Item(
            "MSELoss",
            new("scratch3dnn:MSELoss", given=(normal(5, 3), normal(5, 3))),
            loss("forward", "backward", remembers=True),
            ("scratch3dnn.losses:MSELoss.backward",),
            WRONG,
            line=("n = self.prediction.shape[0]", "initial_gradient = (1/n)"),
            names=("constant_factor", "factor_batch_size"),
        ),
        Item(
            "MSELoss of one column",
            new("scratch3dnn:MSELoss", given=(normal(5, 1), normal(5, 1))),
            loss("forward", "backward", remembers=True),
            ("scratch3dnn.losses:MSELoss.backward",),
        ),
    ),
)
