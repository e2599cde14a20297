"""vulpex: layers with `Parameter` objects, losses that take the labels first and remember."""

from typing import Any

from benchmarks.field.item import WRONG, Item, Package
from benchmarks.field.made import binary, integers, new, normal, one_hot, signs, simplex, uniform
from benchmarks.field.readings import Reading, layer, loss


def _parameters(self: Any) -> list:
    return [parameter.data for parameter in self.parameters()]


def _gradients(self: Any) -> list:
    return [parameter.grad for parameter in self.parameters()]


def _layer(name: str, module: str, *arguments: Any, x: Any, **options: Any) -> Item:
    return Item(
        name,
        new(f"vulpex:{name}", *arguments, given=(x,), **options),
        layer(values=_parameters, grads=_gradients),
        (f"vulpex.{module}:{name}.backward",),
    )


def _loss(name: str, labels: Any, predictions: Any) -> Item:
    return Item(
        name,
        new(f"vulpex:{name}", given=(labels, predictions)),
        loss("forward", "backward", at=1, remembers=True),
        (f"vulpex.loss_functions:{name}.backward",),
    )


def _read_cosine(thing: Any, y: Any, a: Any, b: Any) -> Reading:
    def gradients(cotangent: Any) -> list:
        thing.forward(y, a, b)
        return [cotangent * g for g in thing.backward()]

    return Reading(lambda: thing.forward(y, a, b), gradients, [a, b])


NAMES = ("Sigmoid", "Tanh", "Softmax", "LogSoftmax", "ReLU", "LeakyReLU", "GeLU", "SiLU", "ELU",
         "PReLU", "SELU")  # fmt: skip

PACKAGE = Package(
    "vulpex==0.1.1",
    (
        *(_layer(name, "activations", x=normal(6, 5)) for name in NAMES),
        _layer("Linear", "layers.linear", 4, 3, x=normal(5, 4)),
        _layer("LayerNorm", "layers.layernorm", 6, x=normal(5, 6)),
        _layer("BatchNorm1D", "layers.batchnorm", 4, x=normal(7, 4)),
        _layer("BatchNorm2D", "layers.batchnorm", 3, x=normal(3, 3, 4, 4)),
        _layer("Conv1D", "layers.conv", 2, 3, 3, x=normal(2, 2, 7)),
        _layer("Conv2D", "layers.conv", 2, 3, 3, stride=2, padding=1, x=normal(2, 2, 6, 6)),
        _layer("MaxPool2D", "layers.maxpool", 2, x=normal(2, 2, 6, 6)),
        _layer("AvgPool1D", "layers.avgpool", 2, x=normal(2, 3, 8)),
        _layer("AdaptiveAvgPool2D", "layers.adaptiveavgpool", 2, x=normal(2, 2, 6, 5)),
        _layer("ZeroPad2D", "layers.zeropad", 1, x=normal(2, 2, 4, 3)),
        Item(
            "Embedding",
            new("vulpex:Embedding", 7, 3, given=(integers(4, 5, below=7),)),
            lambda thing, ids: Reading(
                lambda: thing.forward(ids),
                lambda c: [(thing.forward(ids), thing.backward(c), thing.parameters()[0].grad)[2]],
                _parameters(thing),
            ),
            ("vulpex.layers.embedding:Embedding.backward",),
        ),
        _loss("MSE", normal(5, 3), normal(5, 3)),
        _loss("MAE", normal(5, 3), normal(5, 3)),
        _loss("BCE", binary(6, 1), uniform(6, 1)),
        _loss("BCEWithLogits", binary(6, 1), normal(6, 1)),
        _loss("CrossEntropy", one_hot(6, 4), simplex(6, 4)),
        _loss("CrossEntropyWithLogits", one_hot(6, 4), normal(6, 4)),
        _loss("HuberLoss", normal(5, 3), normal(5, 3)),
        _loss("NLLLoss", one_hot(6, 4), normal(6, 4)),
        _loss("HingeLoss", signs(6, 1), normal(6, 1)),
        _loss("KLDivergence", simplex(6, 4), normal(6, 4)),
        _loss("SmoothL1Loss", normal(5, 3), normal(5, 3)),
        Item(
            "CosineEmbeddingLoss",
            new("vulpex:CosineEmbeddingLoss", given=(signs(6, 1), normal(6, 4), normal(6, 4))),
            _read_cosine,
            ("vulpex.loss_functions:CosineEmbeddingLoss.backward",),
        ),
        Item(
            "CosineEmbeddingLoss of labels in a vector",  # which its forward broadcasts
            new("vulpex:CosineEmbeddingLoss", given=(signs(6), normal(6, 4), normal(6, 4))),
            _read_cosine,
            ("vulpex.loss_functions:CosineEmbeddingLoss.forward",),
            WRONG,
            line="losses = np.where(y == 1",
        ),
    ),
)
