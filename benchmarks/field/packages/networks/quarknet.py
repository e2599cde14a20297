"""quarknet: layers with dictionaries ``params`` and ``grad``."""

from benchmarks.field.item import Item, Package
from benchmarks.field.made import new, normal
from benchmarks.field.readings import layer, loss

ACTIVATIONS = "quarknet.activations"


def _activation(name: str, derivative: str) -> Item:
    backward = (f"{ACTIVATIONS}:{derivative}", f"{ACTIVATIONS}:Activation.backward")
    return Item(name, new(f"{ACTIVATIONS}:{name}", given=(normal(5, 4),)), layer(), backward)


PACKAGE = Package(
    "quarknet==0.1.2",
    (
        _activation("Tanh", "tanh_grad"),
        _activation("ReLU", "relu_grad"),
        _activation("Sigmoid", "sigmoid_grad"),
        Item(
            "Linear",
            new("quarknet.layers:Linear", 4, 3, given=(normal(5, 4),)),
            layer(
                values=lambda self: list(self.params.values()),
                grads=lambda self: [self.grad[name] for name in self.params],
            ),
            ("quarknet.layers:Linear.backward",),
        ),
        Item(
            "MSE",
            new("quarknet.loss:MSE", given=(normal(5, 3), normal(5, 3))),
            loss("loss", "grad"),
            ("quarknet.loss:MSE.grad",),
        ),
    ),
)
