"""mpneuralnetwork: layers in float32, made in two steps, activations of a pair of functions."""

from collections.abc import Callable
from typing import Any

from benchmarks.field.item import RIGHT, Item, Package
from benchmarks.field.made import binary, drawn, load, new, normal, one_hot
from benchmarks.field.readings import layer, loss


def _activation(name: str, functions: tuple[str, ...] = (), **known: Any) -> Item:
    return Item(
        name,
        new(f"mpneuralnetwork.activations:{name}", given=(normal(5, 4, dtype="float32"),)),
        layer(),
        tuple(f"mpneuralnetwork.activations:{f}" for f in functions or (f"{name}.__init__",)),
        **known,
    )


def _built(name: str, shape: Any, x: Any, *arguments: Any, **options: Any) -> Callable[[], tuple]:
    def make() -> tuple:
        thing = load(f"mpneuralnetwork.layers:{name}")(*arguments, **options)
        thing.build(shape)
        return (thing, *drawn((x,)))

    return make


def _layer(name: str, module: str, make: Callable[[], tuple]) -> Item:
    read = layer(
        values=lambda self: [value for value, _ in self.params.values()] if _has(self) else [],
        grads=lambda self: [grad for _, grad in self.params.values()] if _has(self) else [],
    )
    return Item(name, make, read, (f"mpneuralnetwork.layers.{module}:{name}.backward",))


def _has(self: Any) -> bool:
    return type(self).params.fget is not None and bool(self.params)


def _loss(name: str, x: Any, labels: Any, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"mpneuralnetwork.losses:{name}", given=(x, labels)),
        loss("direct", "prime"),
        (f"mpneuralnetwork.losses:{name}.prime",),
        truth,
        **known,
    )


IMAGES = normal(2, 2, 6, 6, dtype="float32")

PACKAGE = Package(
    "mpneuralnetwork==1.1.1",
    (
        _activation("Tanh"),
        _activation("Sigmoid"),
        _activation("ReLU"),
        _activation("PReLU"),
        _activation("Swish"),
        _activation("Softmax", ("Softmax.backward",)),
        _layer(
            "Dense",
            "layer1d",
            _built("Dense", 4, normal(5, 4, dtype="float32"), 3, initialization="he"),
        ),
        _layer(
            "BatchNormalization",
            "layer1d",
            _built("BatchNormalization", 4, normal(6, 4, dtype="float32")),
        ),
        _layer(
            "BatchNormalization2D", "layer2d", _built("BatchNormalization2D", (2, 6, 6), IMAGES)
        ),
        _layer(
            "Convolutional",
            "layer2d",
            _built("Convolutional", (2, 6, 6), IMAGES, 3, 3, initialization="he"),
        ),
        _layer("MaxPooling2D", "layer2d", _built("MaxPooling2D", (2, 6, 6), IMAGES)),
        _layer("AveragePooling2D", "layer2d", _built("AveragePooling2D", (2, 6, 6), IMAGES)),
        _loss("MSE", normal(5, 3, dtype="float32"), normal(5, 3, dtype="float32")),
        _loss("BinaryCrossEntropy", normal(6, 1, dtype="float32"), binary(6, 1)),
        _loss("CategoricalCrossEntropy", normal(6, 4, dtype="float32"), one_hot(6, 4)),
    ),
)
