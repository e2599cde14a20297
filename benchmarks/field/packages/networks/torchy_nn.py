"""torchy-nn: modules with `Value` parameters."""

from typing import Any

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import integers, new, normal
from benchmarks.field.readings import Reading, layer


def _values(self: Any) -> list:
    return [value.data for value in vars(self).values() if type(value).__name__ == "Value"]


def _grads(self: Any) -> list:
    return [value.grad for value in vars(self).values() if type(value).__name__ == "Value"]


def _layer(name: str, module: str, *arguments: Any, x: Any, **known: Any) -> Item:
    functions = known.pop("functions", (f"{name}.backward",))
    return Item(
        name,
        new(f"torchy.nn:{name}", *arguments, given=(x,)),
        layer(values=_values, grads=_grads),
        tuple(f"torchy.nn.modules.{module}:{function}" for function in functions),
        **known,
    )


def _read_recurrent(thing: Any, x: np.ndarray) -> Reading:
    def gradients(cotangent: Any) -> list:
        for grad in _grads(thing):
            grad[...] = 0
        thing.forward(x)
        return [thing.backward(cotangent), *map(np.copy, _grads(thing))]

    return Reading(lambda: thing.forward(x)[0], gradients, [x, *_values(thing)])


def _read_loss(thing: Any, x: np.ndarray, labels: np.ndarray) -> Reading:
    return Reading(lambda: thing(x, labels)[0], lambda c: [c * thing(x, labels)[1]], [x])


def _read_embedding(thing: Any, ids: np.ndarray) -> Reading:
    def gradients(cotangent: Any) -> list:
        thing.weight.grad[...] = 0
        thing.forward(ids)
        thing.backward(cotangent)
        return [thing.weight.grad]

    return Reading(lambda: thing.forward(ids), gradients, [thing.weight.data])


def _recurrent(name: str) -> Item:
    return Item(
        name,
        new(f"torchy.nn:{name}", 3, 4, given=(normal(2, 5, 3),)),
        _read_recurrent,
        (f"torchy.nn.modules.rnn:{name}.backward",),
    )


PACKAGE = Package(
    "torchy-nn==0.3.5.3",
    (
        _layer("ReLU", "activation", x=normal(5, 4)),
        _layer("Tanh", "activation", x=normal(5, 4)),
        _layer("Linear", "dense", 4, 3, x=normal(5, 4)),
        _layer("BatchNorm1d", "batchnorm", 4, x=normal(6, 4),
               functions=("_BatchNorm._backward_1d",)),
        _layer("BatchNorm2d", "batchnorm", 3, x=normal(2, 3, 4, 4),
               functions=("_BatchNorm._backward_1d", "BatchNorm2d.backward")),
        _layer("Conv2d", "conv", 2, 3, 3, 1, 1, x=normal(2, 2, 5, 5)),
        _layer("MaxPool2d", "pooling", 2, x=normal(2, 2, 6, 6)),
        _recurrent("RNN"),
        _recurrent("LSTM"),
        Item(
            "Embedding",
            new("torchy.nn:Embedding", 7, 3, given=(integers(4, 5, below=7),)),
            _read_embedding,
        ),
        Item(
            "CrossEntropyLoss",
            new("torchy.nn:CrossEntropyLoss", given=(normal(6, 4), integers(6, below=4))),
            _read_loss,
            ("torchy.nn.modules.loss:CrossEntropyLoss.__call__",),
        ),
    ),
)  # fmt: skip
